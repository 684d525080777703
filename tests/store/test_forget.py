"""Removing pictures from the library, and keeping the vectors of copies."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.errors import PathNotIndexed
from encoders.fake import FakeEncoder
from indexer.pipeline import index
from store import Library
from store.catalog.tables import Content, Embedding, Failure, Picture, Root
from store.check import verify
from store.queries import count_by_state
from tests.support.writers import run_forget


def known(library: Library) -> list[str]:
    with library.read() as connection:
        rows = connection.execute(select(Root.path, Picture.relpath).join(Root)).all()
    return sorted(os.fsdecode(row.path + b"/" + row.relpath).rpartition("album/")[2] for row in rows)


def rows(library: Library, table: type) -> int:
    with library.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def filled(library: Library, album: Path) -> Library:
    (album / "broken.png").write_bytes(b"no picture")
    index(library, [album], FakeEncoder())
    return library


def test_forget_one_picture(filled: Library, album: Path) -> None:
    before = filled.revision()
    assert run_forget(filled, album / "red.png") == 1
    assert known(filled) == ["blue.png", "broken.png", "green.png", "more/yellow.png"]
    assert rows(filled, Content) == rows(filled, Embedding) == 3
    assert (album / "red.png").exists()
    assert filled.revision() > before  # so index files are updated
    index(filled, [album], FakeEncoder())
    assert len(known(filled)) == 5
    assert verify(filled) == []


def test_forget_a_folder_within_a_root(filled: Library, album: Path) -> None:
    assert run_forget(filled, album / "more") == 1
    assert known(filled) == ["blue.png", "broken.png", "green.png", "red.png"]
    assert rows(filled, Root) == 1


def test_forget_a_root_with_its_failures(filled: Library, album: Path) -> None:
    assert run_forget(filled, album) == 5
    assert [rows(filled, table) for table in (Root, Picture, Content, Embedding, Failure)] == [0, 0, 0, 0, 0]


def test_forget_every_root_below_a_folder(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    paint(tmp_path / "album-2" / "white.png", "white")
    index(library, [album, tmp_path / "album-2"], FakeEncoder())
    assert run_forget(library, tmp_path) == 5
    assert rows(library, Root) == 0


def test_forget_keeps_a_root_with_the_same_prefix(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    paint(tmp_path / "album-2" / "white.png", "white")
    index(library, [album, tmp_path / "album-2"], FakeEncoder())
    assert run_forget(library, album) == 4
    assert rows(library, Picture) == rows(library, Root) == 1


def test_forget_keeps_the_vector_of_a_copy_elsewhere(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    paint(tmp_path / "copies" / "red.png", "red")
    index(library, [album, tmp_path / "copies"], FakeEncoder())
    run_forget(library, album)
    assert rows(library, Content) == rows(library, Embedding) == 1
    assert index(library, [album], FakeEncoder()).embedded == 3


def test_missing_only_keeps_present_pictures(filled: Library, album: Path) -> None:
    (album / "red.png").unlink()
    (album / "more" / "yellow.png").unlink()
    index(filled, [album], FakeEncoder())
    assert run_forget(filled, album, missing_only=True, dry_run=True) == 2
    assert sum(count_by_state(filled).values()) == 5
    assert run_forget(filled, album, missing_only=True) == 2
    assert known(filled) == ["blue.png", "broken.png", "green.png"]
    assert rows(filled, Root) == 1


@pytest.mark.parametrize("path", ["", "more", "red.png"])
def test_missing_only_with_nothing_missing_returns_zero(filled: Library, album: Path, path: str) -> None:
    """Not an error: a script may forget missing pictures every night."""
    assert run_forget(filled, album / path, missing_only=True) == 0
    assert len(known(filled)) == 5


def test_dry_run_changes_nothing(filled: Library, album: Path) -> None:
    before = filled.revision()
    assert run_forget(filled, album, dry_run=True) == 5
    assert len(known(filled)) == 5
    assert filled.revision() == before


@pytest.mark.parametrize("path", ["none.png", "mor", "../elsewhere", "red.png/x"])
def test_forgetting_an_unknown_path_raises(filled: Library, album: Path, path: str) -> None:
    with pytest.raises(PathNotIndexed) as caught:
        run_forget(filled, album / path)
    assert caught.value.path == Path(os.path.abspath(album / path))  # noqa: PTH100
    assert len(known(filled)) == 5


def test_forget_accepts_relative_paths(filled: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    assert run_forget(filled, Path("more/../red.png")) == 1
