"""`sightline watch`."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from cli.error_hints import describe_error
from cli.output import print_json, print_text, shown, warn
from cli.paths import logical_path
from core.errors import FolderNotFound, SightlineError
from core.files import absolute
from core.memory import limit_memory_pools
from core.root_files import is_folder
from encoders.placement import Placement
from indexer.watch import DirectRuns, Watcher, WatchReport, WatchSettings
from indexer.watch.notifications import require_watchfiles
from indexer.watch.watched_root import Method
from store import Library
from store.root_places import require_root_here
from store.roots import ensure_root, find_location, folder_roots

__all__ = ["PrintedReport", "watch_folders"]


OUTCOMES = {
    "new": "new",
    "changed": "changed",
    "moved": "moved",
    "restored": "restored",
    "missing": "missing",
    "failed": "failed",
    "metadata_updated": "with new metadata",
}
"""The counts of a run that mean that something has changed, and how they are printed."""


def watch_folders(
    paths: Sequence[Path], *, library: Path, placement: Placement, settle: float, poll: float | None, as_json: bool
) -> None:
    """Watch folders until SIGINT or SIGTERM."""
    if poll is None:
        require_watchfiles()
    folders = [absolute(logical_path(path)) for path in paths]
    if folders and not Library.exists(library):  # a disk or a store that is away comes back for a library that has it
        for folder in folders:
            if not is_folder(folder):
                raise FolderNotFound(folder)
    limit_memory_pools()
    with Library.open(library, create=bool(folders)) as opened, _stopped_by_signals() as stop:
        watched = [_require_root(opened, folder) for folder in folders]
        if not watched and not folder_roots(opened):
            warn("the library has no folders yet; those that are added will be watched")
        settings = WatchSettings(settle=settle, poll=poll)
        runs = DirectRuns(opened, stop, placement=placement)
        watcher = Watcher(opened, runs, settings, PrintedReport(as_json=as_json), folders=watched)
        watcher.watch(stop)


def _require_root(library: Library, folder: Path) -> Path:
    """Return a folder that is in the library, adding it if it is not."""
    location = find_location(library, folder)
    if location is None:
        if not is_folder(folder):
            raise FolderNotFound(folder)
        require_root_here(library, folder)
        with library.exclusive() as writer:
            ensure_root(writer, folder)
    return folder


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Yield an event that SIGINT and SIGTERM set. The second signal ends the process at once."""
    stop = Event()
    before: dict[signal.Signals, Any] = {}

    def request(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, request)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class PrintedReport(WatchReport):
    """Prints one line for each run that changed something to standard output, and the rest to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def watching(self, root: Path, method: Method, interval: float, reason: str) -> None:
        """Say how a root is watched."""
        if method is Method.NOTIFICATIONS:
            warn(f"watching {shown(root)}")
        else:
            because = f": {reason}" if reason else ""
            warn(f"scanning {shown(root)} every {interval:g} seconds{because}")

    def suspended(self, root: Path, reason: str) -> None:
        """Say that a root is away."""
        warn(f"waiting for {shown(root)}: {reason}")

    def disk_away(self, folder: Path) -> None:
        """Say that a disk beneath a root is away."""
        warn(f"{shown(folder)} is not mounted any more; its pictures are kept as they are")

    def indexed(self, root: Path, counts: Mapping[str, Any]) -> None:
        """Print what a run has changed."""
        outcomes = [f"{counts[name]:,} {words}" for name, words in OUTCOMES.items() if counts.get(name)]
        if not outcomes:
            return
        now = datetime.now().astimezone().replace(microsecond=0)
        if self._as_json:
            print_json({"time": now, "path": root, **counts})
        else:
            print_text(f"{now:%Y-%m-%d %H:%M:%S}  {shown(root)}: {', '.join(outcomes)} ({counts['seconds']:.1f} s)")
        sys.stdout.flush()  # the reader may be a log, or another program

    def failed(self, root: Path | str, error: Exception) -> None:
        """Say why a run failed."""
        message = describe_error(error) if isinstance(error, SightlineError) else str(error)
        warn(f"could not index {shown(root)}, and will try again: {message}")
