"""A library on disk: opening, creating and locking it, and its transactions.

FOLDER/catalog.sqlite      the catalogue: every record and every vector
FOLDER/indexes/*.faiss     one index file per embedding space, derived from the catalogue
FOLDER/writer.lock         held by the one process that changes the library
FOLDER/filling-*.lock      held by the one process that fills an embedding space
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import Connection, insert, select, update

from core.errors import LibraryNotFound, LibraryUnusable
from store.catalog import schema
from store.catalog.engine import driver_errors, make_engine, reading, writing
from store.catalog.tables import LibraryState, SpaceRow

__all__ = ["ChangeCounter", "Library", "Writer", "advance_revision", "mark_changed"]

CATALOG_FILENAME = "catalog.sqlite"
WRITER_LOCK_FILENAME = "writer.lock"


class Library:
    """A catalogue and its index files. Open it with `Library.open`; close it, or use it in a `with` statement.

    Many processes may read while one writes. Safe to share between threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.indexes = path / "indexes"
        self._engine = make_engine(path / CATALOG_FILENAME)
        self._lock = FileLock(path / WRITER_LOCK_FILENAME)

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False) -> Self:
        """Open the library in the folder `path` and bring its schema up to date.

        With `create`, the library is created if it does not exist. Raises `LibraryNotFound`, `LibraryTooNew` or
        `LibraryUnusable`.
        """
        path = Path(path)
        try:
            path = path.expanduser().absolute()
            if not create and not (path / CATALOG_FILENAME).exists():
                raise LibraryNotFound(path)
            (path / "indexes").mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as exc:  # RuntimeError: `~` cannot be expanded, the user has no home folder
            raise LibraryUnusable(path, str(exc)) from exc
        library = cls(path)
        try:
            library._prepare()
        except BaseException:
            library.close()
            raise
        return library

    def _prepare(self) -> None:
        """Bring the schema up to date, one process at a time, and insert the single row of the `library` table."""
        with driver_errors(self.path), self._engine.connect() as connection, reading(connection):
            # A process killed between the two steps below leaves a schema without the row, so check both.
            current = schema.is_current(connection, self.path) and connection.scalar(select(LibraryState.id))
        if current:
            return
        with self.exclusive() as writer, driver_errors(self.path):
            schema.upgrade(self._engine, self.path)
            with writer.transaction() as connection:
                if connection.scalar(select(LibraryState.id)) is None:
                    now = datetime.now(UTC).replace(tzinfo=None)
                    connection.execute(insert(LibraryState).values(id=1, revision=0, created_at=now))

    def close(self) -> None:
        """Close all connections to the catalogue."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with driver_errors(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection with one consistent view of the catalogue. Raises `LibraryUnusable`."""
        with self._connect() as connection, reading(connection):
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection within one short write transaction, which is rolled back on an exception.

        For single changes that do not depend on an index run, such as tags and albums; everything else goes through a
        `Writer`. Raises `LibraryUnusable` (damaged file, full disk, no permission).
        """
        with self._connect() as connection, writing(connection):
            yield connection

    @contextmanager
    def exclusive(self, waiting: Callable[[], None] | None = None) -> Iterator["Writer"]:
        """Lock the library against other writers and yield the `Writer` that may change it.

        `waiting` is called once if another process holds the lock. The lock ends with the process, even if it is
        killed. It can be taken again by the thread that holds it.
        """
        with self._held(self._lock, waiting):
            writer = Writer(self)
            try:
                yield writer
            finally:
                writer.release()

    @contextmanager
    def exclusive_if_free(self) -> Iterator["Writer | None"]:
        """Like `exclusive`, but yield None instead of waiting if the lock is held elsewhere."""
        with self._held_if_free(self._lock) as is_held:
            writer = Writer(self) if is_held else None
            try:
                yield writer
            finally:
                if writer is not None:
                    writer.release()

    @contextmanager
    def space_fill_lock(self, fingerprint: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Lock an embedding space against other processes that fill it, independently of the writer lock."""
        with self._held(self._fill_lock(fingerprint), waiting):
            yield

    @contextmanager
    def space_fill_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """Like `space_fill_lock`, but never wait; yield whether the lock was acquired."""
        with self._held_if_free(self._fill_lock(fingerprint)) as is_held:
            yield is_held

    def _fill_lock(self, fingerprint: str) -> FileLock:
        return FileLock(self.path / f"filling-{fingerprint[:12]}.lock")

    @contextmanager
    def _held(self, lock: FileLock, waiting: Callable[[], None] | None) -> Iterator[None]:
        if not self._acquire(lock, timeout=0):
            if waiting is not None:
                waiting()
            self._acquire(lock, timeout=-1)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _held_if_free(self, lock: FileLock) -> Iterator[bool]:
        is_held = self._acquire(lock, timeout=0)
        try:
            yield is_held
        finally:
            if is_held:
                lock.release()

    def _acquire(self, lock: FileLock, timeout: float) -> bool:
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            return False
        except OSError as exc:
            raise LibraryUnusable(self.path, str(exc)) from exc
        return True

    def revision(self) -> int:
        """Return a number that grows whenever the searchable vectors or the active space change."""
        with self.read() as connection:
            return int(connection.scalar(select(LibraryState.revision)) or 0)


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
        """Yield a connection without a transaction, for work that spans several; begin them with `reading`, `writing`.

        Raises `LibraryUnusable`.
        """
        self._require_valid()
        with self.library._connect() as connection:
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
        """
        with self._lock, driver_errors(self._library.path):
            if self._connection is None:
                self._connection = self._exit_stack.enter_context(self._library._connect())
            with reading(self._connection):
                return int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def close(self) -> None:
        """Close the connection; the next call of `value` opens another."""
        with self._lock:
            self._exit_stack.close()
            self._connection = None


def advance_revision(connection: Connection) -> None:
    """Increment the library's revision. It only ever grows, so no value is used twice."""
    connection.execute(update(LibraryState).values(revision=LibraryState.revision + 1))


def mark_changed(connection: Connection, space_id: int | None = None) -> None:
    """Record that the searchable vectors of one space, or of all spaces, change in this transaction."""
    advance_revision(connection)
    spaces = update(SpaceRow).values(revision=select(LibraryState.revision).scalar_subquery())
    connection.execute(spaces if space_id is None else spaces.where(SpaceRow.id == space_id))
