"""Sidecars that cannot be written are reported and left as they were."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from core.errors import LibraryReadOnly
from indexer import xmp_writing
from indexer.file_attributes import keep_attributes
from indexer.xmp_writing import SidecarResult
from pictures.metadata.xmp import MAX_XMP_BYTES
from store import Library
from tests.support.sidecar_writing import listing, tag, write, xmp

REFUSED: dict[str, Callable[[Path], object]] = {
    "it is a symbolic link": lambda path: path.symlink_to(path.with_name("elsewhere")),
    "it is not XML": lambda path: path.write_text("hello"),
    "it is not XML: no element found": lambda path: path.write_bytes(b""),
    "it is XML, but not XMP": lambda path: path.write_text("<a/>"),
    "document type": lambda path: path.write_text('<!DOCTYPE a [<!ENTITY b "c">]>' + xmp("&b;")),
    "exceed the limit": lambda path: path.write_bytes(xmp("a").encode().ljust(MAX_XMP_BYTES + 1)),
    "it is read-only": lambda path: path.touch(0o444),
    "it is not text in": lambda path: path.write_bytes(xmp("caf\xe9").encode("latin-1")),
    "it is not a file": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_written_is_reported_and_left(indexed: Library, album: Path, reason: str) -> None:
    tag(indexed, album, "new")
    path = album / "red.png.xmp"
    if "link" in reason:
        path.with_name("elsewhere").write_text(xmp("a"))
    REFUSED[reason](path)
    before = listing(album)
    outcomes = write(indexed)
    assert outcomes["red.png"].result is SidecarResult.REFUSED
    assert reason in (outcomes["red.png"].reason or "")
    assert {each.result for name, each in outcomes.items() if name != "red.png"} == {SidecarResult.CREATED}
    assert {name: data for name, data in listing(album).items() if name in before} == before
    assert not list(album.glob("*.bak*"))
    assert path.is_symlink() == ("link" in reason)


def test_pictures_and_folders_that_are_gone_are_reported(indexed: Library, album: Path) -> None:
    tag(indexed, album, "new")
    shutil.rmtree(album / "more")
    (album / "red.png").unlink()
    outcomes = write(indexed)
    assert outcomes["red.png"].reason == "the picture is not there"
    assert outcomes["yellow.png"].reason == "its folder cannot be read: No such file or directory"
    assert not (album / "red.png.xmp").exists()
    assert not (album / "more").exists()


def test_a_change_by_another_program_in_between_is_kept(
    indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = album / "red.xmp"
    path.write_text(xmp("old"))
    tag(indexed, album / "red.png", "new")
    tag(indexed, album / "more", "new")

    def change(file: BinaryIO, sidecar: Path, status: os.stat_result) -> None:
        keep_attributes(file, sidecar, status)
        path.write_text(xmp("changed"))

    monkeypatch.setattr(xmp_writing, "keep_attributes", change)
    outcomes = write(indexed)
    assert outcomes["red.png"].reason == "another program changed it in this moment"
    assert path.read_text() == xmp("changed")
    assert outcomes["yellow.png"].result is SidecarResult.CREATED
    assert not list(album.glob(".*.tmp"))
    monkeypatch.setattr(xmp_writing, "keep_attributes", keep_attributes)
    assert write(indexed)["red.png"].result is SidecarResult.CHANGED
    assert path.read_text() == xmp("changed", "new")


@pytest.mark.parametrize("existing", [True, False])
def test_a_full_disk_leaves_everything_as_it_was(
    indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    if existing:
        (album / "red.xmp").write_text(xmp("old"))
    tag(indexed, album / "red.png", "new")
    before = listing(album)

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    outcome = write(indexed)["red.png"]
    monkeypatch.undo()
    assert (outcome.result, outcome.reason) == (SidecarResult.REFUSED, "No space left on device")
    assert listing(album) == before


def test_what_a_killed_run_left_is_removed(indexed: Library, album: Path) -> None:
    tag(indexed, album / "red.png", "new")
    old, new, other = album / ".red.png.xmp.12.34.tmp", album / ".a.xmp.1.2.tmp", album / ".red.png.12.34.tmp"
    for path in (old, new, other):
        path.write_text("a part")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    write(indexed, dry_run=True)
    assert old.exists()
    write(indexed)
    assert [path.exists() for path in (old, new, other)] == [False, True, True]  # `new` may be in use


def test_a_library_that_cannot_be_changed_writes_no_sidecar(
    indexed: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag(indexed, album / "red.png", "new")
    monkeypatch.setattr(indexed.backend, "read_only", "its folder belongs to another user")
    with pytest.raises(LibraryReadOnly):
        write(indexed)
    assert not (album / "red.png.xmp").exists()
    assert write(indexed, dry_run=True)["red.png"].result is SidecarResult.CREATED


def test_tags_that_xml_cannot_contain_are_named_and_the_others_are_written(indexed: Library, album: Path) -> None:
    tag(indexed, album / "red.png", "good", "bad\uffff", "worse\ufffe")
    outcome = write(indexed)["red.png"]
    assert set(outcome.unwritable) == {"bad\uffff", "worse\ufffe"}
    assert outcome.added == ("good",)
