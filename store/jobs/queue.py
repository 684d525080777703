"""The queue as any process sees it: jobs are added, listed, paused, resumed, cancelled and tried again."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, case, func, insert, select

from core.errors import JobActionRefused, TooManyJobs
from store.catalog.tables import JobRow
from store.jobs.job import FINISHED, TRANSITIONS, WISHES, Action, Job, JobState, Priority, Wish
from store.jobs.rows import UNSTARTED, as_job, finish_row, now, prune, require_job, update_row
from store.library import Library

__all__ = ["act", "add_job", "count_jobs", "find_job", "list_jobs"]

MAX_UNFINISHED_JOBS = 1_000
"""How many jobs may be queued, paused or running."""


def add_job(library: Library, kind: str, parameters: Mapping[str, Any], priority: int = Priority.NORMAL) -> Job:
    """Add a job to the queue, and return it. An equal job that is still queued is returned instead.

    Raises `TooManyJobs`.
    """
    with library.transaction() as connection:
        prune(connection)
        unfinished = connection.execute(select(JobRow.__table__).where(JobRow.state.not_in(FINISHED))).all()
        for row in unfinished:
            same = (row.kind, row.parameters) == (kind, dict(parameters))
            if same and row.state == JobState.QUEUED and row.priority >= priority:
                return as_job(row)
        if len(unfinished) >= MAX_UNFINISHED_JOBS:
            raise TooManyJobs(MAX_UNFINISHED_JOBS)
        values = {
            "kind": kind,
            "parameters": dict(parameters),
            "priority": priority,
            "state": JobState.QUEUED,
            "created_at": now(),
            **UNSTARTED,
        }
        job_id = connection.execute(insert(JobRow).values(values).returning(JobRow.id)).scalar_one()
        return require_job(connection, job_id)


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
        return [as_job(row) for row in connection.execute(statement)]


def count_jobs(library: Library) -> Counter[tuple[str, JobState]]:
    """Return the number of jobs by kind and state."""
    statement = select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
    with library.read() as connection:
        return Counter({(row[0], JobState(row[1])): row[2] for row in connection.execute(statement)})


def find_job(library: Library, job_id: int) -> Job:
    """Return a job. Raises `UnknownJob`."""
    with library.read() as connection:
        return require_job(connection, job_id)


def act(library: Library, job_id: int, action: Action) -> Job:
    """Pause, resume, cancel or retry a job, and return it.

    A job that is running is asked to, and does so after its current batch. What it has written is kept. Raises
    `UnknownJob`, and `JobActionRefused` if a job in this state cannot be treated so.
    """
    with library.transaction() as connection:
        job = require_job(connection, job_id)
        if job.state is JobState.RUNNING and action in WISHES:
            wish = job.wish if job.wish is Wish.CANCEL else WISHES[action]
            update_row(connection, job_id, wish=wish)
        elif job.state in TRANSITIONS[action]:
            _change(connection, job, TRANSITIONS[action][job.state], is_new_try=action is Action.RETRY)
        else:
            raise JobActionRefused(job_id, job.state, action)
        return require_job(connection, job_id)


def _change(connection: Connection, job: Job, state: JobState, *, is_new_try: bool) -> None:
    if state is job.state:
        return
    if state is JobState.CANCELLED:
        finish_row(connection, job.id, state)
    else:
        update_row(connection, job.id, state=state, **(UNSTARTED if is_new_try else {}))
