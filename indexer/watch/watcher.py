"""Watch the roots of a library, and index what changes.

Each root is scanned once when watching begins. After that, only folders with changes are scanned, once these are
complete; many changes, lost notifications, and disks that come back cause a scan of the whole root. Between runs, no
lock is held. A root that is away, or suddenly empty, is suspended until it is back, and its pictures are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from core.errors import FolderNotFound, FolderUnreadable, LibraryError, RootUnavailable, SightlineError
from indexer.watch.changes import Due, PendingChanges
from indexer.watch.notifications import Notifications
from indexer.watch.runs import JobFailed, RunPostponed, Runs, WatchStopped
from indexer.watch.watched_root import Method, OpenSource, WatchedRoot
from store.library import Library
from store.roots import folder_roots

__all__ = ["WatchReport", "WatchSettings", "Watcher"]

TICK_SECONDS = 0.25
"""Interval at which pending changes are looked at."""

CHECK_SECONDS = 2.0
"""Interval at which roots, mounts and the list of roots are looked at."""

RETRY_SECONDS = 60.0
"""Pause after the roots could not be listed, and shortest one after a run that failed, or found its root empty. That
doubles each time in a row."""

MAKE_WAY_SECONDS = 1.0
"""Pause after a run has made way for another one. It doubles each time in a row: two watchers that made way for each
other after each batch would spend their time on scans."""

MAX_PAUSE_SECONDS = 600.0
"""Longest pause. After a scan of a whole root, or a failed run, it is otherwise as long as that took."""

AWAY = frozenset(kind.__name__ for kind in (RootUnavailable, FolderNotFound, FolderUnreadable))
"""Errors that mean that the pictures of a root cannot be reached at the moment."""


@dataclass(frozen=True)
class WatchSettings:
    """How to watch.

    A file is complete when it has not changed for `settle` seconds. `poll` is the interval in seconds at which all
    roots are scanned instead of receiving notifications; None to do so only where there are none, every `fallback_poll`
    seconds. In any case, roots are scanned every `rescan` seconds.
    """

    settle: float = 2.0
    poll: float | None = None
    fallback_poll: float = 300.0
    rescan: float = 86_400.0


class WatchReport:
    """Receives what happens. This class ignores it; subclasses show it."""

    def watching(self, root: Path, method: Method, interval: float, reason: str) -> None:
        """A root is watched from now on. `reason` is why it is scanned every `interval` seconds, if it is."""

    def suspended(self, root: Path, reason: str) -> None:
        """A root is away; its pictures are kept as they are."""

    def disk_away(self, folder: Path) -> None:
        """A disk beneath a root is not mounted any more; its pictures are kept as they are."""

    def indexed(self, root: Path, counts: Mapping[str, Any]) -> None:
        """A run has ended; `counts` are the fields of its `Summary`."""

    def failed(self, root: Path | str, error: Exception) -> None:
        """A run has failed, or the library cannot be read; it is tried again later."""


class Watcher:
    """Watches some folders of a library, by default all its roots, including those that are added later."""

    def __init__(
        self,
        library: Library,
        runs: Runs,
        settings: WatchSettings | None = None,
        report: WatchReport | None = None,
        *,
        folders: Sequence[Path] = (),
        open_source: OpenSource = Notifications,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._library = library
        self._runs = runs
        self._settings = settings or WatchSettings()
        self._report = report or WatchReport()
        self._folders = tuple(folders)
        self._open_source = open_source
        self._clock = clock
        self._roots: dict[Path, WatchedRoot] = {}
        self._next_check = clock()

    def watch(self, stop: Event) -> None:
        """Watch until `stop` is set."""
        try:
            while not stop.wait(TICK_SECONDS):
                self.tick()
        except WatchStopped:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Stop receiving notifications."""
        for root in self._roots.values():
            root.close()

    def tick(self) -> None:
        """Do what is due. Raises `WatchStopped` from a run."""
        if self._clock() >= self._next_check:
            self._next_check = self._clock() + CHECK_SECONDS
            self._check()
        ran = False
        for root in list(self._roots.values()):
            due = root.due() if root.is_there else None
            if due is not None:
                self._index(root, due)
                ran = True
        if not ran:
            self._runs.idle()

    def _check(self) -> None:
        try:
            folders = self._folders or tuple(path for _, path in folder_roots(self._library))
        except LibraryError as exc:  # busy, or a full disk
            self._report.failed(self._library.location, exc)
            self._next_check = self._clock() + RETRY_SECONDS
            return
        for path in self._roots.keys() - set(folders):
            self._roots.pop(path).close()
        for path in folders:
            if path not in self._roots:
                self._roots[path] = self._open(path)
            self._check_root(self._roots[path])

    def _check_root(self, root: WatchedRoot) -> None:
        before = root.away_mounts
        is_new = root.check()
        if not root.is_there:
            self._suspend(root, "the folder does not exist or cannot be read")
        elif is_new:
            self._report.watching(root.path, root.method, root.interval, root.reason)
        for mount in sorted(root.away_mounts - before):
            self._report.disk_away(root.path / mount.decode("utf-8", "surrogateescape"))

    def _open(self, path: Path) -> WatchedRoot:
        settings = self._settings
        pending = PendingChanges(path, settle=settings.settle, ignored=[self._library.path], clock=self._clock)
        return WatchedRoot(
            path,
            pending,
            self._open_source,
            poll=settings.poll,
            fallback_poll=settings.fallback_poll,
            rescan=settings.rescan,
            clock=self._clock,
        )

    def _index(self, root: WatchedRoot, due: Due) -> None:
        started = self._clock()
        try:
            counts = self._runs.run(root.path, due.changed)
        except RunPostponed:
            root.put_back(due, min(MAKE_WAY_SECONDS * 2**root.postponed, MAX_PAUSE_SECONDS))
            root.postponed += 1
        except (SightlineError, JobFailed) as exc:
            pause = max(RETRY_SECONDS * 2**root.failed, self._clock() - started)
            root.put_back(Due(None), min(pause, MAX_PAUSE_SECONDS))
            root.failed += 1
            name = exc.problem if isinstance(exc, JobFailed) else type(exc).__name__
            if name in AWAY:
                self._suspend(root, str(exc))
            else:
                self._report.failed(root.path, exc)
        else:
            root.is_away, root.postponed, root.failed = False, 0, 0
            self._report.indexed(root.path, counts)
            if due.changed is None:
                ended = self._clock()
                root.note_scan()
                root.not_before = ended + min(ended - started, MAX_PAUSE_SECONDS)

    def _suspend(self, root: WatchedRoot, reason: str) -> None:
        if not root.is_away:
            self._report.suspended(root.path, reason)
        root.is_away = True
