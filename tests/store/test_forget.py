"""Forgetting: what the library gives up, and what it keeps because a copy needs it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.errors import NothingKnown
from encoders.fake import FakeEncoder
from indexer.pipeline import index
from store import Library
from store.catalog.tables import Content, Embedding, Failure, Picture, Root
from store.check import verify
from store.forget import forget
from store.queries import counts


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


def test_one_picture(filled: Library, album: Path) -> None:
    before = filled.revision()
    assert forget(filled, album / "red.png") == 1
    assert known(filled) == ["blue.png", "broken.png", "green.png", "more/yellow.png"]
    assert rows(filled, Content) == rows(filled, Embedding) == 3
    assert (album / "red.png").exists()
    assert filled.revision() > before  # so that indexes follow
    index(filled, [album], FakeEncoder())
    assert len(known(filled)) == 5
    assert verify(filled) == []


def test_a_folder_within_a_root(filled: Library, album: Path) -> None:
    assert forget(filled, album / "more") == 1
    assert known(filled) == ["blue.png", "broken.png", "green.png", "red.png"]
    assert rows(filled, Root) == 1


def test_a_whole_root_with_its_failures(filled: Library, album: Path) -> None:
    assert forget(filled, album) == 5
    assert [rows(filled, table) for table in (Root, Picture, Content, Embedding, Failure)] == [0, 0, 0, 0, 0]


def test_every_root_beneath_a_folder(library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]) -> None:
    paint(tmp_path / "album-2" / "white.png", "white")
    index(library, [album, tmp_path / "album-2"], FakeEncoder())
    assert forget(library, tmp_path) == 5
    assert rows(library, Root) == 0


def test_a_root_that_begins_alike_is_another(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    paint(tmp_path / "album-2" / "white.png", "white")
    index(library, [album, tmp_path / "album-2"], FakeEncoder())
    assert forget(library, album) == 4
    assert rows(library, Picture) == rows(library, Root) == 1


def test_a_copy_elsewhere_keeps_the_vector(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    paint(tmp_path / "copies" / "red.png", "red")
    index(library, [album, tmp_path / "copies"], FakeEncoder())
    forget(library, album)
    assert rows(library, Content) == rows(library, Embedding) == 1
    assert index(library, [album], FakeEncoder()).embedded == 3


def test_only_what_is_missing(filled: Library, album: Path) -> None:
    (album / "red.png").unlink()
    (album / "more" / "yellow.png").unlink()
    index(filled, [album], FakeEncoder())
    assert forget(filled, album, missing_only=True, dry_run=True) == 2
    assert sum(counts(filled).values()) == 5
    assert forget(filled, album, missing_only=True) == 2
    assert known(filled) == ["blue.png", "broken.png", "green.png"]
    assert rows(filled, Root) == 1


@pytest.mark.parametrize("path", ["", "more", "red.png"])
def test_nothing_missing_is_nothing_to_forget(filled: Library, album: Path, path: str) -> None:
    """All is well, and no error: a script that forgets what is missing every night."""
    assert forget(filled, album / path, missing_only=True) == 0
    assert len(known(filled)) == 5


def test_a_rehearsal_changes_nothing(filled: Library, album: Path) -> None:
    before = filled.revision()
    assert forget(filled, album, dry_run=True) == 5
    assert len(known(filled)) == 5
    assert filled.revision() == before


@pytest.mark.parametrize("path", ["none.png", "mor", "../elsewhere", "red.png/x"])
def test_what_is_not_known_cannot_be_forgotten(filled: Library, album: Path, path: str) -> None:
    with pytest.raises(NothingKnown) as caught:
        forget(filled, album / path)
    assert caught.value.path == Path(os.path.abspath(album / path))  # noqa: PTH100
    assert len(known(filled)) == 5


def test_relative_paths(filled: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    assert forget(filled, Path("more/../red.png")) == 1
