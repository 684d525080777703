"""`sightline backup`, `sightline restore`, and the snapshots that other commands write."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import Library
from store.backup.snapshot_folder import list_snapshots, newest_intact_snapshot

Sightline = Callable[..., Any]


def kinds(library: Path) -> dict[str, int]:
    """The records of the newest snapshot of a library, by type."""
    snapshot = newest_intact_snapshot(library)
    assert snapshot is not None
    return snapshot.header.counts


def test_commands_that_change_something_write_a_snapshot(sightline: Sightline, filled: Path, album: Path) -> None:
    assert newest_intact_snapshot(filled) is None
    sightline("status")
    sightline("index", album)
    assert newest_intact_snapshot(filled) is None  # there is no user data
    red, blue = album / "red.png", album / "blue.png"
    expected: dict[str, int] = {}
    for arguments, change in (
        (["tag", red, "warm"], {"picture": 1}),
        (["rate", "5", blue], {"picture": 2}),
        (["album", "create", "a", red, blue], {"album": 1, "album_picture": 2}),
        (["album", "save", "b", "iso:>100"], {"album": 2}),
        (["distinct", red, blue], {"distinct": 1}),
        (["album", "remove", "a", red], {"album_picture": 1}),
        (["album", "drop", "b"], {"album": 1}),
    ):
        done = sightline(*arguments)
        assert (done.code, done.err) == (0, "")
        expected |= change
        assert kinds(filled) == expected
    number = len(list_snapshots(filled / "snapshots"))
    sightline("untag", red, "none")
    assert sightline("index", album).err == ""
    assert len(list_snapshots(filled / "snapshots")) == number  # nothing has changed


def test_what_was_forgotten_by_mistake_comes_back(sightline: Sightline, filled: Path, album: Path) -> None:
    sightline("tag", album / "red.png", "warm")
    sightline("album", "create", "a", album / "red.png", album / "blue.png")
    shutil.rmtree(filled / "snapshots")
    sightline("forget", album)
    snapshot = newest_intact_snapshot(filled)
    assert snapshot is not None
    before = sightline("restore", snapshot.path)
    assert before.code == 1
    assert "tags: 1 without a picture here" in before.text
    assert "2 pictures of the snapshot are not in this library. Index them, then restore again." in before.text
    sightline("index", album)
    done = sightline("restore", snapshot.path)
    assert done.code == 0
    assert "tags: 1 restored" in done.text
    assert "pictures in albums: 2 restored" in done.text
    assert [Path(line).name for line in sightline("album", "show", "a", "--paths").lines] == ["red.png", "blue.png"]
    again = sightline("restore", snapshot.path, "--json").record
    assert all(not counts["restored"] for counts in again["counts"].values())


def test_backup_into_a_file_and_a_folder(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    sightline("rate", "4", album / "red.png", album / "blue.png")
    file, folder = tmp_path / "said.jsonl", tmp_path / "stick"
    written = sightline("backup", file)
    assert written.text == f"Wrote {file}: 2 pictures with tags or ratings\n"
    assert sightline("backup", file).code == 0  # a snapshot is replaced
    first = sightline("backup", "--to", folder, "--json").record
    assert first == {"snapshot": first["snapshot"], "new": True, "counts": {**first["counts"], "picture": 2}}
    assert sightline("backup", "--to", folder).text.startswith("Nothing has changed since ")
    listed = sightline("backup", "--list", "--to", folder)
    assert listed.text.startswith(first["snapshot"])
    assert "2 pictures with tags or ratings" in listed.text
    Path(first["snapshot"]).write_bytes(b"x")
    assert (
        sightline("backup", "--list", "--to", folder, "--json").record["fault"].endswith("its first line is not JSON.")
    )
    picture = album / "red.png"
    before = picture.read_bytes()
    refused = sightline("backup", picture)
    assert (refused.code, picture.read_bytes()) == (2, before)
    assert "there is another file, which is not a snapshot" in refused.err
    assert sightline("backup", file, "--to", folder).code == 2


def test_second_folder_gets_the_same(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_SNAPSHOTS", str(tmp_path / "stick"))
    away = sightline("rate", "4", album / "red.png")
    assert away.code == 0
    assert "the folder that SIGHTLINE_SNAPSHOTS names does not exist" in away.err
    assert not (tmp_path / "stick").exists()
    (tmp_path / "stick").mkdir()
    assert sightline("rate", "3", album / "blue.png").err == ""
    (copy,) = list_snapshots(tmp_path / "stick")
    assert gzip.decompress(copy.path.read_bytes()).count(b'"type":"picture"') == 2


def test_restore_into_another_library(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    sightline("tag", album / "red.png", "warm")
    sightline("album", "save", "noisy", "iso:>100")
    file, new = tmp_path / "said.jsonl.gz", tmp_path / "new"
    sightline("backup", file)
    missing = sightline("restore", file, "--dry-run", "--library", new)
    assert missing.code == 2
    assert "There is no library at" in missing.err
    assert not new.exists()
    assert sightline("restore", file, "--library", new).code == 1
    planned = sightline("restore", file, "--library", new, "--dry-run", "--json").record
    assert planned["unknown_pictures"] == 1
    assert planned["counts"]["albums"] == {"restored": 0, "present": 1, "kept": 0, "unknown": 0}
    assert sightline("album", "list", "--library", new).text == "       -  noisy  (iso:>100)\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not a snapshot of a library: it is empty"),
        (b"\x89PNG\r\n", "its first line is not JSON"),
        (b'{"format":"sightline-snapshot","version":9}\n', "written by a newer version of Sightline (format 9)"),
        (None, "is not a snapshot of a library: No such file or directory"),
    ],
)
def test_files_that_cannot_be_restored(
    sightline: Sightline, filled: Path, tmp_path: Path, data: bytes | None, message: str
) -> None:
    file = tmp_path / "file"
    if data is not None:
        file.write_bytes(data)
    refused = sightline("restore", file)
    assert refused.code == 2
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_cut_file_changes_nothing(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    sightline("tag", album / "red.png", "warm")
    file = tmp_path / "said.jsonl"
    sightline("backup", file)
    sightline("untag", album / "red.png", "warm")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    refused = sightline("restore", file)
    assert (refused.code, sightline("tags").text) == (2, "")
    assert "it ends after 1 records, without its last line. Nothing was changed." in refused.err
    assert "Hint: `sightline backup --list`" in refused.err


def test_wrong_root_option_is_explained(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    refused = sightline("restore", tmp_path / "file", "--root", "/a")
    assert (refused.code, "is not OLD=NEW" in refused.err) == (2, True)


def test_folder_that_the_snapshot_does_not_have_is_reported(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path
) -> None:
    file = tmp_path / "said.jsonl"
    sightline("backup", file)
    assert sightline("restore", file, "--root", f"{album}=/elsewhere").err == ""
    mistyped = sightline("restore", file, "--root", f"{album}s=/elsewhere")
    assert mistyped.code == 0
    assert f"{album}s is not one of the folders of the snapshot. Its folders are: {album}" in mistyped.err


def test_library_is_closed_and_unlocked_after_a_backup(sightline: Sightline, filled: Path) -> None:
    sightline("backup")
    with Library.open(filled) as opened, opened.exclusive_if_free() as writer:
        assert writer is not None
