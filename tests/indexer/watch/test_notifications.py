"""Notifications of the system, received from `watchfiles`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from indexer.changed_folders import ChangedFolders
from indexer.watch.changes import Due, PendingChanges
from indexer.watch.notifications import MAX_ERRORS, Notifications

DEADLINE_SECONDS = 60.0


@pytest.fixture
def pending(tmp_path: Path) -> PendingChanges:
    return PendingChanges(tmp_path, settle=0.1)


def next_due(pending: PendingChanges) -> Due:
    deadline = monotonic() + DEADLINE_SECONDS
    while (due := pending.take()) is None:
        assert monotonic() < deadline, "no change was noticed"
        sleep(0.02)
    return due


@pytest.fixture
def notified(tmp_path: Path, pending: PendingChanges) -> Iterator[PendingChanges]:
    source = Notifications(tmp_path, pending, restart_seconds=0.05)
    assert next_due(pending) == Due(None)
    yield pending
    source.close()
    assert source.failure is None


def test_new_changed_renamed_and_deleted_files_are_noticed(notified: PendingChanges, tmp_path: Path) -> None:
    one, two = tmp_path / "a.jpg", tmp_path / "b.jpg"
    changes: list[Callable[[], object]] = [
        lambda: one.write_bytes(b"1"),
        lambda: one.write_bytes(b"22"),
        lambda: one.rename(two),
        two.unlink,
    ]
    for change in changes:
        change()
        assert next_due(notified) == Due(ChangedFolders(frozenset({b""})))


def test_files_in_a_folder_that_was_moved_in_are_noticed(notified: PendingChanges, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "deep").mkdir()
    outside.rename(tmp_path / "moved")
    assert next_due(notified) == Due(ChangedFolders(frozenset({b""}), frozenset({b"moved"})))
    (tmp_path / "moved" / "deep" / "a.jpg").touch()
    assert next_due(notified) == Due(ChangedFolders(frozenset({b"moved/deep"})))


def test_name_that_is_not_utf8_causes_a_scan_of_the_root(notified: PendingChanges, tmp_path: Path) -> None:
    """`watchfiles` fails for it, and for everything after it."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).touch()
    assert next_due(notified) == Due(None)
    (tmp_path / "a.jpg").touch()
    assert next_due(notified) == Due(ChangedFolders(frozenset({b""})))


def test_notifications_that_cannot_be_had_end_with_the_reason(tmp_path: Path, pending: PendingChanges) -> None:
    tried = []

    def fail(folder: Path, _stop: Event) -> Iterator[set[tuple[int, str]]]:
        tried.append(folder)
        raise OSError("OS file watch limit reached")

    source = Notifications(tmp_path, pending, fail, restart_seconds=0.01)
    deadline = monotonic() + DEADLINE_SECONDS
    while source.failure is None and monotonic() < deadline:
        sleep(0.01)
    assert str(source.failure) == "OS file watch limit reached"
    assert len(tried) == MAX_ERRORS
    source.close()
