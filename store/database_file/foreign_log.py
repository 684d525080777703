"""Whether a write-ahead log belongs to the database file beside it.

SQLite applies any log with valid checksums, also that of another database, or one that is newer than a file from a
backup. It is asked only when no process has the database open: after a crash, and after files were copied.
"""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from store.catalog.engine import is_damage
from store.catalog.read_only import DatabaseFileState
from store.catalog.sql_functions import register_functions
from store.database_file.pages import Pages
from store.database_file.salvage import Salvage, read_shapes, stored_schema
from store.database_file.uri import read_only_uri

__all__ = ["first_fault", "has_foreign_log", "is_in_use"]

_SHARED_LOCK_OFFSET, _SHARED_LOCK_BYTES = 0x40000002, 510
"""The bytes of a database file that every open connection locks (https://www.sqlite.org/lockingv3.html)."""


def has_foreign_log(file: Path) -> bool:
    """Return whether the log of a database belongs to another one, or to another state of this one.

    No connection to `file` may be open in this process, nor be opened in the meantime: closing the file would release
    its locks. While another process has the database open, or opens it in the meantime, the answer is False.
    """
    log = file.with_name(file.name + "-wal")
    try:
        if not log.stat().st_size or not file.stat().st_size or is_in_use(file):
            return False
        state = DatabaseFileState.of(file)
        return _is_foreign(file, log) and DatabaseFileState.of(file) == state
    except (OSError, sqlite3.Error):  # what uses the database next says what is wrong
        return False


def _is_foreign(file: Path, log: Path) -> bool:
    with Pages(file) as alone, Pages(file, log=log) as merged:
        if not merged.changed:
            return False
        before, after = _created_at(alone), _created_at(merged)
        if before is not None and before != after:
            return True
        was_replaced = file.stat().st_ctime_ns > log.stat().st_ctime_ns
        if not was_replaced or all(alone.page(number) == page for number, page in merged.changed.items()):
            return False
    # Either a process was killed while it moved the log into the file, or the file is newer than the log.
    return first_fault(file) is not None and first_fault(file, immutable=True) is None


def is_in_use(file: Path) -> bool:
    """Return whether another process has the database open. Always False on Windows, where such a file cannot be moved.

    Raises `OSError`.
    """
    if os.name == "nt":
        return False
    import fcntl

    with file.open("rb+") as opened:
        try:
            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_LOCK_BYTES, _SHARED_LOCK_OFFSET)
        except OSError as exc:
            if exc.errno in (errno.EAGAIN, errno.EACCES):
                return True
            raise
    return False


def first_fault(file: Path, *, immutable: bool = False) -> str | None:
    """Return the first fault of a database, or None; with `immutable`, as it is without its log. Nothing is written.

    Raises `sqlite3.Error` for anything but damage.
    """
    try:
        with closing(sqlite3.connect(read_only_uri(file, immutable=immutable), uri=True, timeout=60)) as connection:
            register_functions(connection)
            if connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None:
                return "it contains no tables"
            (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if problem != "ok":
                return " ".join(str(problem).split())
            row = connection.execute("PRAGMA foreign_key_check").fetchone()
            return None if row is None else f"{row[0]} row {row[1]} refers to a missing row of {row[2]}"
    except sqlite3.Error as exc:
        if is_damage(exc):
            return str(exc)
        raise


def _created_at(pages: Pages) -> object:
    """Return when the library was created, which identifies it; None if that cannot be read."""
    shape = read_shapes(stored_schema(pages)).get("library")
    rows = [] if shape is None else list(Salvage(pages, {}).rows(shape))
    names = [] if shape is None else [column.name for column in shape.columns]
    return rows[0][1][names.index("created_at")] if len(rows) == 1 else None
