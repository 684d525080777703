"""Locks with a name. One process at a time can hold each."""

from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from core.errors import LibraryUnusable

__all__ = ["FOREVER", "WRITER_LOCK", "FileNamedLock", "NamedLock"]

WRITER_LOCK = "writer.lock"
"""The name of the lock for changes of the library."""

FOREVER = -1.0
"""A timeout that never ends."""

LOCK_POLL_SECONDS = 0.01
"""Interval at which a process tries to acquire a lock. Others release theirs only for the time of a batch."""


class NamedLock(Protocol):
    """A lock that excludes other processes, other threads, and other objects with the same name.

    The thread that holds it can acquire it again, and releases it as many times. It ends with the process, even if that
    is killed.
    """

    def acquire(self, timeout: float) -> bool:
        """Try for `timeout` seconds to acquire the lock; return whether that succeeded. Raises `LibraryUnusable`."""

    def is_free(self) -> bool:
        """Return whether nothing holds the lock at this moment. Raises `LibraryUnusable`."""

    def release(self) -> None:
        """Release the lock. Raises nothing: a lock that was lost is no longer there to be released."""


class FileNamedLock:
    """A `NamedLock` that is a file, for processes of one machine."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(file)

    def acquire(self, timeout: float) -> bool:
        """Try for `timeout` seconds to acquire the lock; return whether that succeeded. Raises `LibraryUnusable`."""
        try:
            self._lock.acquire(timeout=timeout, poll_interval=LOCK_POLL_SECONDS)
        except Timeout:
            return False
        except OSError as exc:
            raise LibraryUnusable(self._file.parent, str(exc)) from exc
        return True

    def is_free(self) -> bool:
        """Return whether nothing holds the lock at this moment. Raises `LibraryUnusable`."""
        if self._lock.is_locked or not self.acquire(0):
            return False
        self.release()
        return True

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()
