"""Searches of people, for which background work makes room."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

__all__ = ["Activity"]

QUIET_SECONDS = 0.2
"""No batch begins until no search has run for this long: who searches often sends the next query soon."""

MAX_WAIT_SECONDS = 2.0
"""A batch begins after this time even if people search all the time, so that the work always advances."""

POLL_SECONDS = 0.02


class Activity:
    """Counts the searches in progress. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._running = 0
        self._ended = -QUIET_SECONDS

    @contextmanager
    def search(self) -> Iterator[None]:
        """Count a search for the duration of a `with` block."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._ended = self._clock()

    @property
    def is_quiet(self) -> bool:
        """Whether no search is running and none has ended within `QUIET_SECONDS`."""
        with self._lock:
            return not self._running and self._clock() - self._ended >= QUIET_SECONDS

    def wait_until_quiet(self, stop: Callable[[], bool]) -> None:
        """Wait until no search runs, at most `MAX_WAIT_SECONDS`, or until `stop` returns true."""
        deadline = self._clock() + MAX_WAIT_SECONDS
        pause = threading.Event()
        while not self.is_quiet and self._clock() < deadline and not stop():
            pause.wait(POLL_SECONDS)
