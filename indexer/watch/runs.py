"""Index what has changed: in this thread, or as a job of the queue."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Protocol

from core.errors import SpaceMismatch, UnknownJob, WeightsChanged
from core.root_files.waiting import checks_while_waiting
from encoders import registry
from encoders.base import Encoder
from encoders.placement import DEFAULT_PLACEMENT, Placement
from indexer.changed_folders import ChangedFolders
from indexer.index_changed import index_changed
from indexer.pipeline import IndexSettings, index
from indexer.summary import Progress, Summary
from store.jobs import JobState, add_job, find_job
from store.library import Library
from store.spaces.registry import model_space

__all__ = ["DirectRuns", "JobFailed", "QueuedRuns", "RunPostponed", "Runs", "WatchStopped"]

IDLE_SECONDS = 600.0
"""Time without a run after which the model is removed from memory."""

POLL_SECONDS = 0.2


class WatchStopped(BaseException):  # like KeyboardInterrupt, no `except Exception` may hide it
    """The process is asked to stop. What has been written is kept."""


class RunPostponed(BaseException):
    """Another run waits for the same root, and goes first."""


class JobFailed(Exception):
    """A job of the queue failed: `problem` is the name of the error, and the message that of the error."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class Runs(Protocol):
    """How changes are indexed."""

    def run(self, root: Path, changed: ChangedFolders | None) -> Mapping[str, Any]:
        """Index the changed folders of a root, or all of it (None); return the fields of the `Summary`.

        Raises the errors of `index`, `JobFailed`, `WatchStopped` and `RunPostponed`.
        """

    def idle(self) -> None:
        """Nothing is to be indexed at the moment."""


class DirectRuns:
    """Indexes in this thread. The model is kept in memory between runs, for some minutes.

    Runs stop after a batch when `stop` is set, and make way for others.
    """

    def __init__(
        self,
        library: Library,
        stop: Event,
        *,
        settings: IndexSettings | None = None,
        placement: Placement = DEFAULT_PLACEMENT,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._library = library
        self._settings = settings or IndexSettings()
        self._placement = placement
        self._progress = _StoppableProgress(stop)
        self._clock = clock
        self._encoder: Encoder | None = None
        self._used = 0.0

    def run(self, root: Path, changed: ChangedFolders | None) -> Mapping[str, Any]:
        """Index the changed folders of a root, or all of it."""
        try:
            with checks_while_waiting(self._progress.check):
                return vars(self._index(root, changed))
        except (SpaceMismatch, WeightsChanged):  # the model of the library has been changed
            self._encoder = None
            with checks_while_waiting(self._progress.check):
                return vars(self._index(root, changed))
        finally:
            self._used = self._clock()

    def idle(self) -> None:
        """Remove the model from memory if it was not used for a while."""
        if self._encoder is not None and self._clock() - self._used > IDLE_SECONDS:
            self._encoder = None

    def _index(self, root: Path, changed: ChangedFolders | None) -> Summary:
        if self._encoder is None:
            stored = model_space(self._library)
            space = None if stored is None else stored.space
            self._encoder = registry.load_for_indexing(None, space, self._placement)
        if changed is None:
            return index(self._library, root, self._encoder, self._settings, self._progress)
        return index_changed(self._library, root, changed, self._encoder, self._settings, self._progress)


class _StoppableProgress(Progress):
    """Stops a run after its batch when the process is to end, and for another run that waits for the root."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop

    def check(self) -> None:
        """Raise `WatchStopped` if the process is to end."""
        if self._stop.is_set():
            raise WatchStopped

    def scanned(self, files: int) -> None:  # noqa: ARG002 (as the base class has it)
        """Raise `WatchStopped` if the process is to end."""
        self.check()

    def make_way(self) -> None:
        """Let a run in a terminal go first."""
        raise RunPostponed


class QueuedRuns:
    """Indexes in jobs of the queue, which wait while people search, and can be seen, paused and cancelled.

    `wake` is called after a job has been added.
    """

    def __init__(self, library: Library, stop: Event, wake: Callable[[], None]) -> None:
        self._library = library
        self._stop = stop
        self._wake = wake

    def run(self, root: Path, changed: ChangedFolders | None) -> Mapping[str, Any]:
        """Add a job, and wait until it is finished."""
        parameters: dict[str, Any] = {"folders": [str(root)]}
        if changed is not None:
            parameters["changed"] = changed.to_json()
        job = add_job(self._library, "index", parameters)
        self._wake()
        while not job.state.is_finished:
            if self._stop.wait(POLL_SECONDS):
                raise WatchStopped
            try:
                job = find_job(self._library, job.id)
            except UnknownJob:  # it was finished and removed from the list
                return {}
        if job.state is JobState.FAILED:
            raise JobFailed(job.problem or "", job.error or "")
        return job.summary or {}

    def idle(self) -> None:
        """Do nothing: a job removes its model from memory when it ends."""
