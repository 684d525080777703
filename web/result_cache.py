"""Answers that take long to work out, and hold until the library changes."""

from collections.abc import Callable
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread

from store.changes import Changes

__all__ = ["Remembered"]

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last `most` answers of one kind. One is worked out at a time; requests that wait for it keep no thread."""

    def __init__(self, changes: Changes, most: int) -> None:
        self._changes = changes
        self._most = most
        self._turn = CapacityLimiter(1)
        self._kept: tuple[int | None, dict[str, T]] = (None, {})
        """As of which change of the library, and by key."""

    async def get(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, or gave for this key since the library last changed."""
        known = await to_thread.run_sync(self._known, key)
        return await to_thread.run_sync(self._made, key, make, limiter=self._turn) if known is None else known

    def _known(self, key: str) -> T | None:
        number, kept = self._kept
        return kept.get(key) if kept and number == self._changes.number() else None

    def _made(self, key: str, make: Callable[[], T]) -> T:
        known = self._known(key)  # it may have been made while this one waited for its turn
        if known is not None:
            return known
        number = self._changes.number()  # before: whatever changes from here on makes it an old one
        made = make()
        if number is not None:
            kept = self._kept[1] if number == self._kept[0] else {}
            kept[key] = made
            while len(kept) > self._most:
                del kept[next(iter(kept))]
            self._kept = number, kept
        return made
