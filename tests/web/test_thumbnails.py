"""What is kept of thumbnails, and for how long."""

import errno
import io
import os
import tempfile
from pathlib import Path
from typing import Any, Self

import pytest
from PIL import Image

from store import Library
from store.queries import describe
from web.thumbnails import Size, Thumbnails


def keep(folder: Path, name: str, size: int, age: int) -> Path:
    """A thumbnail of `size` bytes that was made `age` seconds after the first."""
    path = folder / "thumbnails" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (1_000_000 + age, 1_000_000 + age))
    return path


def test_the_oldest_go_first_until_nine_tenths_are_left(library: Library, tmp_path: Path) -> None:
    kept = [keep(tmp_path, f"{name}{name}.webp", 30, age) for age, name in enumerate("dbca")]
    Thumbnails(library, tmp_path, limit=100).sweep()  # 120 bytes of 100: down to 90
    assert [path.exists() for path in kept] == [False, True, True, True]


def test_below_the_limit_all_stay(library: Library, tmp_path: Path) -> None:
    kept = [keep(tmp_path, f"{name}{name}.webp", 50, 0) for name in "ab"]
    Thumbnails(library, tmp_path, limit=100).sweep()
    assert all(path.exists() for path in kept)


def test_a_picture_smaller_than_the_thumbnail_keeps_its_size(indexed: Library, tmp_path: Path) -> None:
    made = Thumbnails(indexed, tmp_path, limit=10**6).make(1, Size.VIEWER)
    assert Image.open(io.BytesIO(made.data)).size == (8, 8)


def test_a_file_that_changed_is_shown_and_not_kept(indexed: Library, album: Path, tmp_path: Path) -> None:
    thumbnails = Thumbnails(indexed, tmp_path, limit=10**6)
    with indexed.read() as connection:
        (red,) = [each.id for each in describe(connection, range(1, 5)).values() if each.paths[0].name == "red.png"]
    Image.new("RGB", (8, 8), "blue").save(album / "red.png")
    made = thumbnails.make(red, Size.GRID)
    assert made.tag is None
    assert thumbnails.find(red, Size.GRID) is None  # what the catalogue knows by these bytes is another picture


def test_a_full_disk_costs_the_cache_and_nothing_else(
    indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __init__(self, file: Any) -> None:
            self.name, self._file = file.name, file

        def write(self, _data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

    real = tempfile.NamedTemporaryFile
    monkeypatch.setattr("web.thumbnails.tempfile.NamedTemporaryFile", lambda **options: Full(real(**options)))
    thumbnails = Thumbnails(indexed, tmp_path, limit=10**6)
    assert thumbnails.make(1, Size.GRID).tag is not None
    assert thumbnails.find(1, Size.GRID) is None
    assert [path for path in (tmp_path / "thumbnails").rglob("*") if path.is_file()] == []


def test_what_cannot_be_removed_stays(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [keep(tmp_path, f"{name}{name}.webp", 60, 0) for name in "ab"]
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
    Thumbnails(library, tmp_path, limit=100).sweep()
    assert all(path.exists() for path in kept)
