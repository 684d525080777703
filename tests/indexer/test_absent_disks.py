"""Disks below a root that are away: their pictures are not taken for deleted. Disks are mounted if root may do so."""

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import patience
from indexer.absent_disks import count_away
from indexer.changed_folders import ChangedFolders
from indexer.index_changed import index_changed
from indexer.pipeline import IndexSettings, index
from indexer.summary import Summary
from store import Library
from store.ingest.mount_points import known_mount_points

Mount = Callable[[Path], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Return a function that mounts an empty disk; mounted ones are unmounted at the end."""
    mounted: list[Path] = []

    def call(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this system does not let us mount")
        mounted.append(folder)

    yield call
    for folder in mounted:
        subprocess.run(["umount", folder], capture_output=True, check=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one picture."""
    add(tmp_path / "photos", 1)
    return tmp_path / "photos"


def add(folder: Path, count: int, shade: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        Image.new("RGB", (8, 8), (number, shade, 40)).save(folder / f"{number:02d}.png")


def run(library: Library, folder: Path, *, accept_missing: bool = False) -> Summary:
    return index(library, folder, FakeEncoder(), IndexSettings(accept_missing=accept_missing, workers=1))


def test_disk_that_does_not_answer_is_away_and_holds_up_nothing(
    library: Library, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path / "more", 2, shade=9)
    for folder in (photos, tmp_path / "more"):
        run(library, folder)
    answers = Event()
    asked = list[Path]()

    def scandir(folder: bytes | Path) -> Any:
        if os.fsencode(folder) == os.fsencode(photos):
            asked.append(photos)
            assert answers.wait(60)
        return real(folder)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.2)
    try:
        for _ in range(3):
            assert count_away(library) == {photos: 1}
        assert asked == [photos], "a thread was left behind by each question"
    finally:
        answers.set()
    for thread in threading.enumerate():
        if thread.name == "ask-file-system":
            thread.join(60)  # a question that is still open counts, and its time is over
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 60)
    assert count_away(library) == {}


@pytest.mark.parametrize(("number", "is_away"), [(errno.ENOTCONN, True), (errno.EIO, True), (errno.EACCES, False)])
def test_folder_that_cannot_be_listed_is_away_unless_it_is_forbidden(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_away: bool
) -> None:
    run(library, photos)

    def scandir(_folder: Path) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "scandir", scandir)
    assert count_away(library) == ({photos: 1} if is_away else {})


@pytest.mark.parametrize("leaves", ["an empty folder", "other files", "nothing"])
def test_pictures_of_a_disk_that_is_away_are_kept(library: Library, photos: Path, mount: Mount, leaves: str) -> None:
    disk = photos / "disk"
    mount(disk)
    add(disk, 3, shade=9)
    assert run(library, photos).new == 4
    subprocess.run(["umount", disk], check=True)
    if leaves == "nothing":
        disk.rmdir()
    elif leaves == "other files":
        (disk / "is not mounted.txt").touch()
    for _ in range(2):
        assert count_away(library) == {photos: 3}
        summary = run(library, photos)
        assert (summary.missing, summary.absent) == (0, (str(disk),))
    mount(disk)
    assert count_away(library) == {}
    add(disk, 3, shade=9)
    summary = run(library, photos)
    assert (summary.missing, summary.absent, summary.unchanged + summary.changed) == (0, (), 4)
    subprocess.run(["umount", disk], check=True)
    summary = run(library, photos, accept_missing=True)
    assert (summary.missing, summary.absent) == (3, ())
    assert run(library, photos).absent == ()


@pytest.mark.parametrize("leaves", ["an empty folder", "nothing"])
def test_run_over_changed_folders_keeps_the_pictures_of_a_disk_that_is_away(
    library: Library, photos: Path, mount: Mount, leaves: str
) -> None:
    disk = photos / "disk"
    mount(disk)
    add(disk / "trip", 3, shade=9)
    run(library, photos)
    subprocess.run(["umount", disk], check=True)
    if leaves == "nothing":
        disk.rmdir()
    else:
        add(disk, 1, shade=50)
    changed = ChangedFolders(frozenset([b"", b"disk"]))
    summary = index_changed(library, photos, changed, FakeEncoder(), IndexSettings(workers=1))
    assert (summary.missing, summary.absent) == (0, (str(disk),))


