"""A library: opening and creating it, and its transactions.

In the folder of a library in SQLite are the catalogue (`store.catalog.sqlite_backend`), locks (`store.library_locks`),
and

indexes/*.faiss     one index file per embedding space, derived from the catalogue
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, select, update

from core.errors import LibraryError, LibraryNotFound
from store.catalog.backend import Backend
from store.catalog.postgresql.address import ServerAddress, is_server_url
from store.catalog.sqlite_backend import SqliteBackend
from store.catalog.tables import LibraryState, SpaceRow
from store.catalog.transactions import reading, writing
from store.library_locks import LibraryLocks
from store.writer import Writer

__all__ = ["Library", "Writer", "advance_revision", "mark_changed"]


class Library(LibraryLocks):
    """A catalogue and its index files. Open it with `Library.open`; close it, or use it in a `with` statement.

    Many processes may read while one writes. Safe to share between threads.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.path = backend.path
        """A folder of this machine. With SQLite it is the library; with a server it has files derived from it."""
        self.indexes = self.path / "indexes"

    @classmethod
    def open(cls, place: Path | str, *, create: bool = False) -> Self:
        """Open the library at `place` and bring its schema up to date.

        `place` is a folder, or the URL of a database in PostgreSQL, `postgresql://user@host/database`, with everything
        that libpq reads there. With `create`, the library is created if it does not exist; the database of a URL must
        exist. A library that may not be written to can be read. Raises `LibraryNotFound`, `LibraryTooNew`,
        `LibraryDamaged` or `LibraryUnusable`, and `ExtraMissing` if the driver for a URL is not installed.
        """
        return cls._started(_backend(place, create=create))

    @classmethod
    def open_to_read(cls, place: Path | str) -> Self:
        """Open the library at `place`, which is not changed even if this process could change it.

        Raises `LibraryNotFound`, `LibraryOutdated`, `LibraryTooNew`, `LibraryDamaged` or `LibraryUnusable`.
        """
        return cls._started(_backend(place, only_read=True))

    @classmethod
    def exists(cls, place: Path | str) -> bool:
        """Return whether there is a library at `place`, without a look at its state.

        Raises `LibraryUnusable` if that cannot be found out, such as from a server that does not answer.
        """
        try:
            _backend(place, only_read=True).close()
        except LibraryNotFound:
            return False
        return True

    @staticmethod
    def folder_at(place: Path | str) -> Path:
        """Return the folder of this machine for the library at `place`, which need not exist: itself, or that of a URL.

        Raises `LibraryUnusable` if a URL cannot be read, and `HomeFolderNotFound`.
        """
        return ServerAddress.parse(str(place)).folder if is_server_url(str(place)) else Path(place)

    @classmethod
    def _started(cls, backend: Backend) -> Self:
        library = cls(backend)
        try:
            backend.start()
            if backend.name != "sqlite":
                from store.root_places import show_places

                show_places(library)
        except BaseException:
            library.close()
            raise
        return library

    def __repr__(self) -> str:
        return f"Library({self.location!r})"

    @property
    def location(self) -> str:
        """What people call the library: its folder, or a URL without a password."""
        return self.backend.location

    @property
    def read_only(self) -> str | None:
        """Why this process cannot change the library; None if it can."""
        return self.backend.read_only

    def close(self) -> None:
        """Close all connections to the catalogue."""
        self.backend.close()

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
        with self.backend.errors(), self.backend.unchanged(), self.backend.engine.connect() as connection:
            yield connection

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
        self.backend.require_writable()
        with self.connect() as connection, writing(connection):
            yield connection

    @contextmanager
    def exclusive(
        self, waiting: Callable[[], None] | None = None, check: Callable[[], None] | None = None
    ) -> Iterator[Writer]:
        """Lock the library against other writers and yield the `Writer` that may change it.

        Hold it as briefly as possible: long work takes it again for each batch. If another process holds the lock for
        more than a second, `waiting` is called once, and `check` several times a second; it may raise to stop waiting.
        The lock ends with the process, even if it is killed. It can be taken again by the thread that holds it.

        Raises `LibraryTooNew` if a later version of Sightline has changed the schema in the meantime.
        """
        with self.locked(waiting, check):
            self._require_current_schema()
            writer = Writer(self)
            try:
                yield writer
            finally:
                writer.release()

    @contextmanager
    def exclusive_if_free(self, patience: float = 0) -> Iterator[Writer | None]:
        """Like `exclusive`, but yield None if the lock is held elsewhere for more than `patience` seconds."""
        with self._locked_if_free(patience) as is_held:
            if is_held:
                self._require_current_schema()
            writer = Writer(self) if is_held else None
            try:
                yield writer
            finally:
                if writer is not None:
                    writer.release()

    def _require_current_schema(self) -> None:
        with self.read() as connection:
            self.backend.require_current_schema(connection)

    def note_many_changes(self) -> None:
        """Have the database learn what it needs for fast answers after many rows were written.

        Nothing is raised, also if the server was lost: everything is written, and the database learns it later by
        itself.
        """
        with suppress(LibraryError), self.connect() as connection:
            self.backend.note_many_changes(connection)

    def revision(self) -> int:
        """Return a number that grows whenever the searchable vectors or the active space change."""
        with self.read() as connection:
            return int(connection.scalar(select(LibraryState.revision)) or 0)


def _backend(place: Path | str, *, create: bool = False, only_read: bool = False) -> Backend:
    if is_server_url(str(place)):
        from store.catalog.postgresql.backend import PostgresBackend

        return PostgresBackend.at(str(place), create=create, only_read=only_read)
    return SqliteBackend.at(Path(place), create=create, only_read=only_read)


def advance_revision(connection: Connection) -> None:
    """Increment the library's revision. It only ever grows, so no value is used twice."""
    connection.execute(update(LibraryState).values(revision=LibraryState.revision + 1))


def mark_changed(connection: Connection, space_id: int | None = None) -> None:
    """Record that the searchable vectors of one space, or of all spaces, change in this transaction."""
    advance_revision(connection)
    spaces = update(SpaceRow).values(revision=select(LibraryState.revision).scalar_subquery())
    connection.execute(spaces if space_id is None else spaces.where(SpaceRow.id == space_id))
