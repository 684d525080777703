"""Errors about the queue of jobs."""

from core.errors.base import SightlineError

__all__ = ["InvalidJob", "JobActionRefused", "JobError", "TooManyJobs", "UnknownJob", "UnknownJobKind"]


class JobError(SightlineError):
    """Something is wrong with a job, or with what is asked of it."""


class InvalidJob(JobError):
    """The parameters of a job are wrong; the message says why."""


class UnknownJobKind(InvalidJob):
    """No kind of job is called `name`; `known` are the existing kinds."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no kind of job {name!r}. Choose from: {', '.join(known)}.")
        self.name, self.known = name, known


class UnknownJob(JobError):
    """No job has the ID `job_id`; it may have finished long ago."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"There is no job {job_id}.")
        self.job_id = job_id


class JobActionRefused(JobError):
    """A job in the state `state` cannot be paused, resumed, cancelled or tried again (`action`)."""

    def __init__(self, job_id: int, state: str, action: str) -> None:
        super().__init__(f"Job {job_id} is {state}, so '{action}' does not apply to it.")
        self.job_id, self.state, self.action = job_id, state, action


class TooManyJobs(JobError):
    """The queue has `limit` jobs already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit:,} unfinished jobs already. Wait for some of them, or cancel them.")
        self.limit = limit
