"""The thread that runs the queue of jobs, one job at a time, the most urgent first.

Several processes may have a worker for the same library. One of them holds the lock of the queue and runs all jobs; the
others wait for the lock. A worker that gets it continues the jobs of the process that held it before.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock, Thread
from typing import TypeAlias

from core.errors import LibraryError, SightlineError
from core.memory import release_memory
from core.root_files.waiting import checks_while_waiting
from indexer.jobs.activity import Activity
from indexer.jobs.control import JobControl, JobInterrupted
from indexer.jobs.kinds import require_kind
from store.jobs import Job, claim_next, end_run, fail_run, give_way, record_progress, take_up
from store.library import Library

__all__ = ["JobWorker", "describe_plainly"]

POLL_SECONDS = 0.5
"""Interval at which an idle worker looks for jobs of other processes, and a waiting one for the lock."""

RETRY_SECONDS = 5.0
"""Time after which a worker tries again to read a library that could not be read."""

STOP_TIMEOUT_SECONDS = 3.0
"""How long a job may take to stop when the process ends."""

UNEXPECTED = ("InternalError", "An unexpected error occurred in Sightline.")

DescribeError: TypeAlias = Callable[[SightlineError], tuple[str, str]]
"""Returns the stable name of an error, and what to tell a user about it."""


def describe_plainly(error: SightlineError) -> tuple[str, str]:
    """Return the name of the class of an error, and its message, in which bytes that are not UTF-8 are escaped."""
    return type(error).__name__, str(error).encode("utf-8", "backslashreplace").decode()


class JobWorker:
    """Runs the jobs of a library in a thread, from `start` to `close`. Thread-safe."""

    def __init__(
        self, library: Library, activity: Activity | None = None, describe: DescribeError = describe_plainly
    ) -> None:
        self.closing = False
        """Set as soon as the process is asked to stop; the running job then stops after its batch."""
        self._library = library
        self._activity = activity or Activity()
        self._describe = describe
        self._wake = Event()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._running: tuple[int, JobControl] | None = None

    def start(self) -> None:
        """Start the thread, unless it runs already."""
        with self._starting:
            if self._thread is None and not self.closing:
                # A daemon thread: a job that waits for another process must not keep this one alive.
                self._thread = Thread(target=self._serve, name="sightline-jobs", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Look for jobs at once, because one has been added."""
        self._wake.set()

    def close(self) -> None:
        """Stop the running job and wait a moment for it; it is continued by the next worker."""
        self.closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_SECONDS)

    def is_running(self) -> bool:
        """Return whether the thread runs, also after `close`."""
        return self._thread is not None and self._thread.is_alive()

    def is_busy(self) -> bool:
        """Return whether a job runs here."""
        return self._running is not None

    def current(self, job: Job) -> Job:
        """Return `job` with its latest progress, which is written to the catalogue less often if it runs here."""
        running = self._running
        if running is None or running[0] != job.id:
            return job
        progress = running[1].progress
        return replace(job, phase=progress.phase, done=progress.done, total=progress.total)

    def run_queue(self) -> bool:
        """Run the queued jobs in this thread until none is left; return whether another process runs them instead."""
        with self._library.job_lock_if_free() as is_held:
            if is_held:
                take_up(self._library)
                while not self.closing and self._run_next():
                    pass
        return not is_held

    def _serve(self) -> None:
        while not self.closing:
            try:
                with self._library.job_lock_if_free() as is_held:
                    if is_held:
                        self._run_jobs()
            except LibraryError:  # a full disk, a folder that cannot be written
                self._wake.wait(RETRY_SECONDS)
            self._sleep()

    def _run_jobs(self) -> None:
        take_up(self._library)
        while not self.closing:
            if not self._run_next():
                self._sleep()

    def _sleep(self) -> None:
        self._wake.wait(POLL_SECONDS)
        if not self.closing:
            self._wake.clear()

    def _run_next(self) -> bool:
        job = claim_next(self._library)
        if job is not None:
            control = JobControl(self._library, job, self._activity, lambda: self.closing)
            self._running = (job.id, control)
            try:
                self._run(job, control)
            finally:
                self._running = None
                release_memory()  # of models and pictures
        return job is not None

    def _run(self, job: Job, control: JobControl) -> None:
        try:
            with checks_while_waiting(control.notice_stop):
                summary = require_kind(job.kind).run(self._library, job.parameters, control)
        except JobInterrupted:
            self._note(job, control)
            give_way(self._library, job.id)
        except SightlineError as exc:
            self._note(job, control)
            fail_run(self._library, job.id, *self._describe(exc))
        except Exception as exc:
            trace = "".join(traceback.format_tb(exc.__traceback__))  # the message may contain the names of files
            logging.getLogger("sightline.jobs").error("%s\n%s", type(exc).__qualname__, trace)
            fail_run(self._library, job.id, *UNEXPECTED)
        except BaseException:  # Ctrl-C
            give_way(self._library, job.id)
            raise
        else:
            self._note(job, control)
            end_run(self._library, job.id, summary)

    def _note(self, job: Job, control: JobControl) -> None:
        progress = control.progress
        record_progress(self._library, job.id, progress.phase, progress.done, progress.total)
