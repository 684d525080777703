"""How Sightline talks to its database: engine, transactions, and the mapping of the driver's errors.

SQLite begins a transaction as a reader by default; when it then wants to write while another process does, it fails at
once, without waiting. Writers here therefore say `BEGIN IMMEDIATE`, and wait for their turn (measured: 90 of 120 failed
deferred, 0 of 120 immediate).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from core.errors import LibraryUnusable
from store.catalog.sql_functions import register_functions

__all__ = ["driver_errors", "make_engine", "reading", "sqlite_url", "writing"]

BUSY_TIMEOUT_SECONDS = 60
"""How long one writer waits for another; each transaction here takes well under a second."""

PAGE_BYTES = 8192
"""Twice SQLite's own: of vectors of 2 kB (512 dimensions of 32 bits) only one would fit into a page of 4 kB, and half
of the file would be empty (measured: 413 MB for 100,000, with these pages 276 MB and two thirds of the time)."""

LOG_KEPT_BYTES = 64 * 1024 * 1024
"""How large the write-ahead log may stay after a very large transaction, such as an import."""

_WRITES = "sightline_writes"


def sqlite_url(file: Path) -> URL:
    """The URL of a database file, whatever signs are in its name.

    On a read-only disk SQLite cannot make the files that readers and writers share, and would refuse to read at all; it
    is told that nothing changes there. Unless a log was left behind: that must be read too. A folder in which only
    others may write is another matter: they may write at any time.
    """
    log = file.with_name(file.name + "-wal")
    if not file.exists() or log.exists() or not os.statvfs(file.parent).f_flag & os.ST_RDONLY:
        return URL.create("sqlite", database=str(file))
    name = f"file:{quote(os.fsencode(file))}"
    return URL.create("sqlite", database=name, query={"immutable": "1", "uri": "true"})


def make_engine(url: str | URL) -> Engine:
    """An engine for any SQLAlchemy `url`; SQLite gets write-ahead logging, foreign keys and immediate writers."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own; _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new database; that of an old one stays
    _write_ahead(cursor)
    cursor.execute(f"PRAGMA journal_size_limit = {LOG_KEPT_BYTES}")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    register_functions(connection)


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Turns write-ahead logging on, for good. SQLite does not wait for its turn at that (39 of 600 failed at once)."""
    deadline = monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
        sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(connection: Connection) -> Iterator[Connection]:
    """One consistent view of the catalogue."""
    connection.execution_options(**{_WRITES: False})
    with connection.begin():
        yield connection


@contextmanager
def writing(connection: Connection) -> Iterator[Connection]:
    """One transaction that may write: all of it or none of it."""
    connection.execution_options(**{_WRITES: True})
    with connection.begin():
        yield connection


@contextmanager
def driver_errors(path: Path) -> Iterator[None]:
    """Turns the driver's errors (damaged file, no permission, disk full) into `LibraryUnusable`."""
    try:
        yield
    except DBAPIError as exc:
        raise LibraryUnusable(path, str(exc.orig)) from exc
