"""The crops of a picture that an encoder sees, so that its grid of patches covers all of it, and more finely.

An encoder that crops a picture to its middle square never sees the ends of a wide one, and the patches of any encoder
can be coarse compared with the things people look for. It is therefore shown the whole picture (or squares that cover
it) and, if its grid is coarse, overlapping closer crops. The values of their patches are merged where they overlap, as
dense prediction does with sliding windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.segmenter import resized

__all__ = ["FINE_GRID", "PatchCrop", "canvas_size", "close_crops", "merge_grids", "whole_crops"]

FINE_GRID = 32
"""An encoder with this many patches on the shorter side of its grid gets no closer crops."""

CLOSE_CROP_SCALE = 0.75
"""Side of a closer crop relative to a whole one. On rendered scenes, 0.75 points better than 0.5 or 0.6."""
MIN_OVERLAP = 0.5
"""Smallest fraction of a crop that the next one repeats."""
MAX_WHOLE_CROPS = 8
"""A picture of a more extreme shape has no more whole crops than this; they are squeezed a little."""
WHOLE_WEIGHT, CLOSE_WEIGHT = 0.3, 1.0
"""Weights of the values of whole and closer crops: the finer patches count more."""
CANVAS_SIDE = 64
"""Shorter side of the grid on which crops are merged: finer than the patches of any encoder."""


@dataclass(frozen=True)
class PatchCrop:
    """A rectangle of a picture, in pixels, and the weight of the values that are computed from it."""

    left: int
    top: int
    right: int
    bottom: int
    weight: float

    def of(self, image: Image.Image, *, square: bool) -> Image.Image:
        """Return this part of `image`, squeezed into a square if `square` is set."""
        part = image.crop((self.left, self.top, self.right, self.bottom))
        side = min(part.size)
        return part.resize((side, side), Image.Resampling.BICUBIC) if square and part.width != part.height else part


def whole_crops(size: tuple[int, int], *, square: bool) -> list[PatchCrop]:
    """Return the largest crops that cover a picture of `size` (width, height): the picture itself, or squares.

    They are squares if `square` is set, for an encoder that would crop or pad other shapes.
    """
    return _cover(size, _whole_shape(size, square=square), WHOLE_WEIGHT)


def close_crops(size: tuple[int, int], *, square: bool) -> list[PatchCrop]:
    """Return smaller, overlapping crops that cover a picture of `size` (width, height)."""
    across, down = _whole_shape(size, square=square)
    return _cover(size, (round(across * CLOSE_CROP_SCALE), round(down * CLOSE_CROP_SCALE)), CLOSE_WEIGHT)


def _whole_shape(size: tuple[int, int], *, square: bool) -> tuple[int, int]:
    side = max(min(size), -(-max(size) // MAX_WHOLE_CROPS))
    return (side, side) if square else size


def _cover(size: tuple[int, int], shape: tuple[int, int], weight: float) -> list[PatchCrop]:
    """Return overlapping crops of `shape` that cover a picture of `size`."""
    (width, height), (wide, high) = size, shape
    return [
        PatchCrop(left, top, min(width, left + wide), min(height, top + high), weight)
        for top in _window_starts(height, high)
        for left in _window_starts(width, wide)
    ]


def canvas_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size (width, height) of the grid for a picture of `size`; it has the same shape unless extreme."""
    scale, limit = CANVAS_SIDE / min(size), CANVAS_SIDE * MAX_WHOLE_CROPS
    return min(round(size[0] * scale), limit), min(round(size[1] * scale), limit)


def merge_grids(crops: Sequence[PatchCrop], grids: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Merge the values of the patches of V crops, (V, P, rows, columns), into P maps over a picture of `size`.

    Returns (P, height, width) of the canvas. Where crops overlap, the value is a weighted mean in which the middle of a
    crop counts more than its edges.
    """
    wide, high = canvas_size(size)
    total = np.zeros((grids.shape[1], high, wide), dtype=np.float32)
    weights = np.zeros((high, wide), dtype=np.float32)
    for crop, maps in zip(crops, grids, strict=True):
        columns, rows = _span(crop.left, crop.right, size[0], wide), _span(crop.top, crop.bottom, size[1], high)
        shape = (columns.stop - columns.start, rows.stop - rows.start)
        weight = crop.weight * np.outer(_bump(shape[1]), _bump(shape[0])).astype(np.float32)
        total[:, rows, columns] += np.stack([resized(grid, shape) for grid in maps]) * weight
        weights[rows, columns] += weight
    return np.asarray(total / weights, dtype=np.float32)


def _window_starts(length: int, window: int) -> list[int]:
    """Return the starts of evenly spaced windows that cover `length` and overlap; one start if one window is enough."""
    if window >= length or window < 1:
        return [0]
    count = 1 + int(np.ceil((length - window) / (window * (1 - MIN_OVERLAP))))
    return [round(start) for start in np.linspace(0, length - window, count)]


def _span(start: int, stop: int, of: int, canvas: int) -> slice:
    """Return the slice of the canvas for pixels `start` to `stop` of `of`, at least one element long."""
    first = min(int(start * canvas / of), canvas - 1)
    return slice(first, max(first + 1, -(-stop * canvas // of)))


def _bump(length: int) -> NDArray[np.floating]:
    """Return weights (length,) that are 1 in the middle and 0.1 at the ends."""
    return np.asarray(0.1 + 0.9 * np.sin(np.pi * (np.arange(length) + 0.5) / length))
