"""A library on disk: opened, created, locked, and its transactions. The rest of `store` builds on these few verbs.

FOLDER/catalog.sqlite      the truth
FOLDER/indexes/*.faiss     derived from it, per space
FOLDER/writer.lock         held by the one process that changes the library
FOLDER/filling-*.lock      held by the one process that fills a space with what the library holds already
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, insert, select, update

from core.errors import LibraryNotFound, LibraryUnusable
from store.catalog import schema
from store.catalog.engine import driver_errors, make_engine, reading, sqlite_url, writing
from store.catalog.tables import LibraryState, SpaceRow

__all__ = ["Library", "bump", "tick"]

CATALOG = "catalog.sqlite"


class Library:
    """One catalogue with its indexes. Open it with `Library.open`; close it, or use it in a `with` statement.

    Many processes may read while one writes. Safe to share between threads.
    """

    def __init__(self, path: Path, url: str | URL) -> None:
        self.path = path
        self.indexes = path / "indexes"
        self._engine = make_engine(url)
        self._lock = FileLock(path / "writer.lock")

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, url: str | None = None) -> Self:
        """Opens the library in the folder `path`, bringing its schema up to date.

        `create` makes one if there is none. `url` keeps the catalogue in another database than the folder's own.
        Raises `LibraryNotFound`, `LibraryTooNew`, or `LibraryUnusable`.
        """
        path = Path(path)
        try:
            path = path.expanduser().absolute()
            if url is None and not create and not (path / CATALOG).exists():
                raise LibraryNotFound(path)
            (path / "indexes").mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as exc:  # the latter: `~` for someone who has no home folder
            raise LibraryUnusable(path, str(exc)) from exc
        self = cls(path, url or sqlite_url(path / CATALOG))
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise
        return self

    def _prepare(self) -> None:
        """Brings the schema up to date, one process at a time, and makes the one row about the library itself."""
        with driver_errors(self.path), self._engine.connect() as connection, reading(connection):
            # Both: a process killed between the two steps below leaves a schema without the row.
            current = schema.is_current(connection, self.path) and connection.scalar(select(LibraryState.id))
        if current:
            return
        with self.writer_lock(), driver_errors(self.path):
            schema.upgrade(self._engine, self.path)
            with self.write() as connection:
                if connection.scalar(select(LibraryState.id)) is None:
                    now = datetime.now(UTC).replace(tzinfo=None)
                    connection.execute(insert(LibraryState).values(id=1, revision=0, created_at=now))

    def close(self) -> None:
        """Gives all connections back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A bare connection, for work that spans transactions; begin them with `reading` and `writing`."""
        with driver_errors(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the catalogue. Raises `LibraryUnusable`."""
        with self.connect() as connection, reading(connection):
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it or none of it. Raises `LibraryUnusable` (damaged, disk full, no permission)."""
        with self.connect() as connection, writing(connection):
            yield connection

    @contextmanager
    def writer_lock(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Held while a process changes the library; ends with the process, however that ends.

        `waiting` is called once if another process holds it.
        """
        with self._held(self._lock, waiting):
            yield

    @contextmanager
    def writer_lock_if_free(self) -> Iterator[bool]:
        """The writer lock without waiting; yields whether it was to be had."""
        with self._held_if_free(self._lock) as held:
            yield held

    @contextmanager
    def filling_lock(self, fingerprint: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Held while a process fills a space, beside the writer lock, which it takes for moments only."""
        with self._held(self._filling(fingerprint), waiting):
            yield

    @contextmanager
    def filling_lock_if_free(self, fingerprint: str) -> Iterator[bool]:
        """The filling lock without waiting; yields whether it was to be had."""
        with self._held_if_free(self._filling(fingerprint)) as held:
            yield held

    def _filling(self, fingerprint: str) -> FileLock:
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
        held = self._acquire(lock, timeout=0)
        try:
            yield held
        finally:
            if held:
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
        """A number that grows whenever what can be found changes, or which space answers."""
        with self.read() as connection:
            return int(connection.scalar(select(LibraryState.revision)) or 0)


def tick(connection: Connection) -> None:
    """Raises the library's revision: a clock that counts changes. No number comes twice, whatever is dropped."""
    connection.execute(update(LibraryState).values(revision=LibraryState.revision + 1))


def bump(connection: Connection, space_id: int | None = None) -> None:
    """Notes a change of what can be found, within its transaction: in one space, or in all of them."""
    tick(connection)
    spaces = update(SpaceRow).values(revision=select(LibraryState.revision).scalar_subquery())
    connection.execute(spaces if space_id is None else spaces.where(SpaceRow.id == space_id))
