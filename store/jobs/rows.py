"""The rows of jobs in the catalogue. All functions take a connection."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from core.errors import UnknownJob
from store.catalog.tables import JobRow
from store.jobs.job import FINISHED, Job, JobState, Wish

__all__ = ["UNSTARTED", "as_job", "finish_row", "now", "prune", "require_job", "update_row"]

MAX_FINISHED_JOBS = 100
"""How many finished jobs are kept."""


KEPT_DAYS = 30
"""How long finished jobs are kept."""


UNSTARTED: Mapping[str, Any] = MappingProxyType(
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


def require_job(connection: Connection, job_id: int) -> Job:
    """Return a job. Raises `UnknownJob`."""
    row = connection.execute(select(JobRow.__table__).where(JobRow.id == job_id)).one_or_none()
    if row is None:
        raise UnknownJob(job_id)
    return as_job(row)


def as_job(row: Row[tuple[Any, ...]]) -> Job:
    """Return a row of the table as a job."""
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


def update_row(connection: Connection, job_id: int, **values: Any) -> None:
    """Change the given columns of a job."""
    connection.execute(update(JobRow).where(JobRow.id == job_id).values(values))


def finish_row(connection: Connection, job_id: int, state: JobState, **values: Any) -> None:
    """Record that a job has ended in `state`, and the time."""
    update_row(connection, job_id, state=state, wish=None, ended_at=now(), **values)


def prune(connection: Connection) -> None:
    """Delete finished jobs that are too old or too many."""
    kept = (
        select(JobRow.id)
        .where(JobRow.state.in_(FINISHED), JobRow.ended_at > now() - timedelta(days=KEPT_DAYS))
        .order_by(JobRow.ended_at.desc(), JobRow.id.desc())
        .limit(MAX_FINISHED_JOBS)
    )
    connection.execute(delete(JobRow).where(JobRow.state.in_(FINISHED), JobRow.id.not_in(kept)))


def now() -> datetime:
    """Return the time in UTC as it is stored, without a time zone."""
    return datetime.now(UTC).replace(tzinfo=None)
