"""The SQLite engine: configuration, transactions, and the translation of driver errors.

By default SQLite begins a transaction as a reader. If it then wants to write while another process writes, it fails
immediately, without waiting. Write transactions therefore begin with `BEGIN IMMEDIATE`, which waits (measured with
concurrent writers: 90 of 120 deferred transactions failed, and 0 of 120 immediate ones).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import LibraryBusy, LibraryDamaged, LibraryReadOnly, LibraryUnusable
from store.catalog.sql_functions import register_functions
from store.catalog.transactions import is_writing

__all__ = [
    "BUSY_TIMEOUT_SECONDS",
    "begin_sqlite",
    "driver_errors",
    "is_damage",
    "library_error",
    "make_engine",
]

BUSY_TIMEOUT_SECONDS = 60
"""How long a write transaction waits for another. Most take well under a second."""

PAGE_BYTES = 8192
"""Twice the default of SQLite: only one vector of 2 kB (512 dimensions of 32 bits) fits into a page of 4 kB, and half
of the file stays empty (measured for 100,000 vectors: 413 MB; with 8 kB, 276 MB and two thirds of the time)."""

MAX_LOG_BYTES = 64 * 1024 * 1024
"""Size to which the write-ahead log is truncated after a very large transaction, such as an import."""


def make_engine(file: Path) -> Engine:
    """Return an engine for a SQLite file, with write-ahead logging, foreign keys and immediate write transactions."""
    engine = create_engine(URL.create("sqlite", database=str(file)))
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions; begin_sqlite does
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


def begin_sqlite(connection: Connection) -> None:
    """Begin a transaction as `store.catalog.transactions` asks for it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing(connection) else "BEGIN")


_FAULTS = {
    sqlite3.SQLITE_BUSY: "another program is writing to its catalogue",
    sqlite3.SQLITE_LOCKED: "another program is writing to its catalogue",
    sqlite3.SQLITE_READONLY: "it may not be written to",
    sqlite3.SQLITE_IOERR: "its catalogue cannot be read or written (input/output error)",
    sqlite3.SQLITE_CORRUPT: "its catalogue is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "its catalogue cannot be opened",
    sqlite3.SQLITE_NOTADB: "its catalogue is damaged: it is not a database",
}
"""Primary result code of SQLite -> what is wrong with a library (https://www.sqlite.org/rescode.html)."""


_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}


def is_damage(exc: sqlite3.Error) -> bool:
    """Return whether the file is damaged, or not returned by the disk. A full disk and refused locks are no damage."""
    code = getattr(exc, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGE or code in _UNREADABLE


def library_error(path: Path, exc: BaseException | None) -> LibraryUnusable:
    """Return the error for what the driver raised (`sqlite3.Error`) for the library at `path`."""
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    if code is None:
        return LibraryUnusable(path, str(exc))
    primary = code & 0xFF  # of an extended code
    reason = _FAULTS.get(primary, str(exc))
    if isinstance(exc, sqlite3.Error) and is_damage(exc):
        return LibraryDamaged(path, reason)
    return LibraryReadOnly(path, reason) if primary == sqlite3.SQLITE_READONLY else LibraryUnusable(path, reason)


@contextmanager
def driver_errors(path: Path) -> Iterator[None]:
    """Translate driver errors to `LibraryDamaged`, `LibraryReadOnly` or `LibraryUnusable`, and pool timeouts.

    These become `LibraryBusy`.
    """
    try:
        yield
    except DBAPIError as exc:
        raise library_error(path, exc.orig) from exc
    except PoolTimeout as exc:
        raise LibraryBusy(path) from exc
