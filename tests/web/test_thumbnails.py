"""What is kept of thumbnails, and for how long."""

import os
from pathlib import Path

from store import Library
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
    import io

    from PIL import Image

    made = Thumbnails(indexed, tmp_path, limit=10**6).get(1, Size.VIEWER)
    assert Image.open(io.BytesIO(made)).size == (8, 8)
