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

from store.jobs.job import Action, Job, JobState, Priority, Wish
from store.jobs.queue import act, add_job, count_jobs, find_job, list_jobs
from store.jobs.running import (
    claim_next,
    end_run,
    fail_run,
    give_way,
    has_more_urgent,
    read_wish,
    record_progress,
    take_up,
)

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
