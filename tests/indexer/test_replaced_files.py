"""Files that were replaced by a program that keeps their size and modification time."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.file_systems import InodeNumbers
from indexer import index
from store import Library
from store.catalog.tables import Picture
from tests.support.indexing import CountingEncoder, nonzero_counts

COLOURS = ("red", "blue")


def padded(album: Path) -> list[bytes]:
    """Return two different pictures of the same size."""
    return [(album / f"{colour}.png").read_bytes().ljust(200, b"\0") for colour in COLOURS]


def replace(path: Path, data: bytes) -> None:
    """Write a file in place, and keep its modification time."""
    before = path.stat().st_mtime_ns
    path.write_bytes(data)
    os.utime(path, ns=(before, before))


def test_a_file_replaced_within_its_size_and_time_is_read(
    library: Library, album: Path, counting: CountingEncoder
) -> None:
    red, blue = padded(album)
    replace(album / "red.png", red)
    index(library, [album], counting)
    replace(album / "red.png", blue)
    assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 3, "changed": 1, "embedded": 1}
    assert nonzero_counts(index(library, [album], counting)) == {"unchanged": 4}


def test_a_change_of_attributes_alone_hashes_a_file_once(
    library: Library, album: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    for path in album.rglob("*.png"):
        path.chmod(0o600)
    again = index(library, [album], counting)
    assert nonzero_counts(again) == {"unchanged": 4}
    assert "read" in again.timings
    assert "decode" not in again.timings
    assert counting.embedded == 4
    assert "read" not in index(library, [album], counting).timings


def test_another_file_of_the_same_times_is_told_by_its_inode(
    library: Library, album: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    with library.transaction() as connection:  # as if the file system had kept the change time of the name
        connection.execute(update(Picture).values(inode=Picture.inode + 1_000_000))
    assert "read" in index(library, [album], counting).timings
    assert "read" not in index(library, [album], counting).timings


def test_a_library_of_an_earlier_version_records_the_change_times_without_reading(
    library: Library, album: Path, counting: CountingEncoder
) -> None:
    index(library, [album], counting)
    with library.transaction() as connection:
        connection.execute(update(Picture).values(ctime_ns=None, inode=None))
    assert "read" not in index(library, [album], counting).timings
    status = (album / "red.png").stat()
    with library.read() as connection:
        statement = select(Picture.ctime_ns, Picture.inode).where(Picture.relpath == b"red.png")
        assert connection.execute(statement).one() == (status.st_ctime_ns, InodeNumbers().of(status, bytes(album)))


def test_a_changed_sidecar_of_the_same_size_and_time_is_read(
    library: Library, album: Path, counting: CountingEncoder
) -> None:
    sidecar = album / "red.xmp"
    sidecar.write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    assert index(library, [album], counting).metadata_updated == 1
    replace(sidecar, sidecar.read_bytes())
    assert index(library, [album], counting).metadata_updated == 1
    assert index(library, [album], counting).metadata_updated == 0


@pytest.mark.parametrize(
    ("kind", "reliable"),
    [("ext4", True), ("btrfs", True), ("nfs4", False), ("cifs", False), ("fuse.sshfs", False), ("exfat", False)],
)
def test_inode_numbers_count_on_local_file_systems_only(tmp_path: Path, kind: str, reliable: bool) -> None:
    mounts, folder = tmp_path / "mounts", tmp_path / "my pictures"
    folder.mkdir()
    where = str(folder).replace(" ", r"\040")
    mounts.write_text(f"/dev/root / xfs rw 0 0\n/dev/other {where} {kind} rw 0 0\n/dev/more {where}-more nfs rw 0 0\n")
    status = folder.stat()
    number = InodeNumbers(mounts).of(status, bytes(folder / "a.jpg"))
    assert number == (status.st_ino if reliable else None)


def test_systems_without_a_list_of_mounts_have_no_inode_numbers(tmp_path: Path) -> None:
    assert InodeNumbers(tmp_path / "none").of(tmp_path.stat(), bytes(tmp_path)) is None
