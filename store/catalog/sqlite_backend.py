"""A catalogue in SQLite: a file in the folder of the library.

FOLDER/catalog.sqlite   the catalogue: every record and every vector
FOLDER/*.lock           locks of the operating system, which end with the process that holds them
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import ClassVar, Literal

from sqlalchemy import Connection, Engine, event, text

from core.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryNotFound,
    LibraryOutdated,
    LibraryUnusable,
)
from store.catalog import schema
from store.catalog.backend import ONLY_READ, Backend
from store.catalog.carried_roots import find_carried_roots, show_carried_roots
from store.catalog.engine import BUSY_TIMEOUT_SECONDS, driver_errors, make_engine
from store.catalog.named_locks import FOREVER, WRITER_LOCK, FileNamedLock, NamedLock
from store.catalog.read_only import DatabaseFileState, make_read_only_engine, why_read_only
from store.catalog.transactions import reading, writing

__all__ = ["CATALOG_FILENAME", "DAMAGED_FOLDERS", "FOREIGN_LOG", "SqliteBackend"]

CATALOG_FILENAME = "catalog.sqlite"
SNAPSHOTS_FOLDER = "snapshots"
DAMAGED_FOLDERS = "damaged-*"
"""Pattern of the folders in which a recovery keeps the files of a damaged catalogue."""
FOREIGN_LOG = "its write-ahead log belongs to another catalogue, or to another state of this one"
"""What is wrong if only one of the two files was copied."""


class SqliteBackend(Backend):
    """The catalogue in a folder. `read_only` says why it must not be changed, beside what the disk says."""

    name: ClassVar[Literal["sqlite", "postgresql"]] = "sqlite"
    shares_files: ClassVar[bool] = True

    _counting = Lock()
    _opened: ClassVar[Counter[Path]] = Counter()
    """How many objects of this process may have connections to the catalogue in a folder."""

    def __init__(self, path: Path, read_only: str | None = None) -> None:
        self.path = self.place = path
        self.location = str(path)
        self._file = path / CATALOG_FILENAME
        self._existed = True
        self.read_only = read_only or why_read_only(self._file)
        make = make_engine if self.read_only is None else make_read_only_engine
        self.engine: Engine = make(self._file)
        self._is_counted = True
        self._real_path = Path(os.path.realpath(path))  # the library may be opened through a symbolic link, too
        with self._counting:
            self._opened[self._real_path] += 1

    @classmethod
    def at(cls, path: Path, *, create: bool, only_read: bool) -> "SqliteBackend":
        """Return the backend for the library in a folder, which is made with `create` if it does not exist.

        Raises `LibraryNotFound` and `LibraryUnusable`.
        """
        try:
            path = path.expanduser().absolute()
            exists = (path / CATALOG_FILENAME).exists()
            if not create and not exists:
                raise LibraryNotFound(path)
            if not only_read and why_read_only(path / CATALOG_FILENAME) is None:
                (path / "indexes").mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as exc:  # RuntimeError: `~` cannot be expanded, the user has no home folder
            raise LibraryUnusable(path, str(exc)) from exc
        backend = cls(path, ONLY_READ if only_read else None)
        backend._existed = exists
        return backend

    def origin(self) -> str:
        """Return the number of the folder in its file system, which all its paths share."""
        try:
            status = self.path.stat()
        except OSError as exc:
            raise LibraryUnusable(self.path, str(exc)) from exc
        return f"{status.st_dev} {status.st_ino}"

    def start(self) -> None:
        """Check the files and the schema, and upgrade it, one process at a time."""
        if self._existed:
            self._check_files()
        with self.errors(), self.engine.connect() as connection, reading(connection):
            # A process killed between the two steps of `_prepare` leaves a schema without the row, so check both.
            is_prepared = schema.is_current(connection, self.path) and schema.has_state(connection)
        if not is_prepared:
            self._prepare()
        if self.read_only not in (None, ONLY_READ):
            self._follow_carried_roots()

    def _prepare(self) -> None:
        if self.read_only is not None:
            raise LibraryOutdated(self.path, self.read_only)
        lock = self.lock(WRITER_LOCK)
        lock.acquire(FOREVER)
        try:
            with self.errors():
                schema.prepare(self.engine, self.path)
                with self.engine.connect() as connection, writing(connection):
                    schema.add_state(connection)
        finally:
            lock.release()

    def _check_files(self) -> None:
        """Raise `LibraryDamaged` if SQLite would read something else than the catalogue of this library."""
        file = self._file
        if not _size_of(file.with_name(file.name + "-wal")):
            if not _size_of(file) and self._has_other_files():  # otherwise another process is creating the library
                raise LibraryDamaged(self.path, "its catalogue is an empty file")
            return
        from store.database_file.foreign_log import has_foreign_log

        with self.alone() as is_alone:
            if is_alone and has_foreign_log(file):
                raise LibraryDamaged(self.path, FOREIGN_LOG)

    def _has_other_files(self) -> bool:
        folders = (self.path / "indexes", self.path / SNAPSHOTS_FOLDER)
        return any(True for folder in folders for _ in folder.glob("*"))

    def _follow_carried_roots(self) -> None:
        """Show the roots of a library that cannot be changed where they are, if it was carried along with them."""
        with self.errors(), self.unchanged(), self.engine.connect() as connection, reading(connection):
            carried = find_carried_roots(connection, self.path)
        if carried:
            event.listen(self.engine, "connect", lambda connection, _: show_carried_roots(connection, carried))

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether no other object of this process may have connections to the catalogue, and keep it so.

        POSIX locks belong to a process: closing any descriptor of the catalogue releases those of all its connections.
        Within the block, no library can be opened or closed in this process.
        """
        with self._counting:
            yield self._opened[self._real_path] <= 1

    def require_current_schema(self, connection: Connection) -> None:
        """Raise `LibraryTooNew` or `LibraryUnusable` if another version of Sightline has changed the schema."""
        schema.require_current(connection, self.path)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        with self._counting:
            self._opened[self._real_path] -= self._is_counted
            self._is_counted = False

    def errors(self) -> AbstractContextManager[None]:
        """Translate errors of SQLite."""
        return driver_errors(self.path)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Raise `LibraryBusy` if a catalogue that is read without locks is changed by its owner within the block."""
        if self.read_only is None:
            yield
            return
        before = self.file_state()
        try:
            yield
        finally:
            if not before.has_log and self.file_state() != before:
                raise LibraryBusy(self.path)

    def file_state(self) -> DatabaseFileState:
        """Return what changes with the files of the catalogue."""
        return DatabaseFileState.of(self._file)

    def lock(self, name: str) -> NamedLock:
        """Return a lock of the operating system: only processes of this machine use the file."""
        return FileNamedLock(self.path / name)

    def change_number(self, connection: Connection) -> int:
        """Return SQLite's `data_version`. It counts, per connection, the commits of all other connections."""
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def change_number_of_files(self) -> int | None:
        """Return a digest of sizes and times of the files, if the catalogue cannot be written to."""
        return None if self.read_only is None else hash(self.file_state())

    @contextmanager
    def impatient(self, connection: Connection) -> Iterator[None]:
        """Switch the waiting for locks off."""
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise TypeError("The connection is not one of SQLite.")
        driver.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")

    def faults(self, connection: Connection) -> Iterator[str]:
        """Check every page, and every reference between rows."""
        for (problem,) in connection.execute(text("PRAGMA integrity_check")):
            if problem != "ok":
                yield str(problem)
        for row in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"{row[0]} row {row[1]} refers to a missing row of {row[2]}"

    def free_bytes(self, connection: Connection) -> int:
        """Return the size of the free pages."""
        names = ("freelist_count", "page_size")
        pages, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)
        return int(pages * size)

    def compact(self, connection: Connection) -> None:
        """Rewrite the file, which temporarily needs its size again. Others can read it in the meantime."""
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise TypeError("The connection is not one of SQLite.")
        try:
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                driver.execute(statement)  # through the driver: SQLAlchemy would begin a transaction
        except sqlite3.Error as exc:
            raise LibraryUnusable(self.path, f"its free space cannot be released: {exc}") from exc


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # the last process that closes a catalogue deletes its log
        return 0