def test_run_over_changed_folders_notices_pictures_deleted_from_a_mounted_disk(
    library: Library, photos: Path, mount: Mount
) -> None:
    disk = photos / "disk"
    mount(disk)
    add(disk / "one", 1, shade=9)
    add(disk / "two", 1, shade=30)
    run(library, photos)
    (disk / "two" / "00.png").unlink()
    changed = ChangedFolders(frozenset([b"disk/two"]))
    summary = index_changed(library, photos, changed, FakeEncoder(), IndexSettings(workers=1))
    assert (summary.missing, summary.absent) == (1, ())


def test_another_disk_in_the_same_place_is_not_the_same(library: Library, photos: Path, mount: Mount) -> None:
    mount(photos / "disk")
    add(photos / "disk", 3, shade=9)
    run(library, photos)
    subprocess.run(["umount", photos / "disk"], check=True)
    mount(photos / "disk")
    (photos / "disk" / "other").mkdir()
    add(photos / "disk" / "other", 2, shade=77)
    summary = run(library, photos)
    assert (summary.new, summary.missing, summary.absent) == (2, 0, (str(photos / "disk"),))


def test_pictures_deleted_from_a_mounted_disk_are_missing(library: Library, photos: Path, mount: Mount) -> None:
    mount(photos / "disk")
    add(photos / "disk", 3, shade=9)
    run(library, photos)
    (photos / "disk" / "00.png").unlink()
    summary = run(library, photos)
    assert (summary.missing, summary.absent) == (1, ())


def test_a_part_of_a_root_is_indexed_while_a_disk_is_away(library: Library, photos: Path, mount: Mount) -> None:
    mount(photos / "disk")
    add(photos / "disk", 3, shade=9)
    add(photos / "here", 2, shade=30)
    run(library, photos)
    subprocess.run(["umount", photos / "disk"], check=True)
    assert run(library, photos / "here").absent == ()
    assert run(library, photos).absent == (str(photos / "disk"),)


def test_a_large_folder_that_is_suddenly_empty_is_kept(library: Library, photos: Path) -> None:
    """A disk may have been mounted there that was not noticed, such as a part of the same disk."""
    add(photos, 10)
    add(photos / "many", 20, shade=9)
    add(photos / "few", 19, shade=30)
    run(library, photos)
    for name in ("many", "few"):
        shutil.rmtree(photos / name)
        (photos / name).mkdir()
    summary = run(library, photos)
    assert (summary.missing, summary.absent) == (19, (str(photos / "many"),))
    summary = run(library, photos, accept_missing=True)
    assert (summary.missing, summary.absent) == (20, ())


def test_a_folder_is_empty_after_its_pictures_were_moved(library: Library, photos: Path) -> None:
    add(photos / "import", 25, shade=9)
    run(library, photos)
    (photos / "import").rename(photos / "2024")
    (photos / "import").mkdir()
    summary = run(library, photos)
    assert (summary.moved, summary.missing, summary.absent) == (25, 0, ())


def test_a_large_folder_that_is_gone_was_deleted(library: Library, photos: Path) -> None:
    add(photos / "many", 20, shade=9)
    run(library, photos)
    shutil.rmtree(photos / "many")
    (photos / "01.png").write_bytes((photos / "00.png").read_bytes() + b"x")
    (photos / "more").mkdir()
    add(photos / "more", 5, shade=60)
    summary = run(library, photos)
    assert (summary.missing, summary.absent) == (20, ())


def test_a_damaged_list_of_mount_points_is_ignored(library: Library, photos: Path) -> None:
    (library.path / "mount-points.json").write_text('{"1": 7}')
    assert known_mount_points(library, 1) == frozenset()
    assert run(library, photos).new == 1
