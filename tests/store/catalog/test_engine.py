"""Transactions: writers wait for each other instead of failing."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from core.errors import LibraryUnusable
from store import Library
from store.catalog.engine import make_engine, sqlite_url
from store.catalog.tables import LibraryState
from store.library import bump

WRITERS, ROUNDS = 8, 15


def in_threads(number: int, work: Callable[[], None]) -> None:
    """Does the same work in several threads at once, and waits for all of them."""
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_writers_that_read_first_never_fail(library: Library) -> None:
    """Each adds one to what it read, in its own connection: no failure, and no update lost."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with Library.open(library.path) as own:
                for _ in range(ROUNDS):
                    with own.write() as connection:
                        before = connection.scalar(select(LibraryState.revision)) or 0
                        connection.execute(text("UPDATE library SET revision = :next"), {"next": before + 1})
        except BaseException as exc:
            failures.append(exc)

    in_threads(WRITERS, work)
    assert failures == []
    assert library.revision() == WRITERS * ROUNDS


def test_a_new_database_can_be_made_by_several_at_once(tmp_path: Path) -> None:
    """SQLite does not wait its turn when it begins to write ahead: of 400 connections here, dozens would fail."""
    makers, rounds = 4, 100
    failures: list[BaseException] = []
    together = threading.Barrier(makers)

    def work() -> None:
        for number in range(rounds):
            together.wait()
            try:
                with make_engine(sqlite_url(tmp_path / f"{number}.sqlite")).connect() as connection:
                    assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            except BaseException as exc:
                failures.append(exc)

    in_threads(makers, work)
    assert failures == []


def test_many_may_make_the_same_library_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(6)

    def work() -> None:
        try:
            start.wait()
            Library.open(tmp_path / "new", create=True).close()
        except BaseException as exc:
            failures.append(exc)

    in_threads(6, work)
    assert failures == []
    with Library.open(tmp_path / "new") as library, library.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM library")).scalar_one() == 1


def test_sqlite_is_set_up_for_many_readers_and_foreign_keys(library: Library) -> None:
    with library.read() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 60_000}


def test_a_reader_sees_one_moment(library: Library) -> None:
    with library.read() as reader:
        before = reader.scalar(select(LibraryState.revision))
        with library.write() as writer:
            bump(writer)
        assert reader.scalar(select(LibraryState.revision)) == before
    assert library.revision() == (before or 0) + 1


def test_a_transaction_that_raises_leaves_nothing(library: Library) -> None:
    with pytest.raises(KeyError), library.write() as connection:
        bump(connection)
        raise KeyError("half way")
    assert library.revision() == 0


def test_a_full_disk_is_said_so_and_changes_nothing(library: Library) -> None:
    engine = library._engine
    library.close()

    @event.listens_for(engine, "connect")
    def small_disk(connection: object, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    with pytest.raises(LibraryUnusable, match="full"), library.write() as connection:
        bump(connection)
        connection.execute(text("CREATE TABLE big (blob BLOB)"))
        connection.execute(text("INSERT INTO big VALUES (zeroblob(1000000))"))
    event.remove(engine, "connect", small_disk)
    assert library.revision() == 0


def test_pages_hold_more_than_one_vector_and_old_ones_stay(tmp_path: Path, library: Library) -> None:
    with library.read() as connection:
        assert connection.exec_driver_sql("PRAGMA page_size").scalar_one() == 8192
        assert connection.exec_driver_sql("PRAGMA journal_size_limit").scalar_one() == 64 << 20
    old = sqlite3.connect(tmp_path / "old.sqlite")
    old.execute("CREATE TABLE photos (id INTEGER)")
    old.close()
    engine = make_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA page_size").scalar_one() == 4096
    engine.dispose()
