"""Whether a library has changed, by whichever process, without reading any of it."""

from contextlib import ExitStack
from threading import Lock

from sqlalchemy import Connection

from store.catalog.engine import driver_errors, reading
from store.library import Library

__all__ = ["Changes"]


class Changes:
    """Watches the catalogue of a library. Safe to share between threads; close it before the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._turn = Lock()
        self._closing = ExitStack()
        self._connection: Connection | None = None

    def number(self) -> int | None:
        """Another number after every change; None for a database that does not tell. Raises `LibraryUnusable`.

        Unlike `Library.revision` it counts whatever is written, tags and albums too: SQLite's `data_version`, which
        tells a connection of what all others have written. So this one is kept, and never writes.
        """
        with self._turn, driver_errors(self._library.path):
            if self._connection is None:
                self._connection = self._closing.enter_context(self._library.connect())
            if self._connection.dialect.name != "sqlite":
                return None
            with reading(self._connection):
                return int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def close(self) -> None:
        """Gives the connection back."""
        with self._turn:
            self._closing.close()
            self._connection = None
