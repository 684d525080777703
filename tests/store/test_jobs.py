"""The queue of jobs: states, order, and jobs of processes that ended."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import update

from core.errors import JobActionRefused, TooManyJobs, UnknownJob
from store import Library
from store.catalog.tables import JobRow
from store.jobs import (
    Action,
    JobState,
    Priority,
    Wish,
    act,
    add_job,
    claim_next,
    count_jobs,
    end_run,
    fail_run,
    find_job,
    give_way,
    has_more_urgent,
    list_jobs,
    read_wish,
    record_progress,
    take_up,
)
from store.jobs.job import TRANSITIONS, WISHES
from store.jobs.rows import KEPT_DAYS, now
from store.jobs.running import MAX_CRASHES


def folders(*names: str) -> dict[str, Any]:
    return {"folders": list(names)}


def claim(library: Library) -> int:
    job = claim_next(library)
    assert job is not None
    return job.id


def test_jobs_run_by_priority_and_then_by_age(library: Library) -> None:
    low = add_job(library, "space", {"model": "mini"}, Priority.LOW).id
    first, second = (add_job(library, "index", folders(name)).id for name in ("/a", "/b"))
    high = add_job(library, "index", folders("/c"), Priority.HIGH).id
    assert [job.id for job in list_jobs(library)] == [high, first, second, low]
    assert [claim(library) for _ in range(4)] == [high, first, second, low]
    assert claim_next(library) is None


def test_a_job_that_waits_already_is_not_added_twice(library: Library) -> None:
    job = add_job(library, "index", folders("/a"))
    assert add_job(library, "index", folders("/a")) == job
    assert add_job(library, "index", folders("/b")).id != job.id
    urgent = add_job(library, "index", folders("/a"), Priority.HIGH)
    assert urgent.id != job.id
    assert claim(library) == urgent.id
    # Files may have changed since the run began, so that another one is needed.
    assert add_job(library, "index", folders("/a")) == job


def test_names_of_folders_need_not_be_utf8(library: Library) -> None:
    name = "/photos/\udcff\udcfe"
    assert find_job(library, add_job(library, "index", folders(name)).id).parameters == folders(name)


def test_running_job_is_asked_and_stops_as_it_was_asked(library: Library) -> None:
    for action, wish, after in (
        (Action.PAUSE, Wish.PAUSE, JobState.PAUSED),
        (Action.CANCEL, Wish.CANCEL, JobState.CANCELLED),
    ):
        add_job(library, "index", folders(action))
        job = claim(library)
        assert read_wish(library, job) is None
        assert act(library, job, action).state is JobState.RUNNING
        assert read_wish(library, job) is wish
        assert give_way(library, job).state is after


def test_resuming_withdraws_a_pause_but_not_a_cancellation(library: Library) -> None:
    add_job(library, "index", {})
    job = claim(library)
    act(library, job, Action.PAUSE)
    assert act(library, job, Action.RESUME).wish is None
    act(library, job, Action.CANCEL)
    assert act(library, job, Action.PAUSE).wish is Wish.CANCEL
    assert act(library, job, Action.RESUME).wish is Wish.CANCEL


def test_paused_job_waits_until_it_is_resumed(library: Library) -> None:
    job = add_job(library, "index", {}).id
    assert act(library, job, Action.PAUSE).state is JobState.PAUSED
    assert claim_next(library) is None
    take_up(library)  # as after a restart
    assert claim_next(library) is None
    assert act(library, job, Action.RESUME).state is JobState.QUEUED
    assert claim(library) == job


def test_failed_job_is_tried_again_from_the_start(library: Library) -> None:
    add_job(library, "index", {})
    job = claim(library)
    record_progress(library, job, "embedding", 3, 9)
    fail_run(library, job, "RootUnavailable", "The folder is empty.")
    failed = find_job(library, job)
    assert (failed.state, failed.problem, failed.error) == (JobState.FAILED, "RootUnavailable", "The folder is empty.")
    again = act(library, job, Action.RETRY)
    assert (again.state, again.done, again.total, again.problem, again.error, again.ended_at) == (
        JobState.QUEUED,
        0,
        None,
        None,
        None,
        None,
    )


def test_more_urgent_jobs_are_noticed(library: Library) -> None:
    add_job(library, "space", {}, Priority.LOW)
    job = find_job(library, claim(library))
    add_job(library, "space", {"model": "b"}, Priority.LOW)
    assert not has_more_urgent(library, job)
    urgent = add_job(library, "index", {})
    assert has_more_urgent(library, job)
    act(library, urgent.id, Action.PAUSE)
    assert not has_more_urgent(library, job)


def test_job_of_a_process_that_ended_is_taken_up(library: Library) -> None:
    add_job(library, "index", {})
    job = claim(library)
    record_progress(library, job, "embedding", 3, 9)
    take_up(library)
    taken = find_job(library, job)
    assert (taken.state, taken.done, taken.total) == (JobState.QUEUED, 3, 9)
    assert claim(library) == job


@pytest.mark.parametrize(("action", "after"), [(Action.PAUSE, JobState.PAUSED), (Action.CANCEL, JobState.CANCELLED)])
def test_job_of_a_process_that_ended_does_as_it_was_asked(library: Library, action: Action, after: JobState) -> None:
    add_job(library, "index", {})
    job = claim(library)
    act(library, job, action)
    take_up(library)
    assert find_job(library, job).state is after


def test_job_that_ends_every_process_fails_in_the_end(library: Library) -> None:
    add_job(library, "index", {})
    for _ in range(MAX_CRASHES):
        job = claim(library)
        take_up(library)
    failed = find_job(library, job)
    assert (failed.state, failed.problem) == (JobState.FAILED, "JobCrashed")
    assert str(MAX_CRASHES) in str(failed.error)


def test_job_that_advances_may_be_taken_up_any_number_of_times(library: Library) -> None:
    add_job(library, "index", {})
    for done in range(1, 3 * MAX_CRASHES):
        job = claim(library)
        record_progress(library, job, "embedding", 0, 99)
        record_progress(library, job, "embedding", done, 99)
        take_up(library)
    assert find_job(library, job).state is JobState.QUEUED


def test_finished_jobs_are_kept_for_a_time_and_up_to_a_number(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.jobs.rows.MAX_FINISHED_JOBS", 3)
    ended = []
    for number in range(5):
        add_job(library, "index", folders(str(number)))
        ended.append(claim(library))
        end_run(library, ended[-1], {})
    assert [job.id for job in list_jobs(library)] == ended[:1:-1]
    with library.transaction() as connection:
        old = now() - timedelta(days=KEPT_DAYS, seconds=1)
        connection.execute(update(JobRow).where(JobRow.id == ended[3]).values(ended_at=old))
    waiting = add_job(library, "index", folders("/a")).id
    assert [job.id for job in list_jobs(library)] == [waiting, ended[4], ended[2]]
    with pytest.raises(UnknownJob):
        find_job(library, ended[3])


def test_queue_is_bounded(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.jobs.queue.MAX_UNFINISHED_JOBS", 2)
    for name in ("/a", "/b"):
        add_job(library, "index", folders(name))
    with pytest.raises(TooManyJobs):
        add_job(library, "index", folders("/c"))
    assert add_job(library, "index", folders("/a")).state is JobState.QUEUED


def test_unknown_job(library: Library) -> None:
    with pytest.raises(UnknownJob):
        act(library, 7, Action.PAUSE)


LEGAL = {
    JobState.QUEUED: {JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED},
    JobState.RUNNING: {JobState.QUEUED, JobState.PAUSED, JobState.CANCELLED, JobState.DONE, JobState.FAILED},
    JobState.PAUSED: {JobState.QUEUED, JobState.CANCELLED},
    JobState.FAILED: {JobState.QUEUED},
    JobState.CANCELLED: {JobState.QUEUED},
    JobState.DONE: set[JobState](),
}
"""Written by hand from the documentation, to compare with what happens."""


class Queue(RuleBasedStateMachine):
    """Any sequence of actions, runs and crashes."""

    added = Bundle("added")
    library: Library

    @initialize()
    def begin(self) -> None:
        with self.library.transaction() as connection:
            connection.execute(JobRow.__table__.delete())  # type: ignore[attr-defined]
        self.states: dict[int, JobState] = {}
        self.running: int | None = None

    @rule(target=added, name=st.sampled_from("abc"), priority=st.sampled_from(Priority))
    def add(self, name: str, priority: Priority) -> int:
        job = add_job(self.library, "index", folders(name), priority)
        assert job.state is JobState.QUEUED
        assert job.priority >= priority
        self.states.setdefault(job.id, JobState.QUEUED)
        return job.id

    @rule(job=added, action=st.sampled_from(Action))
    def ask(self, job: int, action: Action) -> None:
        before = find_job(self.library, job).state
        try:
            act(self.library, job, action)
        except JobActionRefused:
            assert before not in TRANSITIONS[action]
            assert before is not JobState.RUNNING or action not in WISHES

    @rule()
    def claim(self) -> None:
        if self.running is None:
            queued = [job for job in list_jobs(self.library) if job.state is JobState.QUEUED]
            job = claim_next(self.library)
            assert (job is None) == (not queued)
            if job is not None:
                assert (job.priority, -job.id) == max((each.priority, -each.id) for each in queued)
                self.running = job.id

    @rule(how=st.sampled_from(["done", "failed", "give way", "progress"]))
    def run(self, how: str) -> None:
        if self.running is None:
            return
        if how == "progress":
            record_progress(self.library, self.running, "embedding", 1, 2)
            return
        if how == "done":
            end_run(self.library, self.running, {"new": 1})
        elif how == "failed":
            fail_run(self.library, self.running, "Problem", "It failed.")
        else:
            give_way(self.library, self.running)
        self.running = None

    @rule()
    def crash(self) -> None:
        take_up(self.library)
        self.running = None

    @invariant()
    def states_are_legal(self) -> None:
        if not hasattr(self, "states"):
            return
        now = {job.id: job for job in list_jobs(self.library)}
        for job_id, job in now.items():
            before = self.states[job_id]
            assert job.state is before or job.state in LEGAL[before]
            self.states[job_id] = job.state
            assert (job.ended_at is not None) == job.state.is_finished
            assert job.wish is None or job.state is JobState.RUNNING
            assert (job.problem is not None) == (job.state is JobState.FAILED)
        assert [job.id for job in now.values() if job.state is JobState.RUNNING] == (
            [] if self.running is None else [self.running]
        )
        assert sum(count_jobs(self.library).values()) == len(now)


@pytest.fixture
def queue(library: Library) -> Iterator[type[Queue]]:
    Queue.library = library
    yield Queue


def test_any_sequence_of_actions_runs_and_crashes_leaves_legal_states(queue: type[Queue], tmp_path: Path) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    checks = settings(
        max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(queue, settings=checks)
