"""A library on disk: opening, creating and locking it, and its transactions.

FOLDER/catalog.sqlite      the catalogue: every record and every vector
FOLDER/indexes/*.faiss     one index file per embedding space, derived from the catalogue
FOLDER/writer.lock         held by the one process that changes the library, for a batch
FOLDER/indexing-*.lock     held by the one process that indexes a root, or forgets pictures of it
FOLDER/filling-*.lock      held by the one process that fills an embedding space
FOLDER/building-*.lock     held by the one process that builds inverted lists for a space
FOLDER/reading-texts.lock  held by the one process that reads text in pictures
FOLDER/jobs.lock           held by the one process that runs the queue of jobs
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import ClassVar, Self

from filelock import FileLock, Timeout
from sqlalchemy import Connection, event, insert, select, update

from core.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryNotFound,
    LibraryOutdated,
    LibraryReadOnly,
    LibraryUnusable,
)
from store.catalog import schema
from store.catalog.carried_roots import find_carried_roots, show_carried_roots
from store.catalog.engine import driver_errors, make_engine, reading, writing
from store.catalog.read_only import FileState, make_read_only_engine, why_read_only
from store.catalog.tables import LibraryState, SpaceRow

__all__ = ["ChangeCounter", "Library", "RootLock", "Writer", "advance_revision", "mark_changed"]

CATALOG_FILENAME = "catalog.sqlite"
SNAPSHOTS_FOLDER = "snapshots"
DAMAGED_FOLDERS = "damaged-*"
"""Pattern of the folders in which a recovery keeps the files of a damaged catalogue."""
FOREIGN_LOG = "its write-ahead log belongs to another catalogue, or to another state of this one"
"""What is wrong if only one of the two files was copied."""

ONLY_READ = "it is only read here"
"""Why a library that was opened with `open_to_read` is not changed."""

WRITER_LOCK_FILENAME = "writer.lock"
JOB_LOCK_FILENAME = "jobs.lock"

WAITING_SECONDS = 1.0
"""Time after which a process reports that it waits for a lock. Most locks are held for a fraction of it."""

LOCK_POLL_SECONDS = 0.01
"""Interval at which a process tries to acquire a lock. Others release theirs only for the time of a batch."""

CHECK_SECONDS = 0.25
"""Interval at which a process that waits for a lock may decide to stop."""


class Library:
    """A catalogue and its index files. Open it with `Library.open`; close it, or use it in a `with` statement.

    Many processes may read while one writes. Safe to share between threads.
    """

    _counting = Lock()
    _opened: ClassVar[Counter[Path]] = Counter()
    """How many objects of this process may have connections to the library in a folder."""

    def __init__(self, path: Path, read_only: str | None = None) -> None:
        self.path = path
        self.indexes = path / "indexes"
        self.read_only = read_only or why_read_only(path / CATALOG_FILENAME)
        """Why this process cannot change the library; None if it can."""
        make = make_engine if self.read_only is None else make_read_only_engine
        self._engine = make(path / CATALOG_FILENAME)
        self._lock = FileLock(path / WRITER_LOCK_FILENAME)
        self._is_counted = True
        self._real_path = Path(os.path.realpath(path))  # the library may be opened through a symbolic link, too
        with self._counting:
            self._opened[self._real_path] += 1

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False) -> Self:
        """Open the library in the folder `path` and bring its schema up to date.

        With `create`, the library is created if it does not exist. A library that may not be written to can be read.
        Raises `LibraryNotFound`, `LibraryTooNew`, `LibraryDamaged` or `LibraryUnusable`.
        """
        path = Path(path)
        try:
            path = path.expanduser().absolute()
            exists = (path / CATALOG_FILENAME).exists()
            if not create and not exists:
                raise LibraryNotFound(path)
            if why_read_only(path / CATALOG_FILENAME) is None:
                (path / "indexes").mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as exc:  # RuntimeError: `~` cannot be expanded, the user has no home folder
            raise LibraryUnusable(path, str(exc)) from exc
        library = cls(path)
        library._begin(exists=exists)
        return library

    @classmethod
    def open_to_read(cls, path: Path | str) -> Self:
        """Open the library in the folder `path`, which is not changed even if this process could change it.

        Raises `LibraryNotFound`, `LibraryOutdated`, `LibraryTooNew`, `LibraryDamaged` or `LibraryUnusable`.
        """
        path = Path(path)
        try:
            path = path.expanduser().absolute()
            if not (path / CATALOG_FILENAME).exists():
                raise LibraryNotFound(path)
        except (OSError, RuntimeError) as exc:
            raise LibraryUnusable(path, str(exc)) from exc
        library = cls(path, ONLY_READ)
        library._begin(exists=True)
        return library

    def _follow_carried_roots(self) -> None:
        """Show the roots of a library that cannot be changed where they are, if it was carried along with them."""
        with self.read() as connection:
            carried = find_carried_roots(connection, self.path)
        if carried:
            event.listen(self._engine, "connect", lambda connection, _: show_carried_roots(connection, carried))

    def _begin(self, *, exists: bool) -> None:
        """Check the files and the schema of a library that was just opened; close it if either is unusable."""
        try:
            if exists:
                self._check_files()
            self._prepare()
            if self.read_only not in (None, ONLY_READ):
                self._follow_carried_roots()
        except BaseException:
            self.close()
            raise

    def _check_files(self) -> None:
        """Raise `LibraryDamaged` if SQLite would read something else than the catalogue of this library."""
        file = self.path / CATALOG_FILENAME
        if not _size_of(file.with_name(file.name + "-wal")):
            if not _size_of(file) and self._has_other_files():  # otherwise another process is creating the library
                raise LibraryDamaged(self.path, "its catalogue is an empty file")
            return
        from store.database_file.foreign_log import has_foreign_log

        with self.alone() as is_alone:
            if is_alone and has_foreign_log(file):
                raise LibraryDamaged(self.path, FOREIGN_LOG)

    def _has_other_files(self) -> bool:
        folders = (self.indexes, self.path / SNAPSHOTS_FOLDER)
        return any(True for folder in folders for _ in folder.glob("*"))

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether no other object of this process may have connections to the catalogue, and keep it so.

        POSIX locks belong to a process: closing any descriptor of the catalogue releases those of all its connections.
        Within the block, no library can be opened or closed in this process.
        """
        with self._counting:
            yield self._opened[self._real_path] <= 1

    def _prepare(self) -> None:
        """Bring the schema up to date, one process at a time, and insert the single row of the `library` table."""
        with driver_errors(self.path), self._engine.connect() as connection, reading(connection):
            # A process killed between the two steps below leaves a schema without the row, so check both.
            current = schema.is_current(connection, self.path) and connection.scalar(select(LibraryState.id))
        if current:
            return
        if self.read_only is not None:
            raise LibraryOutdated(self.path, self.read_only)
        with self._writer() as writer, driver_errors(self.path):
            schema.prepare(self._engine, self.path)
            with writer.transaction() as connection:
                if connection.scalar(select(LibraryState.id)) is None:
                    now = datetime.now(UTC).replace(tzinfo=None)
                    connection.execute(insert(LibraryState).values(id=1, revision=0, created_at=now))

    def close(self) -> None:
        """Close all connections to the catalogue."""
        self._engine.dispose()
        with self._counting:
            self._opened[self._real_path] -= self._is_counted
            self._is_counted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection without a transaction, for work that spans several; begin them with `reading`, `writing`.

        Raises `LibraryUnusable`.
        """
        with driver_errors(self.path), self._unchanged(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
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

    def file_state(self) -> FileState:
        """Return what changes with the files of the catalogue."""
        return FileState.of(self.path / CATALOG_FILENAME)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection with one consistent view of the catalogue. Raises `LibraryUnusable`."""
        with self.connect() as connection, reading(connection):
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection within one short write transaction, which is rolled back on an exception.

        For single changes that do not depend on an index run, such as tags and albums; everything else goes through a
        `Writer`. Raises `LibraryReadOnly` and `LibraryUnusable` (damaged file, full disk).
        """
        self._require_writable()
        with self.connect() as connection, writing(connection):
            yield connection

    @contextmanager
    def exclusive(
        self, waiting: Callable[[], None] | None = None, check: Callable[[], None] | None = None
    ) -> Iterator["Writer"]:
        """Lock the library against other writers and yield the `Writer` that may change it.

        Hold it as briefly as possible: long work takes it again for each batch. If another process holds the lock for
        more than a second, `waiting` is called once, and `check` several times a second; it may raise to stop waiting.
        The lock ends with the process, even if it is killed. It can be taken again by the thread that holds it.

        Raises `LibraryTooNew` if a later version of Sightline has changed the schema in the meantime.
        """
        with self._writer(waiting, check) as writer:
            self._require_current_schema()
            yield writer

    @contextmanager
    def _writer(
        self, waiting: Callable[[], None] | None = None, check: Callable[[], None] | None = None
    ) -> Iterator["Writer"]:
        with self._held(self._lock, waiting, check):
            writer = Writer(self)
            try:
                yield writer
            finally:
                writer.release()

    @contextmanager
    def locked(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the writer lock without a look at the catalogue, to replace it as a whole."""
        with self._held(self._lock, waiting):
            yield

    @contextmanager
    def exclusive_if_free(self, patience: float = 0) -> Iterator["Writer | None"]:
        """Like `exclusive`, but yield None if the lock is held elsewhere for more than `patience` seconds."""
        with self._held_if_free(self._lock, patience) as is_held:
            if is_held:
                self._require_current_schema()
            writer = Writer(self) if is_held else None
            try:
                yield writer
            finally:
                if writer is not None:
                    writer.release()

    @contextmanager
    def root_lock(
        self, root: Path, waiting: Callable[[], None] | None = None, check: Callable[[], None] | None = None
    ) -> Iterator["RootLock"]:
        """Lock a root against other index runs, and against removal of its pictures. Others may write in between.

        Acquire it before the writer lock, never while that is held. `waiting` and `check` are as for `exclusive`.
        """
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        turn, lock = (FileLock(self.path / f"indexing-{name}.{suffix}") for suffix in ("next.lock", "lock"))
        with ExitStack() as held:
            with self._held(turn, waiting, check):  # the process that waits longest is next
                held.enter_context(self._held(lock, waiting, check))
            yield RootLock(self, turn)

    @contextmanager
    def job_lock_if_free(self) -> Iterator[bool]:
        """Lock the queue of jobs against other processes that run it, without waiting; yield whether that succeeded.

        The lock ends with the process, even if it is killed.
        """
        with self._held_if_free(FileLock(self.path / JOB_LOCK_FILENAME)) as is_held:
            yield is_held

    @contextmanager
    def space_fill_lock(
        self,
        fingerprint: str,
        waiting: Callable[[], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> Iterator[None]:
        """Lock an embedding space against other processes that fill it, independently of the writer lock."""
        with self._held(self._fill_lock(fingerprint), waiting, check):
            yield

    @contextmanager
    def space_fill_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """Like `space_fill_lock`, but never wait; yield whether the lock was acquired."""
        with self._held_if_free(self._fill_lock(fingerprint)) as is_held:
            yield is_held

    @contextmanager
    def index_build_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """Lock the building of inverted lists for a space, without waiting; yield whether that succeeded."""
        with self._held_if_free(FileLock(self.path / f"building-{fingerprint[:12]}.lock")) as is_held:
            yield is_held

    @contextmanager
    def text_reading_lock(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Lock the reading of text against other processes that do the same, independently of the writer lock."""
        with self._held(FileLock(self.path / "reading-texts.lock"), waiting):
            yield

    def _fill_lock(self, fingerprint: str) -> FileLock:
        return FileLock(self.path / f"filling-{fingerprint[:12]}.lock")

    @contextmanager
    def _held(
        self, lock: FileLock, waiting: Callable[[], None] | None, check: Callable[[], None] | None = None
    ) -> Iterator[None]:
        if not self._acquire(lock, WAITING_SECONDS):
            if waiting is not None:
                waiting()
            while not self._acquire(lock, CHECK_SECONDS):
                if check is not None:
                    check()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _held_if_free(self, lock: FileLock, patience: float = 0) -> Iterator[bool]:
        is_held = self._acquire(lock, patience)
        try:
            yield is_held
        finally:
            if is_held:
                lock.release()

    def _require_writable(self) -> None:
        if self.read_only is not None:
            raise LibraryReadOnly(self.path, self.read_only)

    def _acquire(self, lock: FileLock, timeout: float) -> bool:
        self._require_writable()
        try:
            lock.acquire(timeout=timeout, poll_interval=LOCK_POLL_SECONDS)
        except Timeout:
            return False
        except OSError as exc:
            raise LibraryUnusable(self.path, str(exc)) from exc
        return True

    def _require_current_schema(self) -> None:
        with self.read() as connection:
            if not schema.is_current(connection, self.path):
                raise LibraryUnusable(self.path, "its schema is not that of this version of Sightline")

    def revision(self) -> int:
        """Return a number that grows whenever the searchable vectors or the active space change."""
        with self.read() as connection:
            return int(connection.scalar(select(LibraryState.revision)) or 0)


class RootLock:
    """The lock of a root, held within the `Library.root_lock` block that yielded it."""

    def __init__(self, library: Library, turn: FileLock) -> None:
        self._library = library
        self._turn = turn

    def is_wanted(self) -> bool:
        """Return whether another run waits for the lock."""
        with self._library._held_if_free(self._turn) as is_free:
            return not is_free


class Writer:
    """The right to change a library, valid within the `Library.exclusive` block that yielded it.

    Using it after that block raises `RuntimeError`.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._is_released = False

    def release(self) -> None:
        """End the validity of the writer; called when its block ends."""
        self._is_released = True

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection within one write transaction, which is rolled back on an exception.

        Raises `LibraryUnusable` (damaged file, full disk, no permission).
        """
        self._require_valid()
        with self.library.transaction() as connection:
            yield connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection as `Library.connect` does."""
        self._require_valid()
        with self.library.connect() as connection:
            yield connection

    def _require_valid(self) -> None:
        if self._is_released:
            raise RuntimeError("The writer was used after its `with` block.")


class ChangeCounter:
    """Detects changes of a library by any process. Safe to share between threads; close it before the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = Lock()
        self._exit_stack = ExitStack()
        self._connection: Connection | None = None

    def value(self) -> int:
        """Return a number that differs after every change, by whichever process. Raises `LibraryUnusable`.

        Unlike `Library.revision` it covers every write, including tags and albums. It is SQLite's `data_version`, which
        counts, per connection, the commits of all other connections; hence the connection is kept and never writes.
        Of a library that may not be written to it is a digest of sizes and times of its files.
        """
        if self._library.read_only is not None:
            return hash(self._library.file_state())
        with self._lock, driver_errors(self._library.path):
            if self._connection is None:
                self._connection = self._exit_stack.enter_context(self._library.connect())
            with reading(self._connection):
                return int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def close(self) -> None:
        """Close the connection; the next call of `value` opens another."""
        with self._lock:
            self._exit_stack.close()
            self._connection = None


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # the last process that closes a catalogue deletes its log
        return 0


def advance_revision(connection: Connection) -> None:
    """Increment the library's revision. It only ever grows, so no value is used twice."""
    connection.execute(update(LibraryState).values(revision=LibraryState.revision + 1))


def mark_changed(connection: Connection, space_id: int | None = None) -> None:
    """Record that the searchable vectors of one space, or of all spaces, change in this transaction."""
    advance_revision(connection)
    spaces = update(SpaceRow).values(revision=select(LibraryState.revision).scalar_subquery())
    connection.execute(spaces if space_id is None else spaces.where(SpaceRow.id == space_id))
