"""The SQLite engine: configuration, transactions, and the translation of driver errors.

By default SQLite begins a transaction as a reader. If it then wants to write while another process writes, it fails
immediately, without waiting. Write transactions therefore begin with `BEGIN IMMEDIATE`, which waits (measured with
concurrent writers: 90 of 120 deferred transactions failed, and 0 of 120 immediate ones).
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
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import LibraryBusy, LibraryUnusable
from store.catalog.sql_functions import register_functions

__all__ = ["driver_errors", "make_engine", "reading", "sqlite_url", "writing"]

BUSY_TIMEOUT_SECONDS = 60
"""How long a write transaction waits for another. Most take well under a second."""

PAGE_BYTES = 8192
"""Twice the default of SQLite: only one vector of 2 kB (512 dimensions of 32 bits) fits into a page of 4 kB, and half
of the file stays empty (measured for 100,000 vectors: 413 MB; with 8 kB, 276 MB and two thirds of the time)."""

MAX_LOG_BYTES = 64 * 1024 * 1024
"""Size to which the write-ahead log is truncated after a very large transaction, such as an import."""

_WRITES = "sightline_writes"


def sqlite_url(file: Path) -> URL:
    """Return the URL of a database file, for any file name.

    On a read-only file system, SQLite cannot create the files shared by readers and writers, and refuses to read. The
    URL then declares the file immutable, unless there is a write-ahead log, which must be read too. This does not apply
    to a folder without write permission: other users may write to it at any time.
    """
    log = file.with_name(file.name + "-wal")
    if not file.exists() or log.exists() or not os.statvfs(file.parent).f_flag & os.ST_RDONLY:
        return URL.create("sqlite", database=str(file))
    name = f"file:{quote(os.fsencode(file))}"
    return URL.create("sqlite", database=name, query={"immutable": "1", "uri": "true"})


def make_engine(file: Path) -> Engine:
    """Return an engine for a SQLite file, with write-ahead logging, foreign keys and immediate write transactions."""
    engine = create_engine(sqlite_url(file))
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions; _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # only affects a new database
    _enable_write_ahead_log(cursor)
    cursor.execute(f"PRAGMA journal_size_limit = {MAX_LOG_BYTES}")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    register_functions(connection)


def _enable_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    """Enable write-ahead logging permanently. SQLite does not wait for locks here (39 of 600 attempts failed)."""
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
    """Yield `connection` within a read transaction: one consistent view of the catalogue."""
    connection.execution_options(**{_WRITES: False})
    with connection.begin():
        yield connection


@contextmanager
def writing(connection: Connection) -> Iterator[Connection]:
    """Yield `connection` within a write transaction, which is rolled back on an exception."""
    connection.execution_options(**{_WRITES: True})
    with connection.begin():
        yield connection


@contextmanager
def driver_errors(path: Path) -> Iterator[None]:
    """Translate driver errors (damaged file, full disk, ...) to `LibraryUnusable`, pool timeouts to `LibraryBusy`."""
    try:
        yield
    except DBAPIError as exc:
        raise LibraryUnusable(path, str(exc.orig)) from exc
    except PoolTimeout as exc:
        raise LibraryBusy(path) from exc
