"""The queue of long-running work, in the catalogue: it outlives the processes that add jobs and run them.

    add -> queued -> running -> done
             |  ^       |
             |  |       +-> failed, cancelled   -> retry -> queued
             v  |       +-> paused              -> resume -> queued
           paused       +-> queued (gives way to a job of a higher priority; its process ended)

One process at a time runs jobs: the one that holds the lock of `Library.job_lock_if_free`. The lock ends with that
process, so its holder knows that no job of another process is running, and `take_up` queues those that are
still recorded as running. Any process may add jobs and act on them. What it asks of a running job is recorded as a
wish, which the process that runs the job reads between two batches.

Finished jobs are kept for `KEPT_DAYS` days, and at most `MAX_FINISHED_JOBS` of them.
"""

import os
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from core.errors import JobActionRefused, TooManyJobs, UnknownJob
from store.catalog.tables import JobRow
from store.library import Library

__all__ = [
    "Action",
    "Job",
    "JobState",
    "Priority",
    "Wish",
    "act",
    "add_job",
    "claim_next",
    "count_jobs",
    "end_run",
    "fail_run",
    "find_job",
    "give_way",
    "has_more_urgent",
    "list_jobs",
    "read_wish",
    "record_progress",
    "take_up",
]

MAX_FINISHED_JOBS = 100
"""How many finished jobs are kept."""

KEPT_DAYS = 30
"""How long finished jobs are kept."""

MAX_UNFINISHED_JOBS = 1_000
"""How many jobs may be queued, paused or running."""

MAX_CRASHES = 3
"""How many processes in a row may end while they run a job, without any progress, before it counts as failed."""


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        """Whether the job is neither running nor waiting for anything."""
        return self in FINISHED


