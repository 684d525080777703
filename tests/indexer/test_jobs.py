"""The worker that runs the queue, and how a job waits, stops and makes way."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import indexer.jobs.activity
import indexer.jobs.control
import indexer.jobs.worker
from core.errors import FolderNotFound, LibraryBusy, UnknownJobKind
from core.root_files.waiting import result_of
from encoders import registry
from encoders.fake import FakeEncoder
from indexer import Progress
from indexer.jobs import KINDS, Activity, JobKind, JobWorker, register, require_kind
from indexer.jobs.control import JobControl, JobInterrupted
from store import Library
from store.jobs import Action, Job, JobState, Priority, act, add_job, claim_next, find_job, give_way, list_jobs

Run = Callable[[Library, Mapping[str, Any], Progress], dict[str, Any]]


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Run], None]]:
    """Register a kind `work` that is run by the given function."""
    before = dict(KINDS)
    monkeypatch.setattr(indexer.jobs.control, "READ_INTERVAL_SECONDS", 0.0)
    yield lambda run: register(JobKind("work", run))
    KINDS.clear()
    KINDS.update(before)


def test_queue_is_run_to_its_end(library: Library, kind: Callable[[Run], None]) -> None:
    ran: list[object] = []

    def run(_library: Library, parameters: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
        ran.append(parameters["n"])
        return {}

    kind(run)
    for number, priority in ((1, Priority.LOW), (2, Priority.HIGH), (3, Priority.NORMAL)):
        add_job(library, "work", {"n": number}, priority)
    assert JobWorker(library).run_queue() is False
    assert ran == [2, 3, 1]
    assert {job.state for job in list_jobs(library)} == {JobState.DONE}


def test_memory_is_released_after_each_job(
    library: Library, kind: Callable[[Run], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that changes its model every day would otherwise keep the memory of all its threads."""
    events: list[str] = []

    def run(_library: Library, _parameters: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
        events.append("run")
        return {}

    kind(run)
    monkeypatch.setattr(indexer.jobs.worker, "release_memory", lambda: events.append("released"))
    for number in range(2):
        add_job(library, "work", {"n": number})
    JobWorker(library).run_queue()
    assert events == ["run", "released", "run", "released"]


@pytest.mark.parametrize(
    ("error", "problem", "told"),
    [
        (FolderNotFound(Path("/nowhere")), "FolderNotFound", "/nowhere"),
        (FolderNotFound(Path("/nowhere/\udcff")), "FolderNotFound", r"/nowhere/\udcff"),
        (ZeroDivisionError("secret.jpg"), "InternalError", "unexpected"),
    ],
)
def test_job_that_raises_fails_and_the_next_one_runs(
    library: Library,
    kind: Callable[[Run], None],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    problem: str,
    told: str,
) -> None:
    def run(_library: Library, parameters: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
        if parameters["n"] == 1:
            raise error
        return {}

    kind(run)
    first, second = (add_job(library, "work", {"n": number}).id for number in (1, 2))
    JobWorker(library).run_queue()
    failed = find_job(library, first)
    assert (failed.state, failed.problem) == (JobState.FAILED, problem)
    assert told in str(failed.error)
    assert find_job(library, second).state is JobState.DONE
    assert "secret.jpg" not in caplog.text


def test_kind_of_another_version_fails(library: Library) -> None:
    job = add_job(library, "sing", {}).id
    JobWorker(library).run_queue()
    assert find_job(library, job).problem == "UnknownJobKind"
    with pytest.raises(UnknownJobKind, match="index"):
        require_kind("sing")


@pytest.mark.parametrize(("action", "after"), [(Action.PAUSE, JobState.PAUSED), (Action.CANCEL, JobState.CANCELLED)])
def test_job_stops_at_its_next_check(
    library: Library, kind: Callable[[Run], None], action: Action, after: JobState
) -> None:
    def run(own: Library, _parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        progress.begin(9)
        progress.advance(4)
        act(own, job, action)
        progress.check()
        raise AssertionError("the job went on")

    kind(run)
    job = add_job(library, "work", {}).id
    JobWorker(library).run_queue()
    stopped = find_job(library, job)
    assert (stopped.state, stopped.done, stopped.total) == (after, 4, 9)


def test_job_makes_way_for_a_more_urgent_one(library: Library, kind: Callable[[Run], None]) -> None:
    order: list[str] = []

    def run(own: Library, parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        order.append(parameters["name"])
        if order == ["slow"]:
            add_job(own, "work", {"name": "urgent"}, Priority.HIGH)
        progress.check()
        return {}

    kind(run)
    add_job(library, "work", {"name": "slow"}, Priority.LOW)
    JobWorker(library).run_queue()
    assert order == ["slow", "urgent", "slow"]
    assert {job.state for job in list_jobs(library)} == {JobState.DONE}


def test_closing_worker_leaves_its_job_to_the_next(library: Library, kind: Callable[[Run], None]) -> None:
    started = threading.Event()

    def run(_library: Library, _parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        started.set()
        while True:
            progress.check()

    kind(run)
    job = add_job(library, "work", {}).id
    worker = JobWorker(library)
    worker.start()
    worker.start()  # it runs already
    assert started.wait(60)
    worker.close()
    assert not worker.is_running()
    assert find_job(library, job).state is JobState.QUEUED


def test_ctrl_c_leaves_the_job_to_the_next_worker(library: Library, kind: Callable[[Run], None]) -> None:
    def run(*_: object) -> dict[str, Any]:
        raise KeyboardInterrupt

    kind(run)
    job = add_job(library, "work", {}).id
    with pytest.raises(KeyboardInterrupt):
        JobWorker(library).run_queue()
    assert find_job(library, job).state is JobState.QUEUED


@pytest.mark.sqlite("the lock of the queue is a file")
def test_worker_goes_on_after_the_library_could_not_be_written(
    library: Library, kind: Callable[[Run], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer.jobs.worker, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(indexer.jobs.worker, "POLL_SECONDS", 0.01)
    lock = library.path / "jobs.lock"
    lock.mkdir()  # cannot be opened as a file
    done = threading.Event()

    def run(*_: object) -> dict[str, Any]:
        done.set()
        return {}

    kind(run)
    worker = JobWorker(library)
    worker.start()
    add_job(library, "work", {})
    assert not done.wait(0.3)
    lock.rmdir()
    assert done.wait(60)
    worker.close()


class Clock:
    """A clock that advances by itself with each look at it."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_work_waits_for_searches_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.jobs.activity, "POLL_SECONDS", 0.0)
    clock = Clock(0.01)
    activity = Activity(clock)
    activity.wait_until_quiet(lambda: False)
    assert clock.now < 0.2  # no search has run
    with activity.search():
        began = clock.now
        activity.wait_until_quiet(lambda: False)
        assert (
            indexer.jobs.activity.MAX_WAIT_SECONDS <= clock.now - began < indexer.jobs.activity.MAX_WAIT_SECONDS + 0.2
        )
    ended = clock.now
    activity.wait_until_quiet(lambda: False)
    assert 0.2 <= clock.now - ended < 0.3
    with activity.search():
        began = clock.now
        activity.wait_until_quiet(lambda: True)
        assert clock.now - began < 0.1


@pytest.fixture
def running(library: Library) -> Job:
    add_job(library, "index", {})
    job = claim_next(library)
    assert job is not None
    return job


def test_progress_is_written_now_and_then_and_shown_at_once(
    library: Library, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer.jobs.control, "WRITE_INTERVAL_SECONDS", 60.0)
    control = JobControl(library, running, Activity(), lambda: False)
    control.begin(8)
    control.advance(3)
    assert (control.progress.done, control.progress.total) == (3, 8)
    assert find_job(library, running.id).done == 0
    monkeypatch.setattr(indexer.jobs.control, "WRITE_INTERVAL_SECONDS", 0.0)
    control.advance(2)
    assert find_job(library, running.id).done == 5


def test_library_that_is_busy_is_no_error_of_a_store_that_a_job_waits_for(
    library: Library, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store would be taken for away, or its files for unreadable."""

    def busy(*_: object) -> None:
        raise LibraryBusy(library.path)

    monkeypatch.setattr(indexer.jobs.control, "READ_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(indexer.jobs.control, "read_wish", busy)
    is_closing = False
    control = JobControl(library, running, Activity(), lambda: is_closing)
    control.notice_stop()
    with pytest.raises(LibraryBusy):
        control.require_wanted()
    is_closing = True
    with pytest.raises(JobInterrupted):
        control.notice_stop()


def test_job_makes_way_for_a_run_in_a_terminal(library: Library, running: Job) -> None:
    control = JobControl(library, running, Activity(), lambda: False)
    with pytest.raises(JobInterrupted):
        control.make_way()
    assert give_way(library, running.id).state is JobState.QUEUED


def test_kinds_of_the_library_run(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "DEFAULT_MODEL", "fake")
    add_job(library, "index", {"folders": [str(album)]})
    add_job(library, "duplicates", {}, Priority.LOW)
    add_job(library, "space", {"model": "fake"}, Priority.LOW)
    JobWorker(library).run_queue()
    index, duplicates, space = sorted(list_jobs(library), key=lambda job: job.id)
    assert index.summary is not None and index.summary["new"] == 4
    assert duplicates.summary == {"compared": 0}  # the index run has compared them
    assert space.summary is not None and space.summary["switched"] is True
    assert FakeEncoder().space.model == "fake"


def test_job_that_waits_for_files_stops(library: Library, kind: Callable[[Run], None]) -> None:
    """A request to a store that does not answer takes minutes to fail."""
    job = add_job(library, "work", {}).id

    def run(library: Library, _parameters: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
        act(library, job, Action.CANCEL)
        result_of(Future[int]())
        raise AssertionError("nothing was read")

    kind(run)
    JobWorker(library).run_queue()
    assert find_job(library, job).state is JobState.CANCELLED
