"""Generated pictures that take as much time as photographs: slowly changing light, texture, sensor noise, EXIF."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

__all__ = ["write_photos"]


def write_photos(folder: Path, count: int, size: tuple[int, int], quality: int, masters: int = 8) -> int:
    """Write `count` JPEGs of `size` (width, height) with different content, and return their total size in bytes.

    Only `masters` different pictures are rendered; copies of them differ by a few bytes after the end of the JPEG,
    which change the digest and not the cost of decoding.
    """
    folder.mkdir(parents=True)
    rendered = list(_masters(min(count, masters), size, quality))
    total = 0
    for number in range(count):
        total += (folder / f"{number:05d}.jpg").write_bytes(rendered[number % len(rendered)] + b"%d" % number)
    return total


def _masters(count: int, size: tuple[int, int], quality: int) -> Iterator[bytes]:
    rng = np.random.default_rng(12)
    for number in range(count):
        buffer = io.BytesIO()
        Image.fromarray(_render(rng, size)).save(buffer, "JPEG", quality=quality, exif=_exif(number))
        yield buffer.getvalue()


def _render(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return (H, W, 3): random light at four scales, from an eighth of the picture to a few pixels, and noise."""
    width, height = size
    scene = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((8, 90.0), (32, 40.0), (160, 20.0), (800, 8.0)):
        shape = (max(2, height * cells // width), cells, 3)
        light = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
        scene += (np.asarray(light.resize(size, Image.Resampling.BICUBIC), np.float32) - 128) * (strength / 128)
    noise = rng.standard_normal((height, width, 1), dtype=np.float32) * 3
    return (scene + noise + 128).clip(0, 255).astype(np.uint8)


def _exif(number: int) -> Image.Exif:
    """Return typical EXIF data: a time, a camera, a position, and a rotation for one picture in four."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Sightline"
    exif[ExifTags.Base.Model] = "Benchmark 12"
    exif[ExifTags.Base.Orientation] = 6 if number % 4 == 0 else 1
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"2024:05:{number % 28 + 1:02d} 12:00:00"
    place = {1: "N", 2: (48.0, 8.0, 15.0), 3: "E", 4: (11.0, 34.0, 30.0)}
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
    return exif