FINISHED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class Action(StrEnum):
    """What a user can do with a job."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


class Wish(StrEnum):
    """What a running job has been asked to do."""

    PAUSE = "pause"
    CANCEL = "cancel"


class Priority(IntEnum):
    """How urgent a job is."""

    LOW = 0
    NORMAL = 10
    HIGH = 20


TRANSITIONS: Mapping[Action, Mapping[JobState, JobState]] = MappingProxyType(
    {
        Action.PAUSE: {JobState.QUEUED: JobState.PAUSED, JobState.PAUSED: JobState.PAUSED},
        Action.RESUME: {JobState.PAUSED: JobState.QUEUED, JobState.QUEUED: JobState.QUEUED},
        Action.CANCEL: {
            JobState.QUEUED: JobState.CANCELLED,
            JobState.PAUSED: JobState.CANCELLED,
            JobState.CANCELLED: JobState.CANCELLED,
        },
        Action.RETRY: {JobState.FAILED: JobState.QUEUED, JobState.CANCELLED: JobState.QUEUED},
    }
)
"""The state after an action, by the state before it. A job that is running gets a wish instead, see `WISHES`."""

WISHES: Mapping[Action, Wish | None] = MappingProxyType(
    {Action.PAUSE: Wish.PAUSE, Action.CANCEL: Wish.CANCEL, Action.RESUME: None}
)
"""The wish of a running job after an action. Resuming withdraws a pause, but not a cancellation."""


@dataclass(frozen=True)
class Job:
    """A snapshot of a job. Times are in UTC."""

    id: int
    kind: str
    parameters: Mapping[str, Any]
    priority: int
    state: JobState
    wish: Wish | None
    phase: str
    done: int
    total: int | None
    owner: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    summary: Mapping[str, Any] | None
    problem: str | None
    error: str | None


def add_job(library: Library, kind: str, parameters: Mapping[str, Any], priority: int = Priority.NORMAL) -> Job:
    """Add a job to the queue, and return it. An equal job that is still queued is returned instead.

    Raises `TooManyJobs`.
    """
    with library.transaction() as connection:
        _prune(connection)
        unfinished = connection.execute(select(JobRow.__table__).where(JobRow.state.not_in(FINISHED))).all()
        for row in unfinished:
            same = (row.kind, row.parameters) == (kind, dict(parameters))
            if same and row.state == JobState.QUEUED and row.priority >= priority:
                return _job(row)
        if len(unfinished) >= MAX_UNFINISHED_JOBS:
            raise TooManyJobs(MAX_UNFINISHED_JOBS)
        values = {
            "kind": kind,
            "parameters": dict(parameters),
            "priority": priority,
            "state": JobState.QUEUED,
            "created_at": _now(),
            **_UNSTARTED,
        }
        job_id = connection.execute(insert(JobRow).values(values).returning(JobRow.id)).scalar_one()
        return _require(connection, job_id)


def list_jobs(library: Library) -> list[Job]:
    """Return all jobs: the running one, those that wait in the order in which they will run, and finished ones.

    Of the finished ones, the latest comes first.
    """
    order = case({JobState.RUNNING: 0, JobState.QUEUED: 1, JobState.PAUSED: 1}, value=JobRow.state, else_=2)
    waits = order < 2
    statement = select(JobRow.__table__).order_by(
        order, case((waits, -JobRow.priority), else_=0), case((waits, JobRow.id), else_=-JobRow.id)
    )
    with library.read() as connection:
        return [_job(row) for row in connection.execute(statement)]


def count_jobs(library: Library) -> Counter[tuple[str, JobState]]:
    """Return the number of jobs by kind and state."""
    statement = select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
    with library.read() as connection:
        return Counter({(row[0], JobState(row[1])): row[2] for row in connection.execute(statement)})


def find_job(library: Library, job_id: int) -> Job:
    """Return a job. Raises `UnknownJob`."""
    with library.read() as connection:
        return _require(connection, job_id)


def act(library: Library, job_id: int, action: Action) -> Job:
    """Pause, resume, cancel or retry a job, and return it.

    A job that is running is asked to, and does so after its current batch. What it has written is kept. Raises
    `UnknownJob`, and `JobActionRefused` if a job in this state cannot be treated so.
    """
    with library.transaction() as connection:
        job = _require(connection, job_id)
        if job.state is JobState.RUNNING and action in WISHES:
            wish = job.wish if job.wish is Wish.CANCEL else WISHES[action]
            _update(connection, job_id, wish=wish)
        elif job.state in TRANSITIONS[action]:
            _change(connection, job, TRANSITIONS[action][job.state], is_new_try=action is Action.RETRY)
        else:
            raise JobActionRefused(job_id, job.state, action)
        return _require(connection, job_id)


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
                _finish(connection, row.id, JobState.FAILED, problem="JobCrashed", error=error)
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
        values = {"phase": "starting", "started_at": _now(), "owner": owner, "wish": None}
        _update(connection, job_id, state=JobState.RUNNING, **values)
        return _require(connection, job_id)


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
        _update(connection, job_id, **values)


def give_way(library: Library, job_id: int) -> Job:
    """Record that a running job has stopped before its end: as it was asked to, or else to be continued later."""
    with library.transaction() as connection:
        wish = connection.scalar(select(JobRow.wish).where(JobRow.id == job_id))
        _stop(connection, job_id, None if wish is None else Wish(wish), crashes=0)
        return _require(connection, job_id)


def end_run(library: Library, job_id: int, summary: Mapping[str, Any]) -> None:
    """Record that a running job is done."""
    with library.transaction() as connection:
        _finish(connection, job_id, JobState.DONE, summary=dict(summary))
        _prune(connection)


def fail_run(library: Library, job_id: int, problem: str, error: str) -> None:
    """Record that a running job has failed."""
    with library.transaction() as connection:
        _finish(connection, job_id, JobState.FAILED, problem=problem, error=error)
        _prune(connection)


_UNSTARTED: Mapping[str, Any] = MappingProxyType(
    {
        "wish": None,
        "phase": "waiting",
        "done": 0,
        "total": None,
        "owner": None,
        "crashes": 0,
        "started_at": None,
        "ended_at": None,
        "summary": None,
        "problem": None,
        "error": None,
    }
)


def _stop(connection: Connection, job_id: int, wish: Wish | None, crashes: int) -> None:
    """Take a running job out of that state as `wish` says."""
    if wish is Wish.CANCEL:
        _finish(connection, job_id, JobState.CANCELLED)
        return
    state = JobState.PAUSED if wish is Wish.PAUSE else JobState.QUEUED
    _update(connection, job_id, state=state, wish=None, crashes=crashes)


def _change(connection: Connection, job: Job, state: JobState, *, is_new_try: bool) -> None:
    if state is job.state:
        return
    if state is JobState.CANCELLED:
        _finish(connection, job.id, state)
    else:
        _update(connection, job.id, state=state, **(_UNSTARTED if is_new_try else {}))


def _finish(connection: Connection, job_id: int, state: JobState, **values: Any) -> None:
    _update(connection, job_id, state=state, wish=None, ended_at=_now(), **values)


def _update(connection: Connection, job_id: int, **values: Any) -> None:
    connection.execute(update(JobRow).where(JobRow.id == job_id).values(values))


def _prune(connection: Connection) -> None:
    """Delete finished jobs that are too old or too many."""
    kept = (
        select(JobRow.id)
        .where(JobRow.state.in_(FINISHED), JobRow.ended_at > _now() - timedelta(days=KEPT_DAYS))
        .order_by(JobRow.ended_at.desc(), JobRow.id.desc())
        .limit(MAX_FINISHED_JOBS)
    )
    connection.execute(delete(JobRow).where(JobRow.state.in_(FINISHED), JobRow.id.not_in(kept)))


def _require(connection: Connection, job_id: int) -> Job:
    row = connection.execute(select(JobRow.__table__).where(JobRow.id == job_id)).one_or_none()
    if row is None:
        raise UnknownJob(job_id)
    return _job(row)


def _job(row: Row[tuple[Any, ...]]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        parameters=row.parameters,
        priority=row.priority,
        state=JobState(row.state),
        wish=None if row.wish is None else Wish(row.wish),
        phase=row.phase,
        done=row.done,
        total=row.total,
        owner=row.owner,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        summary=row.summary,
        problem=row.problem,
        error=row.error,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
