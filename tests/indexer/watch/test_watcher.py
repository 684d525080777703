"""When roots are scanned, suspended and resumed."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import indexer.watch.watched_root as watched_root
import indexer.watch.watcher as watcher
from core.errors import LibraryUnusable, RootUnavailable
from indexer.changed_folders import ChangedFolders
from indexer.watch import Watcher, WatchReport, WatchSettings
from indexer.watch.changes import PendingChanges
from indexer.watch.runs import RunPostponed
from indexer.watch.watched_root import Method
from store import Library
from store.roots import ensure_root


class Source:
    """Notifications that a test sends."""

    failure: Exception | None = None

    def __init__(self, folder: Path, changes: PendingChanges) -> None:
        self.folder, self.changes = folder, changes
        self.is_closed = False
        changes.add_everything()

    def notify(self, name: str) -> None:
        self.changes.add([os.fsencode(self.folder / name)])

    def close(self) -> None:
        self.is_closed = True


class Watching(WatchReport):
    """A watcher with a clock, notifications and runs of its own."""

    def __init__(self, library: Library, *folders: Path, **settings: Any) -> None:
        self.now = 1000.0
        self.sources: list[Source] = []
        self.runs: list[tuple[str, ChangedFolders | None]] = []
        self.said: list[str] = []
        self.errors: list[BaseException] = []
        self.seconds = 0.0
        self.watcher = Watcher(
            library,
            self,
            WatchSettings(**settings),
            self,
            folders=folders,
            open_source=self.open,
            clock=lambda: self.now,
        )

    def open(self, folder: Path, changes: PendingChanges) -> Source:
        self.sources.append(Source(folder, changes))
        return self.sources[-1]

    def run(self, root: Path, changed: ChangedFolders | None) -> Mapping[str, Any]:
        self.now += self.seconds
        if self.errors:
            raise self.errors.pop()
        self.runs.append((root.name, changed))
        return {}

    def idle(self) -> None:
        pass

    def watching(self, root: Path, method: Method, interval: float, reason: str) -> None:
        self.said.append(f"{method} {root.name} {interval:g} {reason}".strip())

    def suspended(self, root: Path, reason: str) -> None:  # noqa: ARG002
        self.said.append(f"suspended {root.name}")

    def disk_away(self, folder: Path) -> None:
        self.said.append(f"away {folder.name}")

    def failed(self, root: Path | str, error: Exception) -> None:
        self.said.append(f"failed {Path(root).name}: {error}")

    def wait(self, seconds: float) -> list[tuple[str, ChangedFolders | None]]:
        """Let time pass, and return the runs in it."""
        before = len(self.runs)
        end = self.now + seconds
        while self.now < end:
            self.watcher.tick()
            self.now += 0.5
        return self.runs[before:]


@pytest.fixture
def photos(library: Library, tmp_path: Path) -> Path:
    return add_root(library, tmp_path / "photos")


def add_root(library: Library, path: Path) -> Path:
    path.mkdir()
    (path / "a.jpg").touch()
    with library.exclusive() as writer:
        ensure_root(writer, path)
    return path


def only(*folders: bytes) -> ChangedFolders:
    return ChangedFolders(frozenset(folders))


def test_root_is_scanned_once_and_then_only_where_it_changes(library: Library, photos: Path) -> None:
    watching = Watching(library)
    assert watching.wait(60) == [("photos", None)]
    assert watching.said == ["notifications photos 86400"]
    watching.sources[0].notify("holiday/b.jpg")
    assert watching.wait(60) == [("photos", only(b"holiday"))]


def test_root_is_scanned_once_a_day_in_any_case(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    watching.now += 86_400
    assert watching.wait(60) == [("photos", None)]


def test_root_that_is_added_later_is_watched(library: Library, photos: Path, tmp_path: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    add_root(library, tmp_path / "more")
    assert watching.wait(10) == [("more", None)]


def test_only_named_folders_are_watched(library: Library, photos: Path, tmp_path: Path) -> None:
    add_root(library, tmp_path / "more")
    assert Watching(library, photos).wait(10) == [("photos", None)]


def test_root_is_polled_if_that_is_asked_for(library: Library, photos: Path) -> None:
    watching = Watching(library, poll=20.0)
    assert watching.wait(75) == [("photos", None)] * 4
    assert watching.said == ["polling photos 20"]
    assert watching.sources == []


def test_roots_are_polled_more_often_than_files_settle(library: Library, photos: Path) -> None:
    watching = Watching(library, poll=1.0, settle=2.0)
    assert len(watching.wait(60)) >= 50


def test_network_drive_is_polled(library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_root, "has_notifications", lambda _: False)
    watching = Watching(library, fallback_poll=30.0)
    assert watching.wait(75) == [("photos", None)] * 3
    (said,) = watching.said
    assert said.startswith("polling photos 30 a network file system")


def test_root_is_polled_after_notifications_have_failed(library: Library, photos: Path) -> None:
    watching = Watching(library, fallback_poll=30.0)
    watching.wait(10)
    watching.sources[0].failure = OSError("the limit of inotify watches was reached")
    assert watching.wait(75) == [("photos", None)] * 3
    assert watching.said[1:] == ["polling photos 30 no notifications: the limit of inotify watches was reached"]


def test_root_that_is_gone_is_suspended_until_it_is_back(library: Library, photos: Path, tmp_path: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    photos.rename(tmp_path / "unplugged")
    assert watching.wait(300) == []
    assert watching.said[1:] == ["suspended photos"]
    assert watching.sources[0].is_closed
    (tmp_path / "unplugged").rename(photos)
    assert watching.wait(10) == [("photos", None)]
    watching.sources[-1].notify("b.jpg")
    assert watching.wait(10) == [("photos", only(b""))]


def test_empty_mount_point_is_suspended_until_the_disk_is_back(library: Library, photos: Path, tmp_path: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    photos.rename(tmp_path / "unplugged")
    photos.mkdir()
    watching.errors = [RootUnavailable(photos, 100, 0) for _ in range(9)]
    assert watching.wait(200) == []
    assert watching.said.count("suspended photos") == 1
    photos.rmdir()
    (tmp_path / "unplugged").rename(photos)
    watching.errors.clear()
    assert watching.wait(10) == [("photos", None)]


def test_disk_beneath_a_root_is_left_out_while_it_is_away(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = frozenset({b"disk"})
    monkeypatch.setattr(watched_root, "mount_points_below", lambda _: mounts)
    watching = Watching(library)
    watching.wait(10)
    mounts = frozenset()
    assert watching.wait(10) == []
    assert watching.said[1:] == ["away disk"]
    watching.sources[0].notify("disk/b.jpg")
    watching.sources[0].notify("b.jpg")
    assert watching.wait(10) == [("photos", only(b""))]
    mounts = frozenset({b"disk"})
    assert watching.wait(10) == [("photos", None)]
    assert len(watching.sources) == 2, "notifications were not requested again for the disk"


def test_failed_run_is_reported_and_repeated_later(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.errors = [LibraryUnusable(library.path, "disk full")]
    assert watching.wait(50) == []
    assert watching.said[1:] == [f"failed photos: The library at {library.path} cannot be used: disk full"]
    assert watching.wait(60) == [("photos", None)]


def test_run_that_fails_after_a_long_time_is_repeated_after_as_long(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.seconds = 300.0
    watching.errors = [RootUnavailable(photos, 100, 0) for _ in range(9)]
    watching.wait(1500)
    assert len(watching.errors) == 6


def test_run_that_fails_each_time_is_repeated_less_often(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.errors = [RootUnavailable(photos, 100, 0) for _ in range(100)]
    watching.wait(3600)
    assert 90 <= len(watching.errors) <= 92  # pauses of 1, 2, 4, 8 and then 10 minutes


def test_library_that_cannot_be_read_is_reported_once_a_minute(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Library) -> None:
        raise LibraryUnusable(library.path, "disk full")

    watching = Watching(library)
    with monkeypatch.context() as patch:
        patch.setattr(watcher, "folder_roots", fail)
        watching.wait(110)
    error = f"The library at {library.path} cannot be used: disk full"
    assert watching.said == [f"failed {Path(library.location).name}: {error}"] * 2
    assert watching.wait(60) == [("photos", None)]


def test_run_that_made_way_is_repeated(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    watching.sources[0].notify("a/b.jpg")
    watching.errors = [RunPostponed()]
    assert watching.wait(20) == [("photos", only(b"a"))]


def test_watchers_do_not_make_way_for_each_other_all_the_time(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    watching.sources[0].notify("a/b.jpg")
    watching.errors = [RunPostponed() for _ in range(100)]
    watching.wait(130)
    assert 93 <= len(watching.errors) <= 94  # pauses of 1, 2, 4, 8, 16, 32 and 64 seconds
    watching.errors.clear()
    assert watching.wait(65) == [("photos", only(b"a"))]


def test_scans_of_a_root_that_changes_all_the_time_take_half_of_the_time_at_most(
    library: Library, photos: Path
) -> None:
    watching = Watching(library)
    watching.wait(10)
    watching.seconds = 100.0
    began = watching.now
    while watching.now < began + 1000:
        watching.sources[0].changes.add_everything()
        watching.wait(1)
    assert len(watching.runs) - 1 <= 5


def test_forgotten_root_is_not_watched_any_more(library: Library, photos: Path) -> None:
    watching = Watching(library)
    watching.wait(10)
    with library.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM roots")
    assert watching.wait(10) == []
    assert watching.sources[0].is_closed
    shutil.rmtree(photos)
    watching.wait(10)
    assert watching.said == ["notifications photos 86400"]
