"""Masks as run lengths, the way COCO writes them: columns from left to right, each from top to bottom.

`counts` are the lengths of runs of zeros and ones in turn, zeros first (COCO's uncompressed RLE). The compressed form,
which `pycocotools.mask.decode` reads, writes each count from the fourth on as its difference from the one two before
it, in groups of five bits, the lowest first, each a printable character; the highest bit of the last group is the sign
(the format of `rleToString` in COCO's mask API).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["compressed", "rle", "run_lengths"]


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """The counts of `mask` (H, W), zeros first."""
    flat = np.concatenate([[False], mask.ravel(order="F")])  # so that a first run of zeros is there, perhaps empty
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(length) for length in np.diff(edges, prepend=0, append=mask.size)]


def compressed(counts: Sequence[int]) -> str:
    """Counts as COCO's string."""
    signs = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            group, value = value & 31, value >> 5  # >> keeps the sign
            more = value != (-1 if group & 16 else 0)
            signs.append(chr(48 + group + 32 * more))
    return "".join(signs)


def rle(mask: NDArray[np.bool_]) -> dict[str, object]:
    """`{"size": [height, width], "counts": "..."}`, as COCO's annotations and results have it."""
    return {"size": list(mask.shape), "counts": compressed(run_lengths(mask))}
