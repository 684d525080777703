"""A library on a stick with its pictures, which is mounted elsewhere and cannot be changed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.check import verify
from store.roots import folder_roots

pytestmark = pytest.mark.sqlite("a library that is carried along is a folder")

Paint = Callable[..., Path]


@pytest.fixture
def stick(tmp_path: Path, empty_library: Path, paint: Paint) -> Path:
    """A stick with pictures in two folders, and a library of them."""
    stick = tmp_path / "anna" / "STICK"
    paint(stick / "Photos" / "2021" / "red.png", "red")
    paint(stick / "Photos" / "blue.png", "blue")
    paint(stick / "Scans" / "green.png", "green")
    shutil.copytree(empty_library, stick / "library")
    with Library.open(stick / "library") as library:
        index(library, [stick / "Photos", stick / "Scans"], FakeEncoder())
    return stick


def mounted(stick: Path, place: Path, patch: pytest.MonkeyPatch) -> Path:
    """Mount the stick elsewhere, read-only. `os.access` is replaced, because root may write everywhere."""
    place.parent.mkdir(parents=True, exist_ok=True)
    stick.rename(place)
    may_write = os.access
    refused = {place / "library", place / "library" / "catalog.sqlite"}
    patch.setattr(
        os, "access", lambda path, mode: (mode != os.W_OK or Path(path) not in refused) and may_write(path, mode)
    )
    return place


def found(library: Library) -> dict[str, Path]:
    searcher = Searcher(library, FakeEncoder())
    return {word: searcher.search(word)[0].path for word in ("red", "blue", "green")}


@pytest.mark.parametrize("name", ["ben/STICK", "mnt/usb"])
def test_pictures_are_found_where_the_stick_is_mounted_now(
    stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = mounted(stick, tmp_path / name, monkeypatch)
    before = (place / "library" / "catalog.sqlite").read_bytes()
    with Library.open(place / "library") as library:
        assert library.read_only is not None
        assert [path for _, path in folder_roots(library)] == [place / "Photos", place / "Scans"]
        assert found(library) == {
            "red": place / "Photos" / "2021" / "red.png",
            "blue": place / "Photos" / "blue.png",
            "green": place / "Scans" / "green.png",
        }
        assert not verify(library)
    assert (place / "library" / "catalog.sqlite").read_bytes() == before


def test_folders_that_are_still_there_are_kept(stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(stick, tmp_path / "copy")
    copy = mounted(tmp_path / "copy", tmp_path / "ben" / "STICK", monkeypatch)
    with Library.open(copy / "library") as library:
        assert [path for _, path in folder_roots(library)] == [stick / "Photos", stick / "Scans"]


def test_other_pictures_in_a_folder_of_the_same_name_are_not_taken(
    stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = mounted(stick, tmp_path / "ben" / "STICK", monkeypatch)
    (place / "Photos" / "blue.png").write_bytes(b"another picture")
    (place / "Scans" / "green.png").unlink()
    with Library.open(place / "library") as library:
        assert [path for _, path in folder_roots(library)] == [stick / "Photos", stick / "Scans"]


def test_all_of_a_stick_is_a_root(
    tmp_path: Path, empty_library: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "anna" / "STICK"
    paint(stick / "red.png", "red")
    shutil.copytree(empty_library, stick / "library")
    with Library.open(stick / "library") as library:
        index(library, [stick], FakeEncoder())
    place = mounted(stick, tmp_path / "ben" / "STICK", monkeypatch)
    with Library.open(place / "library") as library:
        assert [path for _, path in folder_roots(library)] == [place]


def test_library_that_can_be_changed_waits_for_the_move(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "ben").mkdir()
    stick.rename(tmp_path / "ben" / "STICK")
    with Library.open(tmp_path / "ben" / "STICK" / "library") as library:
        assert [path for _, path in folder_roots(library)] == [stick / "Photos", stick / "Scans"]
