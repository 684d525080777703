"""A perceptual hash: similar-looking pictures have hashes that differ in few bits, even if their files differ.

This is pHash with 256 bits (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010). It is
identical to `phash(image, hash_size=16)` of the library imagehash, which is not used because it needs SciPy for one
cosine transform; a test compares the two.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["HASH_BYTES", "HASH_INPUT_SIDE", "HASH_VERSION", "perceptual_hash"]

HASH_VERSION = 1
"""Must be raised when the hash of a picture changes: hashes of different versions are never compared."""

HASH_INPUT_SIDE = 64
"""Side in pixels of the square that is transformed."""

FREQUENCIES = 16
"""Frequencies kept in each direction."""

HASH_BYTES = FREQUENCIES * FREQUENCIES // 8

MIN_STRENGTH = 2.0
"""Minimum of the median strength of the frequencies, in grey levels. Pictures below it, such as a black frame or a
clear sky, have too little detail for a hash. None of 14,006 photos is below it (docs/duplicates.md)."""


def perceptual_hash(image: Image.Image) -> bytes | None:
    """Return the hash (32 bytes) of an upright RGB picture, or None if it has too little detail."""
    luma = image.convert("L").resize((HASH_INPUT_SIDE, HASH_INPUT_SIDE), Image.Resampling.LANCZOS)
    cosines = _cosines()
    low = cosines @ np.asarray(luma, np.float64) @ cosines.T  # (16, 16)
    if _median(np.abs(low)) < MIN_STRENGTH:
        return None
    return np.packbits(low > _median(low)).tobytes()


def _median(values: NDArray[np.float64]) -> float:
    """Return exactly what `np.median` returns for an even number of finite values, without its overhead."""
    ordered = np.sort(values, axis=None)
    return float(ordered[ordered.size // 2 - 1] + ordered[ordered.size // 2]) / 2


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    """Return the lowest rows of the type II discrete cosine transform, (16, 64), all with the same scale."""
    frequency, position = np.arange(FREQUENCIES)[:, None], np.arange(HASH_INPUT_SIDE)[None]
    return np.asarray(
        np.cos(np.pi * frequency * (2 * position + 1) / (2 * HASH_INPUT_SIDE)) * np.sqrt(2 / HASH_INPUT_SIDE),
        np.float64,
    )
