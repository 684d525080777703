"""Pictures with detail at every scale, like photos and unlike plain test pictures."""

from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["located_photo", "photo"]


def photo(seed: int, width: int = 160, height: int = 160) -> Image.Image:
    """Return a picture that does not resemble that of any other seed."""
    rng = np.random.default_rng(seed)
    layers = [
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for side in (3, 6, 12, 24, 48)
    ]
    weighted = np.average([np.asarray(layer, np.float64) for layer in layers], axis=0, weights=[5, 4, 3, 2, 1])
    return Image.fromarray(weighted.astype(np.uint8))


def located_photo(path: Path, seed: int, latitude: float, longitude: float) -> None:
    """Write a picture with a position."""
    exif = Image.Exif()
    position = exif.get_ifd(0x8825)
    position[1], position[2] = "N" if latitude >= 0 else "S", (abs(latitude), 0, 0)
    position[3], position[4] = "E" if longitude >= 0 else "W", (abs(longitude), 0, 0)
    exif.get_ifd(0x8769)[0x9003] = datetime(2023, 1, 1 + seed).strftime("%Y:%m:%d %H:%M:%S")  # noqa: DTZ001
    path.parent.mkdir(parents=True, exist_ok=True)
    photo(seed, 64, 48).save(path, exif=exif)
