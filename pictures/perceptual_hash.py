"""A hash of what a picture looks like: two pictures that look alike differ in few of its bits, whatever their files.

This is pHash in 256 bits (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010), bit for
bit what the library imagehash computes as `phash(image, hash_size=16)`. It is computed here because that library needs
all of SciPy for one cosine transform; a test holds the two together.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["HASH_BYTES", "HASH_VERSION", "SIDE", "perceptual_hash"]

HASH_VERSION = 1
"""Raised whenever the same picture gets another hash: hashes of two versions are never compared."""

SIDE, KEPT = 64, 16
"""Pixels of the square that is transformed, and frequencies kept of each direction."""

HASH_BYTES = KEPT * KEPT // 8

PLAIN = 2.0
"""Median strength of the frequencies, in grey levels, beneath which a picture has nothing to tell it from others: a
black frame, a clear sky. Of 14,006 photos none is beneath it (docs/duplicates.md)."""


def perceptual_hash(image: Image.Image) -> bytes | None:
    """The hash (32 bytes) of an upright RGB picture, or None where it is too plain for one."""
    luma = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    cosines = _cosines()
    low = cosines @ np.asarray(luma, np.float64) @ cosines.T  # (16, 16)
    if np.median(np.abs(low)) < PLAIN:
        return None
    return np.packbits(low > np.median(low)).tobytes()


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    """The lowest rows of the discrete cosine transform of type II, (16, 64), all scaled alike."""
    frequency, place = np.arange(KEPT)[:, None], np.arange(SIDE)[None]
    return np.asarray(np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE)) * np.sqrt(2 / SIDE), np.float64)
