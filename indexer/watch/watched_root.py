"""One root folder that is being watched: by notifications, or by scanning it at intervals."""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from core.file_systems import has_notifications, mount_points_below
from core.object_paths import ObjectPath
from indexer.watch.changes import Due, PendingChanges

__all__ = ["Method", "NotificationSource", "OpenSource", "WatchedRoot"]


class Method(StrEnum):
    """How changes of a root are noticed."""

    NOTIFICATIONS = "notifications"
    POLLING = "polling"


class NotificationSource(Protocol):
    """Passes changes to `PendingChanges` until it is closed; `failure` is why it has ended."""

    failure: Exception | None

    def close(self) -> None:
        """Stop."""


OpenSource = Callable[[Path, PendingChanges], NotificationSource]


class WatchedRoot:
    """The state of a root. `check` notices whether its disk, or one mounted beneath it, has gone or come back.

    `poll` is the interval between scans in seconds: None to use notifications where the file system has them, and
    `fallback_poll` elsewhere. A scan of the whole root is due every `rescan` seconds in any case.
    """

    def __init__(
        self,
        path: Path,
        pending: PendingChanges,
        open_source: OpenSource,
        *,
        poll: float | None,
        fallback_poll: float,
        rescan: float,
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self.method = Method.NOTIFICATIONS
        self.reason = ""
        """Why the root is polled although that was not asked for."""
        self.is_there = False
        """Whether the folder can be listed."""
        self.is_away = False
        """Whether its pictures cannot be reached: it is not there, or empty where its disk is not mounted."""
        self.not_before = 0.0
        """No run starts before this time."""
        self.postponed = 0
        """How many runs in a row have made way for others."""
        self.failed = 0
        """How many runs in a row have failed."""
        self.away_mounts: frozenset[bytes] = frozenset()
        """Mount points beneath the root whose disks are not mounted at the moment."""
        self._pending = pending
        self._open_source = open_source
        self._poll = poll
        self._fallback_poll = fallback_poll
        self._rescan = rescan
        self._clock = clock
        self._source: NotificationSource | None = None
        self._identity: tuple[int, int] | None = None
        self._mounts: frozenset[bytes] = frozenset()
        self._scanned = clock()

    @property
    def interval(self) -> float:
        """Return the number of seconds between two scans of the whole root."""
        if self.method is Method.POLLING:
            return self._fallback_poll if self._poll is None else self._poll
        return self._rescan

    def check(self) -> bool:
        """Begin or restart watching if that is needed; return whether the method may be another one now.

        Notifications do not survive a change of mounts, and do not report it.
        """
        identity = _identity(self.path)
        self.is_there = identity is not None
        if identity is None:
            self.close()
            return False
        mounts = frozenset[bytes]() if isinstance(self.path, ObjectPath) else mount_points_below(self.path)
        is_other = self._identity != identity or bool(mounts - self._mounts)
        failure = self._source and self._source.failure
        if is_other:
            self.close()
            self._begin()
        elif failure is not None:
            self._poll_because(f"no notifications: {failure}")
        self.away_mounts = (self.away_mounts | (self._mounts - mounts)) - mounts
        self._identity, self._mounts = identity, mounts
        return is_other or failure is not None

    def due(self) -> Due | None:
        """Return what is to be scanned now, None if nothing is."""
        now = self._clock()
        if now < self.not_before:
            return None
        if now - self._scanned >= self.interval:
            self._scanned = now
            self._pending.clear()
            return Due(None)
        due = self._pending.take()
        if due is None or due.changed is None:
            return due
        changed = due.changed.without(self.away_mounts)
        return Due(changed) if changed else None

    def note_scan(self) -> None:
        """Note that the whole root was scanned now."""
        self._scanned = self._clock()

    def put_back(self, due: Due, pause: float) -> None:
        """Scan what was due again, after a pause."""
        self._pending.put_back(due)
        self.not_before = self._clock() + pause

    def close(self) -> None:
        """Stop watching."""
        if self._source is not None:
            self._source.close()
        self._source = None
        self._identity = None

    def _begin(self) -> None:
        self.reason = ""
        if self._poll is not None:
            self._poll_because("")
        elif isinstance(self.path, ObjectPath):
            self._poll_because("a store of objects does not report changes")
        elif not has_notifications(self.path):
            self._poll_because("a network file system does not report the changes of other machines")
        elif not _is_utf8(self.path):
            self._poll_because("its path is not UTF-8")
        else:
            self.method = Method.NOTIFICATIONS
            self._source = self._open_source(self.path, self._pending)
        self.not_before = 0.0
        self.failed = 0

    def _poll_because(self, reason: str) -> None:
        if self._source is not None:
            self._source.close()
        self._source = None
        self.method, self.reason = Method.POLLING, reason
        self._pending.add_everything()
        self.note_scan()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a folder; None if it is not there.

    A store of objects is asked by the runs only: each question costs.
    """
    if isinstance(path, ObjectPath):
        return 0, 0
    try:
        status = path.stat()
        os.scandir(path).close()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_utf8(path: Path) -> bool:
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
