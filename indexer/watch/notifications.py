"""Notifications of the system about changed files, received by a thread."""

import os
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path
from threading import Event, Thread
from typing import TypeAlias

from core.errors import ExtraMissing
from indexer.watch.changes import PendingChanges

__all__ = ["Notifications", "require_watchfiles"]

STEP_MS = 200
"""Interval at which received notifications are looked at."""

TIMEOUT_MS = 1_000
"""Time without notifications after which an empty set is returned."""

RESTART_SECONDS = 5.0
"""Pause before notifications are requested again after an error, so that one that persists costs little."""

MAX_ERRORS = 3
"""After as many errors in a row, the root is polled instead."""

Batches: TypeAlias = Iterable[AbstractSet[tuple[int, str]]]
"""Sets of kinds of changes and absolute paths. The first set means that changes are being reported from now on."""


def require_watchfiles() -> None:
    """Raise `ExtraMissing` if the library for notifications is not installed."""
    try:
        import watchfiles  # noqa: F401
    except ImportError as exc:
        raise ExtraMissing("Watching folders", "watch") from exc


class Notifications:
    """Passes the changes beneath a folder to `changes`, until `close`.

    Everything counts as changed when notifications begin, and after an error, which may have hidden some. `watchfiles`
    fails for a name that is not UTF-8, and has to be started again then. `failure` is why notifications have ended.
    """

    def __init__(
        self,
        folder: Path,
        changes: PendingChanges,
        receive: Callable[[Path, Event], Batches] | None = None,
        restart_seconds: float = RESTART_SECONDS,
    ) -> None:
        self.failure: Exception | None = None
        self._folder = folder
        self._changes = changes
        self._receive = receive or _receive
        self._restart_seconds = restart_seconds
        self._stop = Event()
        self._thread = Thread(target=self._run, name="sightline-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop receiving notifications."""
        self._stop.set()
        self._thread.join(TIMEOUT_MS / 1000)

    def _run(self) -> None:
        errors = 0
        while not self._stop.is_set():
            try:
                for number, batch in enumerate(self._receive(self._folder, self._stop)):
                    if number == 0:
                        self._changes.add_everything()
                    self._changes.add(os.fsencode(path) for _, path in batch)
                    errors = errors if number == 0 else 0
                return
            except (OSError, RuntimeError) as exc:  # no folder; too many folders; a name that is not UTF-8
                errors += 1
                if errors >= MAX_ERRORS:
                    self.failure = exc
                    return
                self._stop.wait(self._restart_seconds)


def _receive(folder: Path, stop: Event) -> Batches:
    from watchfiles import watch

    return watch(
        folder,
        watch_filter=None,
        debounce=5 * STEP_MS,
        step=STEP_MS,
        stop_event=stop,
        rust_timeout=TIMEOUT_MS,
        yield_on_timeout=True,
        force_polling=False,
        ignore_permission_denied=True,
    )
