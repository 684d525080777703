"""`sightline move-root`."""

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
