"""Catalogues that this process may read, but not change: on read-only media, or in a folder of another user."""

import os
import sqlite3
from pathlib import Path
from time import sleep
from typing import NamedTuple, Self

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from core.errors import LibraryUnusable
from store.catalog.engine import BUSY_TIMEOUT_SECONDS, begin_sqlite
from store.catalog.sql_functions import register_functions
from store.database_file.uri import read_only_uri

__all__ = ["DatabaseFileState", "make_read_only_engine", "why_read_only"]


UNREADABLE_LOG = (
    "its last changes are in a write-ahead log that cannot be read without write permission. Open it once where it may "
    "be written to"
)


OPENING_TRIES = 20
OPENING_SECONDS = 0.01
"""For this time, SQLite may have one of the two files that belong to a log, but not the other one."""


class DatabaseFileState(NamedTuple):
    """What changes with the files of a catalogue: numbers, sizes and times of the database and of its log."""

    database: tuple[int, int, int] | None
    log: tuple[int, int, int] | None

    @property
    def has_log(self) -> bool:
        """Whether there is a write-ahead log: SQLite can then read while the owner writes."""
        return self.log is not None

    @classmethod
    def of(cls, file: Path) -> Self:
        """Return the state of the catalogue `file`. An empty log that no process uses counts as none."""
        log = _facts(file.with_name(file.name + "-wal"))
        is_unused = log is not None and not log[1] and not _shared_index(file).exists()
        return cls(_facts(file), None if is_unused else log)


def why_read_only(file: Path) -> str | None:
    """Return why the existing catalogue `file` cannot be changed; None if it can, or does not exist."""
    folder = file.parent
    if not file.exists():
        return None
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return "its disk is read-only"
    for path, name in ((folder, "folder"), (file, "catalogue")):
        if not os.access(path, os.W_OK):
            return f"you may not write to its {name}"
    return None


def make_read_only_engine(file: Path) -> Engine:
    """Return an engine that only reads. Each connection checks first whether the owner has the catalogue open."""
    engine = create_engine("sqlite://", creator=lambda: _connect(file), poolclass=NullPool)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def _connect(file: Path) -> sqlite3.Connection:
    """Connect so that SQLite needs no write permission.

    It needs the files that readers and writers share. They exist while the owner has the catalogue open, and after a
    crash. Without them no process writes, so that the catalogue can be declared immutable. Raises `LibraryUnusable` for
    a log without the file that is needed to read it.
    """
    has_log = DatabaseFileState.of(file).has_log
    for _ in range(OPENING_TRIES):
        if not has_log or _shared_index(file).exists():
            break
        sleep(OPENING_SECONDS)  # the owner may be about to open or to close the catalogue
        has_log = DatabaseFileState.of(file).has_log
    else:
        raise LibraryUnusable(file.parent, UNREADABLE_LOG)
    uri = read_only_uri(file, immutable=not has_log)
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
    connection.isolation_level = None
    register_functions(connection)
    return connection


def _shared_index(file: Path) -> Path:
    """Return the file with which readers and writers find their way in the log."""
    return file.with_name(file.name + "-shm")


def _facts(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
