"""Snapshots of user data, written by the server after changes, while no search runs.

A search never waits: a snapshot is read within one read transaction, in a thread of its own.
"""

import logging
import os
from threading import Event, Thread
from time import monotonic

from core.errors import LibraryError
from indexer.jobs import Activity
from search.evaluate.kept_judgements import JUDGEMENTS_FOLDER, read_judgements
from store.backup.taking import take_snapshots_if_due
from store.change_counter import ChangeCounter
from store.library import Library
from store.shared_files import shared_folder

__all__ = ["SnapshotKeeper"]

CHECK_SECONDS = 60.0
"""Interval at which the server looks whether anything has changed."""

PAUSE_FACTOR = 50
"""A snapshot that took this long is followed by a pause so many times as long: it takes 2 % of the time at most."""

STOP_SECONDS = 10.0
"""How long the server waits for a snapshot that is being written when it stops."""


class SnapshotKeeper:
    """Writes snapshots of one library in a thread, and a last one when the server stops."""

    def __init__(
        self, library: Library, activity: Activity, changes: ChangeCounter, interval: float = CHECK_SECONDS
    ) -> None:
        self._library = library
        self._activity = activity
        self._changes = changes
        self._interval = interval
        self._stop = Event()
        self._thread = Thread(target=self._run, name="sightline-snapshots", daemon=True)
        self._at_start: object = None
        """The state of the library when the server was started."""
        self._kept: object = None
        """Its state at the last snapshot."""
        self._last_warning = ""

    def start(self) -> None:
        """Start the thread, unless the library may not be written to."""
        if self._library.read_only is None:
            self._at_start = self._state()
            self._thread.start()

    def close(self) -> None:
        """Stop the thread, and write a snapshot if anything has changed since the last one, or since the start."""
        if not self._thread.is_alive():
            return
        self._stop.set()
        self._thread.join(STOP_SECONDS)
        if not self._thread.is_alive() and (self._kept is not None or self._state() != self._at_start):
            self._keep()

    def keep(self) -> None:
        """Write a snapshot now, if user data has changed since the last one: before something is removed."""
        self._keep(always=True)

    def _run(self) -> None:
        pause = self._interval
        while not self._stop.wait(pause):
            self._activity.wait_until_quiet(self._stop.is_set)
            if not self._stop.is_set():
                before = monotonic()
                self._keep()
                pause = max(self._interval, PAUSE_FACTOR * (monotonic() - before))

    def _keep(self, *, always: bool = False) -> None:
        try:
            state = self._state()
            if state != self._kept and take_snapshots_if_due(
                self._library, lambda: read_judgements(self._library), self._warn, always=always
            ):
                self._kept = state
        except (LibraryError, OSError) as exc:  # a disk that is away for a moment does not end the thread
            self._warn(str(exc))

    def _state(self) -> object:
        """Return what differs after every change of the catalogue and of the judgements."""
        folder = shared_folder(self._library) / JUDGEMENTS_FOLDER
        times = [os.stat(file).st_mtime_ns for file in folder.glob("*.txt")] if folder.exists() else []  # noqa: PTH116
        return self._changes.value(), sorted(times)

    def _warn(self, message: str) -> None:
        if message != self._last_warning:
            self._last_warning = message
            logging.getLogger("sightline.snapshots").warning("%s", message)
