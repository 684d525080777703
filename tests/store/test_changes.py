"""Whether a library has changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import LibraryUnusable
from store import Library
from store.albums import AlbumRecord, save_album
from store.changes import Changes
from store.library import bump


def test_the_number_is_another_one_after_each_change(library: Library) -> None:
    changes = Changes(library)
    seen = [changes.number()]
    with library.write() as connection:
        bump(connection)
        assert changes.number() == seen[-1], "it is no change before it is written"
    seen.append(changes.number())
    with library.write() as connection:
        save_album(connection, AlbumRecord("mine", "a beach", None, 100, is_ranked=True))  # of no matter for a search
    seen.append(changes.number())
    with closing(sqlite3.connect(library.path / "catalog.sqlite")) as other, other:
        other.execute("UPDATE albums SET name = 'yours'")  # as another process does
    seen.append(changes.number())
    assert len(set(seen)) == 4
    with library.read() as connection:
        connection.exec_driver_sql("SELECT * FROM albums")
    assert changes.number() == changes.number() == seen[-1]
    changes.close()


def test_it_keeps_nobody_from_writing_and_can_be_asked_again(library: Library) -> None:
    changes = Changes(library)
    assert isinstance(changes.number(), int)
    with library.write() as connection:
        bump(connection)
    with library.connect() as connection:
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        assert busy == 0, "a view of the past is held open"
    changes.close()
    assert isinstance(changes.number(), int)
    changes.close()


def test_a_catalogue_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library", create=True)
    library.close()
    (tmp_path / "library" / "catalog.sqlite").unlink()
    (tmp_path / "library" / "catalog.sqlite").mkdir()
    with pytest.raises(LibraryUnusable):
        Changes(library).number()
