"""The cache of thumbnails: its limit, changed files, and full disks."""

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from store import Library
from store.queries import load_content_records
from web.thumbnails import Thumbnails, ThumbnailSize

PLENTY = 10**6


def write_cached(folder: Path, name: str, size: int, age: int) -> Path:
    """Write a cached thumbnail of `size` bytes, made `age` seconds after the first."""
    path = folder / "thumbnails" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (1_000_000 + age, 1_000_000 + age))
    return path


def test_sweep_deletes_the_oldest_down_to_nine_tenths(library: Library, tmp_path: Path) -> None:
    paths = [write_cached(tmp_path, f"{name}{name}.webp", 30, age) for age, name in enumerate("dbca")]
    Thumbnails(library, tmp_path, max_bytes=100).sweep()  # 120 bytes: down to 90
    assert [path.exists() for path in paths] == [False, True, True, True]


def test_sweep_keeps_everything_below_the_limit(library: Library, tmp_path: Path) -> None:
    paths = [write_cached(tmp_path, f"{name}{name}.webp", 50, 0) for name in "ab"]
    Thumbnails(library, tmp_path, max_bytes=100).sweep()
    assert all(path.exists() for path in paths)


def test_sweep_survives_files_that_cannot_be_deleted(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_cached(tmp_path, f"{name}{name}.webp", 60, 0) for name in "ab"]
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
    Thumbnails(library, tmp_path, max_bytes=100).sweep()
    assert all(path.exists() for path in paths)


def test_small_pictures_are_not_enlarged(indexed: Library, tmp_path: Path) -> None:
    thumbnail = Thumbnails(indexed, tmp_path, PLENTY).make(1, ThumbnailSize.VIEWER)
    assert Image.open(io.BytesIO(thumbnail.data)).size == (8, 8)


def test_cached_thumbnails_are_readable_by_the_user_only(indexed: Library, tmp_path: Path) -> None:
    Thumbnails(indexed, tmp_path, PLENTY).make(1, ThumbnailSize.GRID)
    (path,) = (path for path in (tmp_path / "thumbnails").rglob("*") if path.is_file())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_thumbnail_of_a_changed_file_is_not_cached(indexed: Library, album: Path, tmp_path: Path) -> None:
    thumbnails = Thumbnails(indexed, tmp_path, PLENTY)
    records = load_content_records(indexed, range(1, 5))
    (red,) = [record.id for record in records.values() if record.paths[0].name == "red.png"]
    Image.new("RGB", (8, 8), "blue").save(album / "red.png")
    assert thumbnails.make(red, ThumbnailSize.GRID).etag is None
    assert thumbnails.find(red, ThumbnailSize.GRID) is None  # the catalogue still has the digest of the old bytes


def test_full_disk_only_disables_the_cache(indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("web.thumbnails.atomic_writer", full_disk)
    thumbnails = Thumbnails(indexed, tmp_path, PLENTY)
    assert thumbnails.make(1, ThumbnailSize.GRID).etag is not None
    assert thumbnails.find(1, ThumbnailSize.GRID) is None
    assert [path for path in (tmp_path / "thumbnails").rglob("*") if path.is_file()] == []
