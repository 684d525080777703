"""A job, its states, and what can be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

__all__ = ["FINISHED", "TRANSITIONS", "WISHES", "Action", "Job", "JobState", "Priority", "Wish"]


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
