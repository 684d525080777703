"""`sightline move-root`."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import Library
from tests.support.indexing import LONG_AGO

Sightline = Callable[..., Any]


def test_moved_root_keeps_everything_and_reads_nothing(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path
) -> None:
    sightline("tag", album / "red.png", "warm")
    sightline("album", "create", "a", album / "red.png", album / "more" / "yellow.png")
    sightline("album", "save", "b", f'in:"{album / "more"}"')
    new = tmp_path / "other disk" / "pictures"
    shutil.copytree(album, new)  # copies with their times; change times and inode numbers differ
    shutil.rmtree(album)
    planned = sightline("move-root", album, new, "--dry-run", "--json").record
    assert (planned["pictures"], planned["same_size"], planned["same_time"], planned["dry_run"]) == (4, 4, 4, True)
    moved = sightline("move-root", album, new)
    assert (moved.code, moved.err) == (0, "")
    assert moved.lines == [
        f"Moved {album} to {new}: 4 pictures",
        "  4 of 4 checked files are there with their sizes, 4 with the same time",
        "  1 saved search follows",
    ]
    assert sightline("search", "red", "--paths", "-k", "1").text == f"{new / 'red.png'}\n"
    assert [Path(line) for line in sightline("album", "show", "a", "--paths").lines] == [
        new / "red.png",
        new / "more" / "yellow.png",
    ]
    assert sightline("album", "show", "b", "--paths").text == f"{new / 'more' / 'yellow.png'}\n"
    assert f'b  (in:"{new / "more"}")' in sightline("album", "list").text
    assert sightline("tags", new / "red.png").code == 0
    run = sightline("index", new, "--json").record
    assert (run["unchanged"], run["failed"], run["missing"], run["new"]) == (4, 0, 0, 0)
    assert sightline("verify").code == 0


def test_files_with_other_times_are_announced(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    album.rename(new)
    for path in new.rglob("*.png"):
        os.utime(path, ns=(LONG_AGO, LONG_AGO + 3_600_000_000_000))
    moved = sightline("move-root", album, new)
    assert moved.lines[1:] == [
        "  4 of 4 checked files are there with their sizes, 0 with the same time",
        "  Files with another time are read again by the next `sightline index`. Their vectors are kept.",
    ]
    run = sightline("index", new, "--json").record
    assert (run["embedded"], run["failed"], run["missing"]) == (0, 0, 0)


def test_other_files_are_refused(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    (new / "more").mkdir(parents=True)
    shutil.copy(album / "red.png", new)
    refused = sightline("move-root", album, new)
    assert refused.code == 2
    assert "of 4 checked, 1 are there with the size they had. Nothing was changed." in refused.err
    assert "--force" in refused.err
    assert sightline("search", "red", "--paths", "-k", "1").text == f"{album / 'red.png'}\n"
    assert sightline("move-root", album, new, "--force").code == 0
    assert sightline("search", "red", "--paths", "-k", "1").text == f"{new / 'red.png'}\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{album}/more",
            "{tmp}/new",
            "is not one of the folders that were added to the library. Its folders are: {album}",
        ),
        ("{album}", "{tmp}/none", "There is no folder {tmp}/none"),
        ("{album}", "{tmp}/second/below", "{tmp}/second, another folder of the library, overlap"),
        ("{album}", "{tmp}", "another folder of the library, overlap"),
    ],
)
def test_impossible_moves_are_explained(
    sightline: Sightline,
    filled: Path,
    album: Path,
    tmp_path: Path,
    paint: Callable[..., Path],
    old: str,
    new: str,
    message: str,
) -> None:
    paint(tmp_path / "second" / "below" / "one.png", "red", (9, 9))
    if "overlap" in message:
        from encoders.fake import FakeEncoder
        from indexer import index

        with Library.open(filled) as opened:
            index(opened, [tmp_path / "second"], FakeEncoder())
    names = {"album": album, "tmp": tmp_path}
    refused = sightline("move-root", old.format(**names), new.format(**names))
    assert refused.code == 2
    assert message.format(**names) in refused.err


def test_root_is_not_moved_while_a_run_indexes_it(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    shutil.copytree(album, new)
    with Library.open(filled) as opened, opened.root_lock(album):
        refused = sightline("move-root", album, new)
    assert refused.code == 2
    assert f"{album} is being indexed. Try again when that has finished" in refused.err
    assert sightline("move-root", album, new).code == 0
    assert sightline("move-root", new, new).code == 0  # the same folder


def test_example_pictures_of_saved_searches_follow(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path
) -> None:
    sightline("album", "save", "a", f"{album / 'red.png'} - blue")
    sightline("album", "save", "b", f'"{album / "more" / "yellow.png"}"[0,0,50,50] red')
    new = tmp_path / "new place"
    album.rename(new)
    moved = sightline("move-root", album, new)
    assert moved.lines[-1] == "  2 saved searches follow"
    listed = sightline("album", "list").text
    assert f'a  ("{new / "red.png"}" - blue)' in listed
    assert f'b  ("{new / "more" / "yellow.png"}"[0,0,50,50] red)' in listed
    assert sightline("album", "show", "a", "-k", "1", "--paths").text == f"{new / 'red.png'}\n"


def test_all_folders_on_a_disk_are_moved_at_once(
    sightline: Sightline, filled: Path, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    stick = tmp_path / "stick"
    for name, colour in {"one": "white", "two": "black"}.items():
        paint(stick / name / f"{name}.png", colour)
        sightline("index", stick / name)
    paint(tmp_path / "mounted" / "one" / "one.png", "white")
    refused = sightline("move-root", stick, tmp_path / "mounted")  # the second folder is not there
    assert refused.code == 2
    assert sightline("search", "--in", stick, "--paths").text.count("\n") == 2
    shutil.rmtree(tmp_path / "mounted")
    stick.rename(tmp_path / "mounted")
    moved = sightline("move-root", stick, tmp_path / "mounted", "--json").records
    assert [(each["old"], each["new"]) for each in moved] == [
        (str(stick / name), str(tmp_path / "mounted" / name)) for name in ("one", "two")
    ]
    found = sightline("search", "--in", tmp_path / "mounted", "--paths").lines
    assert sorted(found) == [str(tmp_path / "mounted" / name / f"{name}.png") for name in ("one", "two")]
    assert sightline("index", tmp_path / "mounted" / "one", "--json").record["unchanged"] == 1
    assert sightline("status", "--json").record["roots"][0]["path"] == str(album)


def test_last_snapshot_names_the_new_folder(sightline: Sightline, filled: Path, album: Path, tmp_path: Path) -> None:
    sightline("tag", album / "red.png", "warm")
    new = tmp_path / "new"
    album.rename(new)
    sightline("move-root", album, new)
    newest = sightline("backup", "--list", "--json").records[0]["snapshot"]
    with gzip.open(newest, "rt") as lines:
        assert json.loads(next(lines))["roots"] == [{"kind": "folder", "path": str(new)}]
    assert f"Nothing has changed since {newest}" in sightline("backup").text
