"""The contours of a map: closed lines where it crosses a threshold, as polygons of few points.

Lines are found by marching squares (the two-dimensional case of Lorensen and Cline, "Marching cubes", SIGGRAPH 1987),
with the crossings interpolated between pixels, and simplified as by Douglas and Peucker ("Algorithms for the reduction
of the number of points required to represent a digitized line or its caricature", 1973).
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["MAX_POINTS", "MAX_POLYGONS", "Polygon", "contour_polygons"]

Polygon: TypeAlias = list[tuple[float, float]]
"""(x, y) of each corner as shares of the width and height, 0 to 1. The first corner is not repeated."""

GRID_SIDE = 192
"""Longest side of the grid on which contours are traced; maps have far fewer independent values."""
MAX_POLYGONS, MAX_POINTS = 32, 240
"""How many contours are returned, those of the largest areas, and how many corners each has."""
TOLERANCE = 0.35
"""Distance, in cells of the grid, that a simplified line may have from the traced one."""
MIN_AREA = 3.0
"""Cells of the grid. Smaller contours are left out if there are larger ones."""

TOP, RIGHT, BOTTOM, LEFT = range(4)
_SEGMENTS = {
    1: ((LEFT, TOP),), 2: ((TOP, RIGHT),), 3: ((LEFT, RIGHT),), 4: ((RIGHT, BOTTOM),),
    5: ((LEFT, TOP), (RIGHT, BOTTOM)), 6: ((TOP, BOTTOM),), 7: ((LEFT, BOTTOM),),
    8: ((BOTTOM, LEFT),), 9: ((BOTTOM, TOP),), 10: ((TOP, RIGHT), (BOTTOM, LEFT)), 11: ((BOTTOM, RIGHT),),
    12: ((RIGHT, LEFT),), 13: ((RIGHT, TOP),), 14: ((TOP, LEFT),),
}  # fmt: skip
"""From which side of a cell to which a contour goes, by the corners inside (top left 1, top right 2, bottom right 4,
bottom left 8). Each side that is crossed begins one segment and ends one, so that contours are closed."""


def contour_polygons(values: NDArray[np.float32], threshold: float, mask: NDArray[np.bool_]) -> list[Polygon]:
    """Return the contours of a map (H, W) at `threshold` around the pixels of `mask` (H, W), the largest first.

    A hole is a contour of its own: fill the polygons with the even-odd rule.
    """
    height, width = values.shape
    scale = min(1.0, GRID_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    inside = np.where(mask, values, np.minimum(values, threshold - 1e-3)).astype(np.float32)
    grid = np.asarray(Image.fromarray(inside).resize(size, Image.Resampling.BOX))  # (h, w)
    # The outermost values are repeated, so that a contour reaches the edge of the picture, and is closed outside.
    padded = np.pad(np.pad(grid.astype(np.float64), 1, mode="edge"), 1, constant_values=threshold - 1)
    lines = [_simplified(np.array(line)) for line in _trace(padded, threshold)]
    lines.sort(key=lambda line: -abs(_area(line)))
    kept = [line for line in lines[:MAX_POLYGONS] if abs(_area(line)) >= MIN_AREA] or lines[:1]
    # The value of a cell belongs to its middle, and the first cell of the grid has the index 2.
    return [
        [
            (float(np.clip((x - 1.5) / size[0], 0, 1)), float(np.clip((y - 1.5) / size[1], 0, 1)))
            for x, y in line.tolist()
        ]
        for line in kept
    ]


def _trace(values: NDArray[np.float64], threshold: float) -> Iterator[list[tuple[float, float]]]:
    """Yield the closed lines at `threshold`, as positions (x, y) in a grid whose outermost values are below it."""
    above = values >= threshold
    cells = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]
    following: dict[tuple[int, int, bool], tuple[int, int, bool]] = {}
    for row, column in np.argwhere((cells > 0) & (cells < 15)).tolist():
        sides = {
            TOP: (row, column, True), BOTTOM: (row + 1, column, True),
            LEFT: (row, column, False), RIGHT: (row, column + 1, False),
        }  # fmt: skip
        for start, end in _SEGMENTS[int(cells[row, column])]:
            following[sides[start]] = sides[end]
    while following:
        first, at = following.popitem()
        line = [_crossing(values, threshold, first)]
        while at != first:
            line.append(_crossing(values, threshold, at))
            at = following.pop(at)
        yield line


def _crossing(values: NDArray[np.float64], threshold: float, side: tuple[int, int, bool]) -> tuple[float, float]:
    """Return where a line crosses the side between a value and the one to its right, or below it."""
    row, column, is_across = side
    one = values[row, column]
    other = values[row, column + 1] if is_across else values[row + 1, column]
    share = float(np.clip((threshold - one) / (other - one), 0, 1))
    return (column + share, float(row)) if is_across else (float(column), row + share)


def _simplified(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed line (N, 2) with fewer corners, at most `MAX_POINTS`."""
    far = int(np.linalg.norm(line - line[0], axis=1).argmax())
    halves = (line[: far + 1], np.concatenate([line[far:], line[:1]]))
    tolerance = TOLERANCE
    while True:
        kept = np.concatenate([_thinned(half, tolerance)[:-1] for half in halves])
        if len(kept) <= MAX_POINTS:
            return kept
        tolerance *= 2


def _thinned(line: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Return the ends of an open line and the points that are further than `tolerance` from the line without them."""
    kept = np.zeros(len(line), dtype=np.bool_)
    kept[[0, -1]] = True
    waiting = [(0, len(line) - 1)]
    while waiting:
        start, end = waiting.pop()
        if end - start < 2:
            continue
        chord = line[end] - line[start]
        offsets = line[start + 1 : end] - line[start]
        length = float(np.hypot(*chord))
        distances = (
            np.abs(chord[0] * offsets[:, 1] - chord[1] * offsets[:, 0]) / length
            if length
            else np.linalg.norm(offsets, axis=1)
        )
        worst = int(distances.argmax())
        if distances[worst] > tolerance:
            middle = start + 1 + worst
            kept[middle] = True
            waiting += [(start, middle), (middle, end)]
    return line[kept]


def _area(line: NDArray[np.float64]) -> float:
    """Return the signed area of a polygon (N, 2), by the shoelace formula."""
    x, y = line[:, 0], line[:, 1]
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
