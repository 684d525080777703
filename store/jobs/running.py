"""The queue as the process sees it that runs the jobs, which holds the lock of `Library.job_lock_if_free`."""

import os
import socket
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from store.catalog.tables import JobRow
from store.jobs.job import Job, JobState, Wish
from store.jobs.rows import finish_row, now, prune, require_job, update_row
from store.library import Library

__all__ = [
    "claim_next",
    "end_run",
    "fail_run",
    "give_way",
    "has_more_urgent",
    "read_wish",
    "record_progress",
    "take_up",
]

MAX_CRASHES = 3
"""How many processes in a row may end while they run a job, without any progress, before it counts as failed."""


def take_up(library: Library) -> None:
    """Queue the jobs whose process ended while it ran them; pause, cancel or fail those that should not run again.

    Only for the holder of the lock of `Library.job_lock_if_free`, before it runs any job.
    """
    with library.transaction() as connection:
        rows = connection.execute(select(JobRow.__table__).where(JobRow.state == JobState.RUNNING)).all()
        for row in rows:
            crashes = row.crashes + 1
            if row.wish is None and crashes >= MAX_CRASHES:
                error = f"The process ended {crashes} times while it ran this job."
                finish_row(connection, row.id, JobState.FAILED, problem="JobCrashed", error=error)
            else:
                _stop(connection, row.id, None if row.wish is None else Wish(row.wish), crashes)


def claim_next(library: Library) -> Job | None:
    """Mark the most urgent queued job as running, and return it; None if no job is queued.

    Only for the holder of the lock of `Library.job_lock_if_free`.
    """
    first = (
        select(JobRow.id).where(JobRow.state == JobState.QUEUED).order_by(JobRow.priority.desc(), JobRow.id).limit(1)
    )
    with library.read() as connection:
        if connection.scalar(first) is None:
            return None
    with library.transaction() as connection:
        job_id = connection.scalar(first)
        if job_id is None:
            return None
        owner = f"{socket.gethostname()}:{os.getpid()}"
        values = {"phase": "starting", "started_at": now(), "owner": owner, "wish": None}
        update_row(connection, job_id, state=JobState.RUNNING, **values)
        return require_job(connection, job_id)


def read_wish(library: Library, job_id: int) -> Wish | None:
    """Return what a running job has been asked to do."""
    with library.read() as connection:
        wish = connection.scalar(select(JobRow.wish).where(JobRow.id == job_id))
    return None if wish is None else Wish(wish)


def has_more_urgent(library: Library, job: Job) -> bool:
    """Return whether a job of a higher priority is queued."""
    statement = select(JobRow.id).where(JobRow.state == JobState.QUEUED, JobRow.priority > job.priority).limit(1)
    with library.read() as connection:
        return connection.scalar(statement) is not None


def record_progress(library: Library, job_id: int, phase: str, done: int, total: int | None) -> None:
    """Record the progress of a running job, so that other processes and the next one see it."""
    with library.transaction() as connection:
        before = connection.execute(select(JobRow.phase, JobRow.done).where(JobRow.id == job_id)).one_or_none()
        values: dict[str, Any] = {"phase": phase, "done": done, "total": total}
        if before is not None and before.phase == phase and done > before.done:
            values["crashes"] = 0
        update_row(connection, job_id, **values)


def give_way(library: Library, job_id: int) -> Job:
    """Record that a running job has stopped before its end: as it was asked to, or else to be continued later."""
    with library.transaction() as connection:
        wish = connection.scalar(select(JobRow.wish).where(JobRow.id == job_id))
        _stop(connection, job_id, None if wish is None else Wish(wish), crashes=0)
        return require_job(connection, job_id)


def end_run(library: Library, job_id: int, summary: Mapping[str, Any]) -> None:
    """Record that a running job is done."""
    with library.transaction() as connection:
        finish_row(connection, job_id, JobState.DONE, summary=dict(summary))
        prune(connection)


def fail_run(library: Library, job_id: int, problem: str, error: str) -> None:
    """Record that a running job has failed."""
    with library.transaction() as connection:
        finish_row(connection, job_id, JobState.FAILED, problem=problem, error=error)
        prune(connection)


def _stop(connection: Connection, job_id: int, wish: Wish | None, crashes: int) -> None:
    """Take a running job out of that state as `wish` says."""
    if wish is Wish.CANCEL:
        finish_row(connection, job_id, JobState.CANCELLED)
        return
    state = JobState.PAUSED if wish is Wish.PAUSE else JobState.QUEUED
    update_row(connection, job_id, state=state, wish=None, crashes=crashes)
