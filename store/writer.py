"""The right to change a library, which `Library.exclusive` yields."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:
    from store.library import Library

__all__ = ["Writer"]


class Writer:
    """The right to change a library, valid within the `Library.exclusive` block that yielded it.

    Using it after that block raises `RuntimeError`.
    """

    def __init__(self, library: "Library") -> None:
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
