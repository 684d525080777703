"""What a running job reports to, and where it learns that it should stop."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

from core.errors import LibraryError
from indexer.jobs.activity import Activity
from indexer.summary import Progress
from store.jobs import Job, has_more_urgent, read_wish, record_progress
from store.library import Library

__all__ = ["JobControl", "JobInterrupted", "JobProgress"]

READ_INTERVAL_SECONDS = 0.25
"""Interval at which a running job looks for what it has been asked to do, and for more urgent jobs."""

WRITE_INTERVAL_SECONDS = 2.0
"""Interval at which the progress is written to the catalogue. In its own process, it is current."""


class JobInterrupted(BaseException):  # like KeyboardInterrupt, no `except Exception` may hide it
    """Raised inside a job to stop it between two batches; what has been written is kept."""


@dataclass(frozen=True)
class JobProgress:
    """How far a job is, in pictures, or in bytes while it downloads. `total` is None while it is unknown."""

    phase: str
    done: int = 0
    total: int | None = None


class JobControl(Progress):
    """The progress of one job. `check` and each report raise `JobInterrupted` if the job should stop.

    A job stops because it has been asked to, because a more urgent one is queued, because another process waits for the
    same root, or because its process is `closing`.
    """

    def __init__(self, library: Library, job: Job, activity: Activity, closing: Callable[[], bool]) -> None:
        self.progress = JobProgress("starting")
        self._library = library
        self._job = job
        self._activity = activity
        self._closing = closing
        self._read_at = monotonic()
        self._written_at = monotonic()

    def check(self) -> None:
        """Wait while people search, and raise `JobInterrupted` if the job should stop."""
        self.require_wanted()
        self._activity.wait_until_quiet(self._closing)
        self.require_wanted()

    def make_way(self) -> None:
        """Stop for a run in a terminal, which waits for the same root."""
        raise JobInterrupted

    def waiting(self) -> None:
        """Report that another process is changing the library."""
        self._report(replace(self.progress, phase="waiting"))

    def scanned(self, files: int) -> None:
        """Report the number of files that the scan has seen."""
        self._report(JobProgress("scanning", files))

    def begin(self, files: int) -> None:
        """Report the number of files to read."""
        self._report(JobProgress("embedding", 0, files))

    def advance(self, files: int) -> None:
        """Report that more files have been written."""
        self._report(JobProgress("embedding", self.progress.done + files, self.progress.total))

    def downloaded(self, done: int, total: int) -> None:
        """Report the number of bytes that have been downloaded."""
        self._report(JobProgress("downloading", done, total))

    def publish(self) -> None:
        """Report the last step."""
        self._report(replace(self.progress, phase="publishing"))

    def _report(self, progress: JobProgress) -> None:
        self.progress = progress
        now = monotonic()
        if now - self._written_at >= WRITE_INTERVAL_SECONDS:
            self._written_at = now
            record_progress(self._library, self._job.id, progress.phase, progress.done, progress.total)
        self.require_wanted()

    def notice_stop(self) -> None:
        """As `require_wanted`, while a job waits for something else than the library.

        A library that cannot be read at this moment is no error of what the job waits for, such as a store of pictures,
        whose files would be recorded as unreadable.
        """
        with suppress(LibraryError):
            self.require_wanted()

    def require_wanted(self) -> None:
        """Raise `JobInterrupted` if the job should stop."""
        if self._closing():
            raise JobInterrupted
        now = monotonic()
        if now - self._read_at < READ_INTERVAL_SECONDS:
            return
        self._read_at = now
        if read_wish(self._library, self._job.id) is not None or has_more_urgent(self._library, self._job):
            raise JobInterrupted
