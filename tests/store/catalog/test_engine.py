"""Transactions and the configuration of SQLite."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from core.errors import LibraryUnusable
from store import Library
from store.catalog.engine import make_engine
from store.catalog.tables import LibraryState
from store.catalog.transactions import writing
from store.library import mark_changed

WRITERS, ROUNDS = 8, 15


def in_threads(number: int, work: Callable[[], None]) -> None:
    """Run `work` in several threads at once and wait for all of them."""
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_concurrent_read_modify_write_transactions_lose_no_update(library: Library) -> None:
    """Each thread increments a value it has read, over its own connection."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with Library.open(library.path) as own:
                for _ in range(ROUNDS):
                    with own.transaction() as connection:
                        before = connection.scalar(select(LibraryState.revision)) or 0
                        connection.execute(text("UPDATE library SET revision = :next"), {"next": before + 1})
        except BaseException as exc:
            failures.append(exc)

    in_threads(WRITERS, work)
    assert failures == []
    assert library.revision() == WRITERS * ROUNDS


@pytest.mark.sqlite("its pragmas and locks")
def test_several_connections_can_create_the_same_database(tmp_path: Path) -> None:
    """SQLite does not wait when it enables write-ahead logging: of 400 connections here, dozens would fail."""
    makers, rounds = 4, 100
    failures: list[BaseException] = []
    together = threading.Barrier(makers)

    def work() -> None:
        for number in range(rounds):
            together.wait()
            try:
                with make_engine(tmp_path / f"{number}.sqlite").connect() as connection:
                    assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            except BaseException as exc:
                failures.append(exc)

    in_threads(makers, work)
    assert failures == []


def test_several_threads_can_create_the_same_library(tmp_path: Path) -> None:
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


@pytest.mark.sqlite("its pragmas and locks")
def test_sqlite_configuration(library: Library) -> None:
    with library.read() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 60_000}


def test_a_reader_has_a_consistent_view(library: Library) -> None:
    with library.read() as reader:
        before = reader.scalar(select(LibraryState.revision))
        with library.transaction() as connection:
            mark_changed(connection)
        assert reader.scalar(select(LibraryState.revision)) == before
    assert library.revision() == (before or 0) + 1


def test_a_transaction_is_rolled_back_on_an_exception(library: Library) -> None:
    with pytest.raises(KeyError), library.transaction() as connection:
        mark_changed(connection)
        raise KeyError("half way")
    assert library.revision() == 0


@pytest.mark.sqlite("its pragmas and locks")
def test_a_full_disk_raises_library_unusable_and_changes_nothing(library: Library) -> None:
    engine = library.backend.engine
    library.close()

    @event.listens_for(engine, "connect")
    def small_disk(connection: object, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    with pytest.raises(LibraryUnusable, match="the disk is full"), library.transaction() as connection:
        mark_changed(connection)
        connection.execute(text("CREATE TABLE big (blob BLOB)"))
        connection.execute(text("INSERT INTO big VALUES (zeroblob(1000000))"))
    event.remove(engine, "connect", small_disk)
    assert library.revision() == 0


@pytest.mark.sqlite("its pragmas and locks")
def test_page_size_of_new_and_existing_databases(tmp_path: Path, library: Library) -> None:
    with library.read() as connection:
        assert connection.exec_driver_sql("PRAGMA page_size").scalar_one() == 8192
        assert connection.exec_driver_sql("PRAGMA journal_size_limit").scalar_one() == 64 << 20
    old = sqlite3.connect(tmp_path / "old.sqlite")
    old.execute("CREATE TABLE photos (id INTEGER)")
    old.close()
    engine = make_engine(tmp_path / "old.sqlite")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA page_size").scalar_one() == 4096
    engine.dispose()


@pytest.mark.sqlite("its pragmas and locks")
def test_a_commit_that_fails_does_not_block_the_next_transaction(library: Library) -> None:
    """SQLite leaves the transaction open: the error of the commit must not become one of the next transaction."""
    with library.connect() as connection:
        with pytest.raises(IntegrityError, match="FOREIGN KEY"), writing(connection):
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            connection.execute(text("INSERT INTO content_tags (tag_id, content_id, source) VALUES (77, 77, 'user')"))
        with writing(connection):
            connection.execute(text("UPDATE library SET revision = 5"))
    assert library.revision() == 5
