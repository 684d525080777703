"""`sightline merge`."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from store import Library

Sightline = Callable[..., Any]


@pytest.fixture
def other(tmp_path: Path, empty_library: Path, album: Path, paint: Callable[..., Path]) -> Path:
    """A library of three pictures, one of them a copy of one in the default library."""
    paint(tmp_path / "stick" / "white.png", "white")
    paint(tmp_path / "stick" / "black.png", "black")
    shutil.copy(album / "red.png", tmp_path / "stick" / "copy.png")
    shutil.copytree(empty_library, tmp_path / "other")
    with Library.open(tmp_path / "other") as opened:
        index(opened, [tmp_path / "stick"], FakeEncoder())
    return tmp_path / "other"


def test_merge_adds_pictures_and_what_people_said(
    sightline: Sightline, filled: Path, album: Path, other: Path, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    sightline("tag", stick / "copy.png", stick / "white.png", "Rome", "--library", other)
    sightline("album", "create", "Best", stick / "black.png", stick / "copy.png", "--library", other)
    sightline("album", "save", "Stick", f'in:"{stick}"', "--library", other)
    planned = sightline("merge", other, "--dry-run")
    assert planned.lines[0] == "Would add 3 pictures; 0 are here already"
    assert sightline("search", "tag:rome").code == 1
    merged = sightline("merge", other)
    assert (merged.code, merged.err) == (0, "")
    assert merged.lines[:2] == [
        "Added 3 pictures; 0 are here already",
        f"  Folder {stick} is new",
    ]
    assert merged.lines[2].endswith(": 2 vectors added")
    assert merged.lines[3:] == ["  tags: 2 added", "  albums: 2 added", "  pictures in albums: 2 added"]
    assert planned.lines[3:] == [line.replace("added", "would be added") for line in merged.lines[3:]]
    found = sightline("search", "tag:rome", "--paths").text.splitlines()
    assert sorted(found) == [str(album / "red.png"), str(stick / "white.png")]
    assert sightline("album", "show", "Stick", "--paths").text.count("\n") == 3
    assert sightline("index", stick, "--json").record["unchanged"] == 3
    assert sightline("verify").code == 0
    again = sightline("merge", other, "--json").record
    assert again["pictures"] == {"new": 0, "present": 3, "taken": 0, "kept": 0}
    assert {counts["restored"] for counts in again["said"].values()} == {0}


def test_folders_of_the_other_machine_are_given(
    sightline: Sightline, filled: Path, other: Path, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    sightline("album", "save", "Stick", f'in:"{stick}"', "--library", other)
    stick.rename(tmp_path / "mounted")
    merged = sightline("merge", other, "--root", f"{stick}={tmp_path / 'mounted'}", "--json").record
    assert [(each["other"], each["path"]) for each in merged["folders"]] == [(str(stick), str(tmp_path / "mounted"))]
    assert f'in:"{tmp_path / "mounted"}"' in sightline("album", "list").text
    assert sightline("search", "white", "-k", "1", "--paths").text == f"{tmp_path / 'mounted' / 'white.png'}\n"
    refused = sightline("merge", other, "--root", f"{tmp_path / 'none'}={stick}")
    assert refused.code == 2
    assert "is not one of the folders" in refused.err


def test_folder_that_is_a_link_gets_the_name_that_it_has_here(
    sightline: Sightline, filled: Path, album: Path, empty_library: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(album)
    other = shutil.copytree(empty_library, tmp_path / "linked")
    with Library.open(other) as opened:
        index(opened, [link], FakeEncoder())
    sightline("album", "save", "Here", f'in:"{link}"', "--library", other)
    merged = sightline("merge", other)
    assert merged.lines[1] == f"  Folder {link}, now {album}, is in both libraries"
    shown = sightline("album", "show", "Here", "--paths").text.splitlines()
    assert sorted(shown) == sorted(map(str, album.rglob("*.png")))


@pytest.mark.parametrize(("option", "advice"), [("--dry-run", "--root OLD=NEW"), ("--force", "`sightline move-root")])
def test_folder_that_is_not_here_is_announced(
    sightline: Sightline, filled: Path, other: Path, tmp_path: Path, option: str, advice: str
) -> None:
    (tmp_path / "stick").rename(tmp_path / "mounted")
    lines = sightline("merge", other, option).lines
    assert lines[1] == f"  Folder {tmp_path / 'stick'} is new"
    assert lines[2].startswith(f"    It is not there now. If it is at another place, {advice}")


def test_new_library_is_made_of_others(sightline: Sightline, filled: Path, other: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    assert sightline("merge", other, "--library", both, "--dry-run").code == 2
    assert not both.exists()
    for library in (filled, other):
        assert sightline("merge", library, "--library", both).code == 0
    assert sightline("status", "--library", both, "--json").record["present"] == 7
    assert sightline("verify", "--library", both).code == 0


def test_impossible_merges_create_no_library(sightline: Sightline, tmp_path: Path) -> None:
    refused = sightline("merge", tmp_path / "none", "--library", tmp_path / "new")
    assert refused.code == 2
    assert "There is no library at" in refused.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("old", "message"), [("none", "is not one of the folders"), ("stick", "There is no folder")])
def test_mistyped_folders_create_no_library(
    sightline: Sightline, other: Path, tmp_path: Path, old: str, message: str
) -> None:
    moved = f"{tmp_path / old}={tmp_path / 'mistyped'}"
    refused = sightline("merge", other, "--library", tmp_path / "new", "--root", moved)
    assert refused.code == 2
    assert message in refused.err
    assert not (tmp_path / "new").exists()


def test_library_is_not_merged_into_itself(sightline: Sightline, filled: Path) -> None:
    refused = sightline("merge", filled)
    assert refused.code == 2
    assert "is the library itself" in refused.err
