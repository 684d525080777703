"""Noticing changes of a library that any process makes."""

from contextlib import ExitStack
from threading import Lock

from sqlalchemy import Connection

from store.catalog.transactions import reading
from store.library import Library

__all__ = ["ChangeCounter"]


class ChangeCounter:
    """Detects changes of a library by any process. Safe to share between threads; close it before the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = Lock()
        self._exit_stack = ExitStack()
        self._connection: Connection | None = None

    def value(self) -> int:
        """Return a number that differs after every change, by whichever process. Raises `LibraryUnusable`.

        Unlike `Library.revision` it covers every write, including tags and albums. It may count for one connection,
        which is therefore kept and never writes.
        """
        backend = self._library.backend
        of_files = backend.change_number_of_files()
        if of_files is not None:
            return of_files
        with self._lock, backend.errors():
            if self._connection is None or self._connection.invalidated:
                self._close()
                self._connection = self._exit_stack.enter_context(self._library.connect())
            with reading(self._connection):
                return backend.change_number(self._connection)

    def close(self) -> None:
        """Close the connection; the next call of `value` opens another."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._exit_stack.close()
        self._connection = None
