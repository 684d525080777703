"""Which changes are complete, and what is scanned for them."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from indexer.changed_folders import ChangedFolders
from indexer.watch.changes import MAX_DELAY_SECONDS, MAX_PATHS, Due, PendingChanges


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pending(tmp_path: Path, clock: Clock) -> PendingChanges:
    return PendingChanges(tmp_path, settle=2, ignored=[tmp_path / "photos.library"], clock=clock)


def changed(folders: Iterable[bytes], trees: Iterable[bytes] = (), unsettled: Iterable[bytes] = ()) -> Due:
    return Due(ChangedFolders(frozenset(folders), frozenset(trees), frozenset(unsettled)))


def write(root: Path, name: str, data: bytes = b"x") -> bytes:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return os.fsencode(path)


def test_nothing_is_due_without_changes(pending: PendingChanges) -> None:
    assert pending.take() is None


def test_file_is_due_once_when_it_has_not_changed_for_a_while(
    pending: PendingChanges, clock: Clock, tmp_path: Path
) -> None:
    pending.add([write(tmp_path, "a/b.jpg")])
    clock.now += 1.9
    assert pending.take() is None
    clock.now += 0.2
    assert pending.take() == changed({b"a"})
    clock.now += 10
    assert pending.take() is None


def test_file_that_grows_without_notifications_is_not_complete(
    pending: PendingChanges, clock: Clock, tmp_path: Path
) -> None:
    path = write(tmp_path, "b.jpg")
    pending.add([path])
    assert pending.take() is None
    for size in (2, 3, 4):
        clock.now += 1.5
        write(tmp_path, "b.jpg", b"x" * size)
        assert pending.take() is None
    clock.now += 2
    assert pending.take() == changed({b""})


def test_complete_files_do_not_wait_for_ever_for_one_that_is_being_written(
    pending: PendingChanges, clock: Clock, tmp_path: Path
) -> None:
    growing = write(tmp_path, "a/film.mp4")
    pending.add([growing, write(tmp_path, "a/b.jpg")])
    while clock.now < 100 + MAX_DELAY_SECONDS:
        assert pending.take() is None
        clock.now += 1
        pending.add([growing])
    assert pending.take() == changed({b"a"}, unsettled={b"a/film.mp4"})
    clock.now += 2
    assert pending.take() == changed({b"a"})


def test_new_folder_is_scanned_with_everything_beneath(pending: PendingChanges, clock: Clock, tmp_path: Path) -> None:
    write(tmp_path, "moved/deep/b.jpg")
    pending.add([os.fsencode(tmp_path / "moved")])
    clock.now += 2
    assert pending.take() == changed({b""}, {b"moved"})


def test_deleted_folder_is_looked_for_in_the_folder_above_it(
    pending: PendingChanges, clock: Clock, tmp_path: Path
) -> None:
    pending.add(os.fsencode(tmp_path / name) for name in ("a/gone/b.jpg", "a/gone"))
    clock.now += 2
    due = pending.take()
    assert due == changed({b"a/gone", b"a"})
    assert due is not None and due.changed is not None
    (tmp_path / "a").mkdir()
    assert due.changed.existing(os.fsencode(tmp_path)) == ChangedFolders(frozenset({b"a"}))


def test_ignore_file_changes_everything_beneath_it(pending: PendingChanges, clock: Clock, tmp_path: Path) -> None:
    pending.add([write(tmp_path, "a/.sightlineignore")])
    clock.now += 2
    assert pending.take() == changed(set(), {b"a"})


def test_files_that_are_not_pictures_cause_no_scan(pending: PendingChanges, clock: Clock, tmp_path: Path) -> None:
    names = ("app.log", ".hidden.jpg", ".cache/a.jpg", "photos.library/catalog.sqlite-wal")
    pending.add(write(tmp_path, name) for name in names)
    pending.add([os.fsencode(tmp_path), b"/elsewhere/a.jpg"])
    clock.now += 2
    assert pending.take() is None


def test_sidecar_causes_a_scan_of_its_folder(pending: PendingChanges, clock: Clock, tmp_path: Path) -> None:
    pending.add([write(tmp_path, "a/b.xmp")])
    clock.now += 2
    assert pending.take() == changed({b"a"})


def test_changes_count_under_the_path_that_a_link_to_the_root_leads_to(tmp_path: Path, clock: Clock) -> None:
    """macOS reports them so."""
    (tmp_path / "alias").symlink_to(tmp_path / "photos")
    pending = PendingChanges(tmp_path / "alias", settle=2, ignored=[tmp_path / "alias" / "library"], clock=clock)
    pending.add([write(tmp_path, "photos/library/a.jpg")])
    assert pending.take() is None
    pending.add([write(tmp_path, "photos/one/a.jpg"), write(tmp_path, "alias/two/b.jpg")])
    clock.now += 2
    assert pending.take() == changed([b"one", b"two"])


def test_burst_becomes_one_scan_of_the_root(pending: PendingChanges, clock: Clock, tmp_path: Path) -> None:
    for _ in range(100):
        pending.add(os.fsencode(tmp_path / f"{number}.jpg") for number in range(MAX_PATHS + 1))
        assert pending.take() is None
    clock.now += 2
    assert pending.take() == Due(None)
    assert pending.take() is None


def test_burst_without_end_is_scanned_all_the_same(pending: PendingChanges, clock: Clock) -> None:
    pending.add_everything()
    for _ in range(int(MAX_DELAY_SECONDS)):
        assert pending.take() is None
        clock.now += 1
        pending.add_everything()
    assert pending.take() == Due(None)


def test_what_could_not_be_scanned_is_due_again(pending: PendingChanges, clock: Clock, tmp_path: Path) -> None:
    pending.put_back(changed({b"a"}, {b"b"}))
    assert pending.take() is None
    clock.now += 2
    assert pending.take() == changed({b"a"}, {b"b"})
    pending.put_back(changed({b"a"}))
    pending.add([write(tmp_path, "c/d.jpg")])
    clock.now += 2
    assert pending.take() == changed({b"a", b"c"})
    pending.put_back(Due(None))
    clock.now += 2
    assert pending.take() == Due(None)
