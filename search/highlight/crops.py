"""The views of a picture that a model is shown, so that its grid of cells covers all of it, and more finely.

A model that keeps the middle square of a picture never sees the ends of a wide one; and the cells of any model are
coarse beside what people look for. So it is shown the whole picture (or squares that cover it) and, beside that,
overlapping closer views; what its cells say is laid over each other where they lie, as dense prediction does with
sliding windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.segmenter import resized

__all__ = ["View", "canvas_size", "lay_out", "views_of"]

ZOOM = 0.75
"""Side of a closer view over that of a whole one. On rendered scenes 0.75 points better than 0.5 or 0.6."""
OVERLAP = 0.5
"""Least share of a view that the next one repeats."""
LONGEST = 8
"""A picture of a more extreme shape is cut into no more whole views than this many; they are squeezed a little."""
WHOLE, CLOSER = 0.3, 1.0
"""How much a view counts where it lies: the finer cells more."""
CANVAS = 64
"""Shorter side of the grid that views are laid on: finer than the cells of any model's view."""


@dataclass(frozen=True)
class View:
    """A rectangle of a picture, in pixels, and how much what is seen in it counts."""

    left: int
    top: int
    right: int
    bottom: int
    weight: float

    def of(self, image: Image.Image, *, square: bool) -> Image.Image:
        """What is seen, squeezed into a square if it must be one."""
        seen = image.crop((self.left, self.top, self.right, self.bottom))
        side = min(seen.size)
        return seen.resize((side, side), Image.Resampling.BICUBIC) if square and seen.width != seen.height else seen


def views_of(size: tuple[int, int], *, square: bool) -> list[View]:
    """Views that cover a picture of `size` (width, height): squares for a model that would cut or fill up others."""
    width, height = size
    across, down = width, height
    if square:
        across = down = max(min(size), -(-max(size) // LONGEST))
    return [
        View(left, top, min(width, left + wide), min(height, top + high), weight)
        for wide, high, weight in ((across, down, WHOLE), (round(across * ZOOM), round(down * ZOOM), CLOSER))
        for top in _starts(height, high)
        for left in _starts(width, wide)
    ]


def _starts(length: int, window: int) -> list[int]:
    """Where windows begin that cover `length`, evenly, each overlapping the next; one if a window covers all."""
    if window >= length or window < 1:
        return [0]
    count = 1 + int(np.ceil((length - window) / (window * (1 - OVERLAP))))
    return [round(start) for start in np.linspace(0, length - window, count)]


def canvas_size(size: tuple[int, int]) -> tuple[int, int]:
    """Size (width, height) of the grid that stands for a picture of `size`, of its shape where that is not extreme."""
    scale = CANVAS / min(size)
    return min(round(size[0] * scale), CANVAS * LONGEST), min(round(size[1] * scale), CANVAS * LONGEST)


def lay_out(views: Sequence[View], grids: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """What cells say in each view, (V, P, rows, columns), as P maps over a picture of `size`: (P, height, width) of the
    canvas. Where views overlap, their mean, in which the middle of a view counts more than its rim."""
    wide, high = canvas_size(size)
    total = np.zeros((grids.shape[1], high, wide), dtype=np.float32)
    weights = np.zeros((high, wide), dtype=np.float32)
    for view, maps in zip(views, grids, strict=True):
        columns, rows = _span(view.left, view.right, size[0], wide), _span(view.top, view.bottom, size[1], high)
        shape = (columns.stop - columns.start, rows.stop - rows.start)
        weight = view.weight * np.outer(_bump(shape[1]), _bump(shape[0])).astype(np.float32)
        total[:, rows, columns] += np.stack([resized(grid, shape) for grid in maps]) * weight
        weights[rows, columns] += weight
    return np.asarray(total / weights, dtype=np.float32)


def _span(start: int, stop: int, of: int, canvas: int) -> slice:
    """Pixels `start` to `stop` of `of` on a canvas; one cell at least."""
    first = min(int(start * canvas / of), canvas - 1)
    return slice(first, max(first + 1, -(-stop * canvas // of)))


def _bump(length: int) -> NDArray[np.floating]:
    """One in the middle, a tenth at the ends."""
    return np.asarray(0.1 + 0.9 * np.sin(np.pi * (np.arange(length) + 0.5) / length))
