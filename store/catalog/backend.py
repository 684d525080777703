"""What differs between the databases that can hold a catalogue.

A `Backend` knows how one catalogue is reached: its engine, how transactions begin, locks by name, how changes are
noticed, what errors of the driver mean, how its schema is made, and its maintenance. Everything else in `store` is the
same for all of them. SQL that differs is a construct of SQLAlchemy in `store.catalog`, compiled for each dialect, so
that no other module asks which database it talks to.

    sqlite       `store.catalog.sqlite_backend`: a file in the folder of the library
    postgresql   `store.catalog.postgresql`: a database on a server, for several machines

Transactions are those of `store.catalog.transactions`. What a backend promises about them:

- `reading`: one consistent view of the catalogue, which nothing changes.
- `writing`: write transactions are serialised. One begins when no other is active, by whichever process, so that what
  it reads is still so when it is committed, and so that revisions and positions of the change feed have the order of
  the commits. It begins only if every lock by name that its thread holds is still held (SQLite's end with the process;
  those of a server can be lost while the process continues).
- `writing_temporary`: changes temporary tables of the connection, and waits for no other transaction.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Literal

from sqlalchemy import Connection, Engine

from core.errors import LibraryReadOnly
from store.catalog.named_locks import FileNamedLock, NamedLock

__all__ = ["ONLY_READ", "Backend"]

ONLY_READ = "it is only read here"
"""Why a library that was opened only to read is not changed."""


class Backend(ABC):
    """The catalogue of one library, as one process reaches it. Safe to share between threads."""

    name: ClassVar[Literal["sqlite", "postgresql"]]
    """The name of SQLAlchemy's dialect, too."""

    path: Path
    """A folder of this machine. With SQLite it is the library itself. With a server it has what this machine derived
    from the library: index files and caches."""
    place: Path | str
    """What errors call the library: its folder, or a URL without a password."""
    location: str
    """The same as a text. It is what people call the library."""
    read_only: str | None
    """Why this process cannot change the catalogue; None if it can."""
    shares_files: ClassVar[bool]
    """Whether all processes with this catalogue share the folder `path`, so that the catalogue describes its files."""
    longest_path: ClassVar[int | None] = None
    """Bytes of the longest path, relative to its root, that a picture can have; None if there is no limit."""
    engine: Engine
    """Its `begin` event begins the transactions of `store.catalog.transactions`."""

    @abstractmethod
    def start(self) -> None:
        """Check that the catalogue is usable, and bring its schema up to date if it can be changed.

        An empty catalogue gets its tables. Raises `LibraryUnusable` (damaged, unreachable), `LibraryTooNew`, and
        `LibraryOutdated` if the schema must be changed, but cannot.
        """

    @abstractmethod
    def require_current_schema(self, connection: Connection) -> None:
        """Raise `LibraryTooNew` or `LibraryUnusable` if the schema is not that of this version of Sightline."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections. A closed backend may be used again, which opens others."""

    @abstractmethod
    def errors(self) -> AbstractContextManager[None]:
        """Translate errors of the driver within the block, such as to `LibraryDamaged`, `LibraryUnusable`."""

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Raise `LibraryBusy` if what was read within the block may be a mixture of two states."""
        yield

    @abstractmethod
    def lock(self, name: str) -> NamedLock:
        """Return a lock for all processes that use the catalogue, on all machines."""

    def local_lock(self, name: str) -> NamedLock:
        """Return a lock for the processes of this machine, for files in the folder `path`."""
        return FileNamedLock(self.path / name)

    @abstractmethod
    def change_number(self, connection: Connection) -> int:
        """Return a number that differs after each commit that changed the catalogue, by whichever process.

        It can be compared only with others of the same connection, which must not have written in between.
        """

    def change_number_of_files(self) -> int | None:
        """Return the same without a connection; None if `change_number` has to be asked."""
        return None

    def identity(self, connection: Connection) -> str:
        """Return what tells this catalogue from others that were, or will be, at the same place.

        Files that this machine derived from another one, or from a later state of one that was restored, are not of it.
        """
        raise NotImplementedError(f"The files of {self.location} are part of it.")

    @abstractmethod
    def origin(self) -> str:
        """Return a text that is the same for every address of this catalogue, and for no other catalogue.

        Raises `LibraryUnusable`.
        """

    @abstractmethod
    def impatient(self, connection: Connection) -> AbstractContextManager[None]:
        """Have write transactions of `connection` fail within the block, instead of waiting for another one."""

    @abstractmethod
    def faults(self, connection: Connection) -> Iterator[str]:
        """Check what the database stores, apart from its meaning; yield a description of each fault."""

    @abstractmethod
    def free_bytes(self, connection: Connection) -> int:
        """Return how many bytes are free within the files of the database; new records use them first."""

    @abstractmethod
    def compact(self, connection: Connection) -> None:
        """Return the free bytes to the disk, as far as the database does that on demand.

        `connection` has no transaction. Raises `LibraryUnusable`.
        """

    def note_many_changes(self, connection: Connection) -> None:  # noqa: B027
        """Have the database learn what it needs for fast answers after many rows were written.

        `connection` has no transaction. The answers are the same without it. Raises `LibraryUnusable`; use
        `Library.note_many_changes`, which does not.
        """

    def require_writable(self) -> None:
        """Raise `LibraryReadOnly` if this process cannot change the catalogue."""
        if self.read_only is not None:
            raise LibraryReadOnly(self.place, self.read_only)
