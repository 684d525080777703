"""From a map to masks: thresholds, connected regions with their boxes, and COCO's run-length encoding.

Regions are found by joining runs of pixels (Rosenfeld and Pfaltz, "Sequential operations in digital picture
processing", J. ACM 1966), with all eight neighbours. Smooth maps have few runs: no compiled library is needed.

In COCO's uncompressed RLE, `counts` are the lengths of runs of zeros and ones in turn, zeros first, over the columns
from left to right, each from top to bottom. The compressed form, which `pycocotools.mask.decode` reads, writes each
count from the fourth on as its difference from the one two before it, in groups of five bits, the lowest first, each a
printable character; the highest bit of the last group is the sign (the format of `rleToString` in COCO's mask API).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Region", "compress_counts", "encode_rle", "find_regions", "label_regions", "otsu_threshold", "run_lengths"]

MIN_REGION_AREA = 0.0005
"""Regions smaller than this fraction of the picture are dropped, unless there is no other region."""

PEAK_TOLERANCE = 0.02
"""Values this much below the highest one of a region count as its peak, too."""


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
    """(x, y) of the pixel with that value. Of several that are (nearly) as high, it is the one that lies deepest inside
    the region: the centre of a box can lie outside of a bent region, or between two things that a bridge joins."""


def find_regions(values: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.bool_], tuple[Region, ...]]:
    """Return the mask (H, W) where a map (H, W) reaches `threshold`, without specks, and its regions, highest first."""
    labels, count = label_regions(values >= threshold)
    areas = np.bincount(labels.ravel(), minlength=count + 1)  # (R + 1,), the background first
    kept = [number for number in range(1, count + 1) if areas[number] >= MIN_REGION_AREA * values.size]
    if count and not kept:
        kept = [int(areas[1:].argmax()) + 1]
    regions = [_measure(values, labels, number, int(areas[number])) for number in kept]
    is_kept = np.zeros(count + 1, dtype=np.bool_)
    is_kept[kept] = True
    return is_kept[labels], tuple(sorted(regions, key=lambda region: (-region.score, -region.area, region.box)))


def label_regions(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Return the region number of each pixel of a mask (H, W), from 1 in reading order, 0 outside; and their count."""
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
    np.subtract.at(labels, (rows, stops), numbers)  # and is subtracted there
    return np.cumsum(labels, axis=1, dtype=np.int32)[:, :width], int(numbers.max(initial=0))


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Return the counts of `mask` (H, W), zeros first."""
    flat = np.concatenate([[False], mask.ravel(order="F")])  # begin with a run of zeros, which may be empty
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(length) for length in np.diff(edges, prepend=0, append=mask.size)]


def compress_counts(counts: Sequence[int]) -> str:
    """Return the counts as COCO's string."""
    characters = []
    for position, count in enumerate(counts):
        value = count - counts[position - 2] if position > 2 else count
        more = True
        while more:
            group, value = value & 31, value >> 5  # >> keeps the sign
            more = value != (-1 if group & 16 else 0)
            characters.append(chr(48 + group + 32 * more))
    return "".join(characters)


def encode_rle(mask: NDArray[np.bool_]) -> dict[str, object]:
    """Return `{"size": [height, width], "counts": "..."}`, as in COCO's annotations and results."""
    return {"size": list(mask.shape), "counts": compress_counts(run_lengths(mask))}


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """Return the threshold that best separates the values (in 0..1) of a map into two classes.

    Of 256 levels, it is the one with the largest variance between classes (Otsu, "A threshold selection method from
    gray-level histograms", IEEE Trans. SMC 1979).
    """
    counts, edges = np.histogram(values, bins=256, range=(0, 1))
    levels = (edges[:-1] + edges[1:]) / 2
    low = np.cumsum(counts)[:-1]  # (255,) number of values up to and including each level
    high = values.size - low
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = low * high * (sums[:-1] / low - (sums[-1] - sums[:-1]) / high) ** 2
    best = int(np.nan_to_num(between, nan=-1.0).argmax())
    return float(edges[best + 1])


def _joined(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the first run (N,) of the region of each run; run i touches runs first[i] to last[i] - 1 (union-find)."""
    root = list(range(len(first)))
    for run, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for other in range(begin, end):
            one, two = _root(root, run), _root(root, other)
            root[max(one, two)] = min(one, two)
    return np.array([_root(root, run) for run in range(len(root))], dtype=np.intp)


def _root(root: list[int], run: int) -> int:
    while root[run] != run:
        root[run] = root[root[run]]  # path halving
        run = root[run]
    return run


def _numbered(roots: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return roots (N,) as numbers from 1, in order of appearance. A root comes before all runs of its region."""
    return np.asarray(np.unique(roots, return_inverse=True)[1] + 1, dtype=np.int32)


def _measure(values: NDArray[np.float32], labels: NDArray[np.int32], number: int, area: int) -> Region:
    inside = labels == number
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top
    box = np.s_[top : top + height, left : left + width]
    row, column = _deepest_peak(np.where(inside, values, -1)[box], inside[box])
    score = float(values[inside].max())
    return Region((left, top, width, height), area, score, (left + column, top + row))


def _deepest_peak(part: NDArray[np.float32], inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Return (row, column) of one of the highest values of a region (h, w): the one that lies deepest inside it.

    The depth of a pixel is the side of the largest square around it within the region, which a summed-area table tells
    (Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984).
    """
    highest = np.argwhere(part >= part.max() - PEAK_TOLERANCE)  # (N, 2)
    table = np.zeros((inside.shape[0] + 1, inside.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = inside.cumsum(axis=0).cumsum(axis=1)
    low, high = 0, min(inside.shape) // 2
    while low < high:  # the largest radius with a square inside the region
        radius = (low + high + 1) // 2
        low, high = (radius, high) if _within(table, highest, radius).any() else (low, radius - 1)
    deepest = highest[_within(table, highest, low)]
    row, column = deepest[np.abs(deepest - deepest.mean(axis=0)).sum(axis=1).argmin()].tolist()
    return row, column


def _within(table: NDArray[np.int64], pixels: NDArray[np.intp], radius: int) -> NDArray[np.bool_]:
    """Return which squares of 2 * `radius` + 1 pixels around `pixels` (N, 2) are full, by their summed-area table."""
    first, last = pixels - radius, pixels + radius + 1
    fits: NDArray[np.bool_] = np.logical_and.reduce((first >= 0) & (last < np.array(table.shape)), axis=1)
    (top, left), (bottom, right) = np.where(fits[:, None], first, 0).T, np.where(fits[:, None], last, 0).T
    sums = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    is_full: NDArray[np.bool_] = sums == (2 * radius + 1) ** 2
    return fits & is_full
