"""Which snapshots are kept, and which is the newest intact one."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from store.backup.records import PictureName, PictureRecord, Record
from store.backup.snapshot_file import SnapshotHeader, write_snapshot
from store.backup.snapshot_folder import (
    SNAPSHOTS_FOLDER,
    list_snapshots,
    newest_intact_snapshot,
    remove_old_snapshots,
    snapshot_name,
)

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
NOON = datetime.fromisoformat("2026-11-29T12:00:00")  # a Sunday


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / SNAPSHOTS_FOLDER).mkdir()
    return tmp_path / SNAPSHOTS_FOLDER


def put(folder: Path, time: datetime, size: int = 1, key: str = KEY) -> Path:
    path = folder / snapshot_name(key, time)
    path.write_bytes(b"x" * size)
    return path


def test_newest_snapshots_are_kept(folder: Path) -> None:
    paths = [put(folder, NOON + timedelta(minutes=number)) for number in range(15)]
    assert remove_old_snapshots(folder, KEY) == 5
    assert [file.path for file in list_snapshots(folder)] == paths[:4:-1]


def test_last_one_of_each_hour_day_week_and_month_is_kept(folder: Path) -> None:
    for number in range(24 * 100, 0, -1):  # one every hour, and four in each of the last hours
        put(folder, NOON - timedelta(hours=number))
        if number % 300 == 0:
            remove_old_snapshots(folder, KEY)
    for number in range(4 * 24):
        put(folder, NOON - timedelta(minutes=15 * number))
    remove_old_snapshots(folder, KEY)
    times = [file.created_at for file in list_snapshots(folder)]
    assert sum(NOON - time < timedelta(hours=24) for time in times) >= 24
    assert {NOON.date() - timedelta(days=number) for number in range(14)} <= {time.date() for time in times}
    assert {(2026, month) for month in range(9, 12)} <= {(time.year, time.month) for time in times}
    assert len(times) < 60
    assert remove_old_snapshots(folder, KEY) == 0


def test_largest_one_of_a_day_outlasts_later_ones_that_say_less(folder: Path) -> None:
    large = put(folder, NOON, size=50)
    for number in range(1, 30):
        put(folder, NOON + timedelta(minutes=number))
    remove_old_snapshots(folder, KEY)
    assert large.exists()
    assert len(list_snapshots(folder)) == 11


def test_other_libraries_and_other_files_are_left_alone(folder: Path) -> None:
    for number in range(20):
        put(folder, NOON + timedelta(minutes=number))
    other = put(folder, NOON - timedelta(days=900), key=OTHER)
    note = folder / f"{KEY}-notes.txt"
    note.write_text("mine")
    remove_old_snapshots(folder, KEY)
    assert other.exists()
    assert note.exists()
    assert [file.path for file in list_snapshots(folder, OTHER)] == [other]
    assert list_snapshots(folder / "none") == []


def test_newest_intact_snapshot_is_found_without_a_catalogue(tmp_path: Path, folder: Path) -> None:
    assert newest_intact_snapshot(tmp_path) is None
    records: list[Record] = [PictureRecord(PictureName(bytes(32)), ("a",))]
    good = folder / snapshot_name(KEY, NOON)
    write_snapshot(good, SnapshotHeader(KEY, NOON, counts={"picture": 1}), records)
    whole = good.read_bytes()
    (folder / snapshot_name(KEY, NOON + timedelta(hours=1))).write_bytes(whole[: len(whole) // 2])
    put(folder, NOON + timedelta(hours=2))
    (folder / snapshot_name(KEY, NOON + timedelta(hours=3))).mkdir()
    found = newest_intact_snapshot(tmp_path)
    assert found is not None
    assert found.path == good
    assert list(found.records()) == records


def test_snapshot_of_the_future_is_the_last_resort(tmp_path: Path, folder: Path) -> None:
    records: list[Record] = [PictureRecord(PictureName(bytes(32)), ("a",))]
    times = [datetime.fromisoformat(f"{year}-01-01T00:00:00") for year in (2001, 2002, 9998)]
    paths = [folder / snapshot_name(KEY, time) for time in times]
    for path, time in zip(paths, times, strict=True):
        write_snapshot(path, SnapshotHeader(KEY, time, counts={"picture": 1}), records)
    for expected in (paths[1], paths[0], paths[2]):
        found = newest_intact_snapshot(tmp_path)
        assert found is not None
        assert found.path == expected
        expected.unlink()


def test_unfinished_snapshots_of_killed_processes_do_not_accumulate(folder: Path) -> None:
    names = [f".{snapshot_name(library, NOON)}.12.{number}.tmp" for number, library in enumerate((KEY, KEY, OTHER))]
    for name in names:
        (folder / name).touch()
    for name in (names[0], names[2]):
        os.utime(folder / name, (1, 1))
    remove_old_snapshots(folder, KEY)
    assert {path.name for path in folder.iterdir()} == set(
        names[1:]
    )  # one may be written now, one is of another library
