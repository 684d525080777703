"""Where a map says that something is: the mask at a threshold, and its connected regions with their boxes.

Regions are found by joining runs of pixels (Rosenfeld and Pfaltz, "Sequential operations in digital picture
processing", J. ACM 1966), with all eight neighbours. Runs are few where maps are smooth: no compiled library is needed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Region", "find_regions", "label", "otsu"]

SPECK = 0.0005
"""Regions smaller than this share of the picture are dropped, unless nothing else is there."""


@dataclass(frozen=True)
class Region:
    """One connected region of a mask."""

    box: tuple[int, int, int, int]
    """(left, top, width, height) in pixels."""
    area: int
    """In pixels."""
    score: float
    """The highest value of the map in it."""
    peak: tuple[int, int]
    """Where that is: (x, y) of the pixel; the middle one where several are equally high."""


def find_regions(values: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.bool_], tuple[Region, ...]]:
    """The mask (H, W) of a map (H, W) where it reaches `threshold`, without specks, and its regions, highest first."""
    labels, count = label(values >= threshold)
    areas = np.bincount(labels.ravel(), minlength=count + 1)  # (R + 1,), the background first
    wanted = [number for number in range(1, count + 1) if areas[number] >= SPECK * values.size]
    if count and not wanted:
        wanted = [int(areas[1:].argmax()) + 1]
    regions = [_measure(values, labels, number, int(areas[number])) for number in wanted]
    kept = np.zeros(count + 1, dtype=np.bool_)
    kept[wanted] = True
    return kept[labels], tuple(sorted(regions, key=lambda region: (-region.score, -region.area, region.box)))


def label(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """The region of each pixel of a mask (H, W), from 1 in reading order, 0 outside; and how many there are."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    edges = np.diff(padded, axis=1)  # 1 where a run begins, -1 where it has ended
    rows, starts = np.nonzero(edges == 1)  # (N,) both, in reading order
    stops = np.nonzero(edges == -1)[1]
    # Runs of the next row that touch this one, corners included: those that end no earlier and begin no later.
    below = (rows + 1) * (width + 2)
    first = np.searchsorted(rows * (width + 2) + stops, below + starts, side="left")
    last = np.searchsorted(rows * (width + 2) + starts, below + stops, side="right")
    numbers = _numbered(_joined(first, last))
    labels = np.zeros((height, width + 1), dtype=np.int32)
    labels[rows, starts] = numbers  # each run's number begins here,
    np.subtract.at(labels, (rows, stops), numbers)  # and is taken off there
    return np.cumsum(labels, axis=1, dtype=np.int32)[:, :width], int(numbers.max(initial=0))


def otsu(values: NDArray[np.float32]) -> float:
    """The threshold that best divides the values (in 0..1) of a map in two (Otsu, "A threshold selection method from
    gray-level histograms", IEEE Trans. SMC 1979): of 256 levels the one with the largest variance between classes."""
    counts, edges = np.histogram(values, bins=256, range=(0, 1))
    levels = (edges[:-1] + edges[1:]) / 2
    low = np.cumsum(counts)[:-1]  # (255,) values up to and with each level
    high = values.size - low
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = low * high * (sums[:-1] / low - (sums[-1] - sums[:-1]) / high) ** 2
    best = int(np.nan_to_num(between, nan=-1.0).argmax())
    return float(edges[best + 1])


def _joined(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first run (N,) of the region of each, where run i touches runs first[i] to last[i] - 1 (union-find)."""
    root = list(range(len(first)))
    for run, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for other in range(begin, end):
            one, two = _root(root, run), _root(root, other)
            root[max(one, two)] = min(one, two)
    return np.array([_root(root, run) for run in range(len(root))], dtype=np.intp)


def _root(root: list[int], run: int) -> int:
    while root[run] != run:
        root[run] = root[root[run]]  # halves the way for the next time
        run = root[run]
    return run


def _numbered(roots: NDArray[np.intp]) -> NDArray[np.int32]:
    """Roots (N,) as numbers from 1, in order of appearance (a root comes before all that belong to it)."""
    return np.asarray(np.unique(roots, return_inverse=True)[1] + 1, dtype=np.int32)


def _measure(values: NDArray[np.float32], labels: NDArray[np.int32], number: int, area: int) -> Region:
    inside = labels == number
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
    part = np.where(inside, values, -1)[top : top + height, left : left + width]
    highest = np.argwhere(part == part.max())  # (N, 2), more than one where a map is at its end
    row, column = highest[np.abs(highest - highest.mean(axis=0)).sum(axis=1).argmin()].tolist()
    return Region((left, top, width, height), area, float(part[row, column]), (left + column, top + row))
