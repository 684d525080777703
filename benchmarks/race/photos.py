"""Generated JPEGs with the content of photographs, for comparisons with other programs."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["photo_files", "render", "write_race_photos"]

PHOTOS = Path(__file__).parent.parent.parent / "encoders" / "background" / "photos"
NOISE = 4.0
"""Standard deviation of the sensor noise, in levels of 8 bits."""
TEXTURE = 10.0
"""Standard deviation of the texture. Photos of the background set are small; enlarged alone they would be flat."""


def photo_files() -> list[Path]:
    """Return the photos from which pictures are made, sorted by name."""
    return sorted(PHOTOS.glob("*.jpg"))


def render(seed: int, size: tuple[int, int], photos: Sequence[Path]) -> Image.Image:
    """Return a random crop of a photo, enlarged to `size` (width, height), with texture and noise.

    The same seed and photos give the same picture.
    """
    rng = np.random.default_rng(seed)
    with Image.open(photos[seed % len(photos)]) as photo:
        content = photo.convert("RGB")
    width, height = content.size
    left, top = (int(side * rng.uniform(0, 0.25)) for side in (width, height))
    box = (left, top, left + int(width * 0.75), top + int(height * 0.75))
    scene = np.asarray(content.crop(box).resize(size, Image.Resampling.BICUBIC), np.float32)
    coarse = rng.normal(128, TEXTURE, (max(1, size[1] // 4), max(1, size[0] // 4))).clip(0, 255).astype(np.uint8)
    texture = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.float32) - 128
    noise = rng.standard_normal((size[1], size[0]), dtype=np.float32) * NOISE
    return Image.fromarray((scene + (texture + noise)[..., None]).clip(0, 255).astype(np.uint8))


def write_race_photos(folder: Path, count: int, size: tuple[int, int], masters: int, quality: int = 88) -> int:
    """Write `count` JPEGs and return their total size in bytes.

    Only `masters` different pictures are rendered. Copies differ in bytes after the end of the JPEG: every file has a
    digest of its own, and costs as much as any other.
    """
    folder.mkdir(parents=True)
    photos = photo_files()
    files = [_jpeg(render(seed, size, photos), quality) for seed in range(min(count, masters))]
    numbered = enumerate(files[number % len(files)] for number in range(count))
    return sum((folder / f"{number:05d}.jpg").write_bytes(data + b"%d" % number) for number, data in numbered)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
