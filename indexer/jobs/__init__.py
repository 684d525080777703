"""Run the queue of jobs of `store.jobs` in the background."""

from indexer.jobs.activity import Activity
from indexer.jobs.kinds import KINDS, JobKind, register, require_kind
from indexer.jobs.worker import JobWorker

__all__ = ["KINDS", "Activity", "JobKind", "JobWorker", "register", "require_kind"]
