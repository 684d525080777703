"""Index pictures as soon as they change while a library is served: in jobs, which make room for searches."""

import logging
from pathlib import Path
from threading import Event, Thread

from indexer.jobs import JobWorker
from indexer.watch import QueuedRuns, Watcher, WatchReport
from store.library import Library

__all__ = ["FolderWatching"]

STOP_TIMEOUT_SECONDS = 3.0
"""How long the thread may take to stop when the process ends."""


class FolderWatching:
    """Watches the folders of a library in a thread, from `start` to `close`."""

    def __init__(self, library: Library, jobs: JobWorker) -> None:
        self._stop = Event()
        self._watcher = Watcher(library, QueuedRuns(library, self._stop, jobs.wake), report=_LoggedReport())
        self._thread = Thread(target=self._run, name="sightline-watcher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching, and wait a moment for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        try:
            self._watcher.watch(self._stop)
        except Exception:
            logging.getLogger("sightline.watch").exception("The folders are not watched any more.")


class _LoggedReport(WatchReport):
    """Writes what keeps folders from being watched to the log. The list of jobs has the runs."""

    def suspended(self, root: Path, reason: str) -> None:
        """Log that a root is away."""
        logging.getLogger("sightline.watch").warning("Waiting for %s: %s", root, reason)

    def failed(self, root: Path | str, error: Exception) -> None:
        """Log that a run failed."""
        logging.getLogger("sightline.watch").warning("Could not index %s: %s", root, error)
