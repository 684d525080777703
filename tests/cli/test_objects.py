"""Commands with a library whose pictures are objects in a store."""

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.object_stores import MemoryStore, use_store

Sightline = Callable[..., Any]


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: Library, encoder: FakeEncoder) -> MemoryStore:
    """A red and a blue picture in the default library."""
    store = MemoryStore()
    for key, colour in (("trip/red one.png", "red"), ("trip/2024/blue.png", "blue")):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), colour).save(file, "PNG")
        store.put("bucket", key, file.getvalue())
    use_store(monkeypatch, store)
    index(library, "s3://bucket/trip", encoder)
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    return store


def test_commands_take_and_show_paths_of_objects(sightline: Sightline, objects: MemoryStore) -> None:
    assert "Folder    s3://bucket/trip: 2 present, 0 missing, 0 failed" in sightline("status").lines
    assert sightline("index", "s3://bucket/trip/").lines[0].endswith(": 2 unchanged")
    assert sightline("index", "S3://bucket/trip/2024").lines[0].endswith(": 1 unchanged")
    blue = "s3://bucket/trip/2024/blue.png"
    assert sightline("search", "red", "--in", "s3://bucket/trip/2024", "--paths").lines == [blue]
    assert sightline("search", "red in:s3://bucket/trip/2024", "--paths").lines == [blue]
    assert sightline("search", 'red path:"s3://bucket/*/blue*"', "--paths").lines == [blue]
    assert sightline("similar", blue, "--paths", "-k", "1").lines == ["s3://bucket/trip/red one.png"]
    assert sightline("verify").code == 0
    assert sightline("tag", blue, "sea").code == 0
    assert sightline("search", "tag:sea", "--paths").lines == [blue]
    sightline("album", "save", "of a year", "in:s3://bucket/trip/2024")
    assert sightline("album", "show", "of a year", "--paths").lines == [blue]
    assert sightline("forget", "s3://bucket/trip/2024").code == 0
    assert "s3://bucket/trip: 1 present" in sightline("status").text


def test_root_is_moved_with_what_refers_to_it(sightline: Sightline, objects: MemoryStore) -> None:
    sightline("album", "save", "a", "in:s3://bucket/trip/2024")
    for key, (data, _) in list(objects.buckets["bucket"].items()):
        objects.put("copy", key.removeprefix("trip/"), data)
    moved = sightline("move-root", "s3://bucket/trip", "s3://copy/")
    assert moved.lines[0] == "Moved s3://bucket/trip to s3://copy: 2 pictures"
    assert sightline("album", "show", "a", "--paths").lines == ["s3://copy/2024/blue.png"]
    refused = sightline("move-root", "s3://copy", "s3://none")
    assert (refused.code, "There is no folder s3://none." in refused.err) == (2, True)


def test_hits_are_copied_and_not_linked(sightline: Sightline, objects: MemoryStore, tmp_path: Path) -> None:
    refused = sightline("search", "red", "-k", "1", "--export", tmp_path / "links")
    assert refused.code != 0
    assert "objects in a store cannot be linked" in refused.err
    assert sightline("search", "red", "-k", "1", "--export", tmp_path / "copies", "--copy").code == 0
    (copied,) = (tmp_path / "copies").iterdir()
    data, status = objects.buckets["bucket"]["trip/red one.png"]
    assert (copied.name, copied.read_bytes(), copied.stat().st_mtime_ns) == ("001_red one.png", data, status.mtime_ns)


def test_errors_of_a_store_are_told_in_one_line(sightline: Sightline, objects: MemoryStore, tmp_path: Path) -> None:
    other = ("--library", tmp_path / "other")
    unknown = sightline("index", "gs://bucket/trip", *other)
    assert (unknown.code, "gs:// is not supported" in unknown.err) == (2, True)
    missing = sightline("index", "s3://none/trip", *other)
    assert (missing.code, "There is no folder s3://none/trip." in missing.err) == (2, True)
    assert not (tmp_path / "other").exists()
    objects.faults["list"] = PermissionError(13, "access is denied")
    denied = sightline("index", "s3://bucket/trip")
    assert (denied.code, "s3://bucket/trip: access is denied" in denied.err) == (2, True)
    for path, reason in (("s3://bucket", "it is a bucket"), ("s3://bucket/no.png", "the object does not exist")):
        assert f"sightline: {path}: {reason}" in sightline("similar", path).err
        assert f"sightline: {path}: {reason}" in sightline("highlight", path, "red").err


def test_store_that_does_not_answer_now_is_watched(
    sightline: Sightline, objects: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A service that starts before the network, or while a disk is away, must wait for it."""
    watched = list[object]()
    monkeypatch.setattr("cli.watching.Watcher.watch", lambda *_: watched.append(1))

    def fail(*_: object, **__: object) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "the store does not answer")

    monkeypatch.setattr("core.root_files.objects.ObjectFiles.is_folder", fail)
    assert sightline("watch", "s3://bucket/trip", "--poll", "9").code == 0
    assert watched == [1]
    assert sightline("watch", "s3://bucket/trip", "--poll", "9", "--library", tmp_path / "new").code == 2
