"""The snapshots that the server writes after changes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import pytest

from indexer.jobs import Activity
from store import Library
from store.backup.snapshot_folder import SNAPSHOTS_FOLDER, list_snapshots, newest_intact_snapshot
from store.change_counter import ChangeCounter
from store.ratings import rate
from web.snapshots import SnapshotKeeper

DEADLINE_SECONDS = 60


@contextmanager
def keeper(library: Library, activity: Activity, interval: float) -> Iterator[None]:
    changes = ChangeCounter(library)
    kept = SnapshotKeeper(library, activity, changes, interval)
    kept.start()
    try:
        yield
    finally:
        kept.close()
        changes.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_SECONDS
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


def rated_in_snapshot(library: Library) -> int:
    snapshot = newest_intact_snapshot(library.path)
    return 0 if snapshot is None else snapshot.header.counts.get("picture", 0)


def test_changes_are_kept_by_the_next_check(indexed: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.snapshots.PAUSE_FACTOR", 1)  # writing takes a second on a loaded machine with a server
    with keeper(indexed, Activity(), 0.01):
        for number, content_id in enumerate((1, 2, 3), start=1):
            rate(indexed, [content_id], 5)
            wait_for(lambda number=number: rated_in_snapshot(indexed) == number)  # type: ignore[misc]
    assert len(list_snapshots(indexed.path / SNAPSHOTS_FOLDER)) == 3


def test_last_changes_are_kept_when_the_server_stops(indexed: Library) -> None:
    with keeper(indexed, Activity(), 1_000):
        rate(indexed, [1], 5)
    assert rated_in_snapshot(indexed) == 1
    with keeper(indexed, Activity(), 1_000):
        pass
    assert len(list_snapshots(indexed.path / SNAPSHOTS_FOLDER)) == 1


def test_searches_come_first(indexed: Library) -> None:
    activity = Activity()
    with keeper(indexed, activity, 0.01):
        with activity.search():
            rate(indexed, [1], 5)
            sleep(0.3)
            assert rated_in_snapshot(indexed) == 0
        wait_for(lambda: rated_in_snapshot(indexed) == 1)


def test_folder_that_cannot_be_written_is_reported_once(indexed: Library, caplog: pytest.LogCaptureFixture) -> None:
    (indexed.path / SNAPSHOTS_FOLDER).write_text("a file")
    with caplog.at_level(logging.WARNING), keeper(indexed, Activity(), 0.01):
        rate(indexed, [1], 5)
        wait_for(lambda: bool(caplog.records))
        sleep(0.1)
    assert [record.name for record in caplog.records] == ["sightline.snapshots"]


def test_disk_that_is_away_for_a_moment_does_not_end_the_snapshots(
    indexed: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> bool:
        raise OSError("the disk is away")

    with caplog.at_level(logging.WARNING), keeper(indexed, Activity(), 0.01):
        with monkeypatch.context() as patched:
            patched.setattr("web.snapshots.take_snapshots_if_due", away)
            rate(indexed, [1], 5)
            wait_for(lambda: "the disk is away" in caplog.text)
        wait_for(lambda: rated_in_snapshot(indexed) == 1)
