"""Commands that are given the URL of a library in PostgreSQL."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.roots import list_roots

pytestmark = pytest.mark.servers

Sightline = Callable[..., Any]


@pytest.fixture
def url(postgres_url: str) -> str:
    """The URL of an empty database, with a password, which the server does not ask for."""
    return postgres_url.replace("@", ":hidden@")


@pytest.fixture
def photos(url: str, album: Path) -> str:
    """The URL of a library of four pictures."""
    with Library.open(url, create=True) as library:
        index(library, album, FakeEncoder())
    return url


def test_missing_library_is_named_without_its_password(
    sightline: Sightline, url: str, postgres_url: str, indexed: Library, tmp_path: Path
) -> None:
    file = tmp_path / "said.jsonl"
    assert sightline("backup", file, "--library", indexed.path).code == 0
    for command in (("restore", file, "--dry-run"), ("merge", indexed.path, "--dry-run"), ("search", "red")):
        refused = sightline(*command, "--library", url)
        assert refused.code == 2
        assert f"There is no library at {postgres_url}." in refused.err
        assert "hidden" not in refused.err


def test_snapshots_are_listed_also_while_the_server_is_away(
    sightline: Sightline, photos: str, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sightline("backup", "--list", "--library", photos).code == 1
    assert sightline("tag", album / "red.png", "warm", "--library", photos).code == 0
    monkeypatch.setattr(Library, "open", None)
    (line,) = sightline("backup", "--list", "--library", photos).lines
    assert Path(line.split("  ")[0]).is_file()
    assert line.endswith("1 picture with tags or a rating")


def test_folder_that_is_away_is_one_of_the_library(sightline: Sightline, photos: str, album: Path) -> None:
    library = ("--library", photos)
    album.rename(album.with_name("unmounted"))
    assert sightline("jobs", "add", "index", album, *library).lines == [f"1  queued  index {album}"]
    assert sightline("jobs", "add", "forget", album, *library).lines == [f"2  queued  forget {album}"]
    accepted = sightline("index", album, "--accept-missing", "--json", *library)
    assert (accepted.code, accepted.record["missing"]) == (0, 4)


def test_folder_that_was_renamed_is_not_added_again(
    sightline: Sightline, photos: str, postgres_url: str, album: Path
) -> None:
    library, moved = ("--library", photos), album.with_name("pictures")
    album.rename(moved)
    refused = sightline("index", moved, *library)
    assert refused.code == 2
    assert f"{moved} has files of {album}, a folder of the library, which this machine has at {moved}" in refused.err
    assert (
        f"`sightline --library {postgres_url} move-root {album} {moved}` says it was moved, and with --here"
        in refused.err
    )
    assert sightline("move-root", album, moved, *library).code == 0
    assert sightline("index", moved, "--json", *library).record["unchanged"] == 4


@pytest.mark.parametrize("exists", [True, False])
def test_folder_that_is_away_is_watched_if_the_library_has_it(
    sightline: Sightline, photos: str, album: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    monkeypatch.setattr("cli.watching.Watcher.watch", lambda *_: None)
    folder = album if exists else album.with_name("nowhere")
    album.rename(album.with_name("unmounted"))
    answer = sightline("watch", folder, "--library", photos)
    assert (answer.code, "There is no folder" in answer.err) == ((0, False) if exists else (2, True))


def test_library_on_a_server_is_merged_into_a_folder(
    sightline: Sightline, photos: str, postgres_url: str, album: Path, tmp_path: Path
) -> None:
    merged = sightline("merge", photos, "--library", tmp_path / "here")
    assert (merged.code, merged.err) == (0, "")
    assert merged.lines[0] == "Added 4 pictures; 0 are here already"
    with Library.open(tmp_path / "here") as library:
        assert [root.path for root in list_roots(library)] == [album]
    refused = sightline("merge", photos, "--library", photos)
    assert (refused.code, f"{postgres_url} is the library itself" in refused.err) == (2, True)


def test_judge_names_the_library_without_its_password(
    sightline: Sightline, photos: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queries.txt").write_text("red\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO("r\nw\n"))
    judged = sightline("judge", tmp_path / "queries.txt", "--out", tmp_path / "judged", "-k", "2", "--library", photos)
    assert judged.lines[-1] == f"Evaluate with: `sightline eval {tmp_path / 'judged'} --library {postgres_url}`"
