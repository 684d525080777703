"""The hashes of anchors, searched for those within a distance.

A hash differs from most others in half of its bits, and from near-duplicates in a few. Half of the bits therefore
excludes nearly all anchors, exactly: no pair differs in more bits of a half than of the whole. Each picture is still
compared with this half of every anchor. The half has every second pair of bytes, which are the rows of a perceptual
hash: pages of one layout have equal bits in the first rows, so that the first half would exclude none of them.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["AnchorIndex", "NearAnchors"]

GROWTH = 1.25
"""Factor by which the array of hashes grows."""


PAIR_CHUNK_SIZE = 65_536
"""Pairs that are compared in all bits at a time."""

MAX_PAIRS = 4_000_000
"""Pairs whose halves are near in memory at a time, about 40 bytes each. Fewer pictures are searched at a time where
there would be more, which takes longer."""

FIRST_PICTURES = 16
"""Pictures that are searched before it is known how many pairs each has."""


class NearAnchors(NamedTuple):
    """Pairs of a picture and an anchor, by picture; each array is (m,)."""

    pictures: Ids
    """The row of each among those searched."""
    rows: Ids
    """The row of the anchor, in the order of adding."""
    distances: NDArray[np.int32]


class AnchorIndex:
    """Hashes of `size` bytes, an even number, in the order in which they were added."""

    def __init__(self, size: int) -> None:
        import faiss

        self._half = np.flatnonzero(np.arange(size) // 2 % 2 == 0)
        self._halves: Any = faiss.IndexBinaryFlat(8 * len(self._half))
        self._pairs_each: float | None = None
        self._bits = np.empty((0, size), np.uint8)
        self._number = 0

    def add(self, bits: NDArray[np.uint8]) -> None:
        """Add hashes (n, size)."""
        needed = self._number + len(bits)
        if needed > len(self._bits):
            grown = np.empty((max(needed, int(len(self._bits) * GROWTH)), self._bits.shape[1]), np.uint8)
            grown[: self._number] = self._bits[: self._number]
            self._bits = grown
        self._bits[self._number : needed] = bits
        self._halves.add(np.ascontiguousarray(bits[:, self._half]))
        self._number = needed

    def within(self, bits: NDArray[np.uint8], distance: int) -> NearAnchors:
        """Return all pairs of the hashes (n, size) and anchors that differ in at most `distance` bits."""
        found, start = list[NearAnchors](), 0
        while start < len(bits) or not found:
            number = FIRST_PICTURES if self._pairs_each is None else int(MAX_PAIRS / max(self._pairs_each, 1))
            part = bits[start : start + max(number, 1)]
            near = self._within(part, distance)
            found.append(near._replace(pictures=near.pictures + start))
            start += len(part)
        return NearAnchors(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    def _within(self, bits: NDArray[np.uint8], distance: int) -> NearAnchors:
        limits, _, rows = self._halves.range_search(np.ascontiguousarray(bits[:, self._half]), distance + 1)
        self._pairs_each = len(rows) / max(len(bits), 1)
        pictures = np.repeat(np.arange(len(bits)), np.diff(limits.astype(np.int64)))
        differing = np.empty(len(rows), np.int32)
        for start in range(0, len(rows), PAIR_CHUNK_SIZE):
            chunk = slice(start, start + PAIR_CHUNK_SIZE)
            differing[chunk] = np.bitwise_count(self._bits[rows[chunk]] ^ bits[pictures[chunk]]).sum(axis=1)
        is_near = differing <= distance
        return NearAnchors(pictures[is_near], rows[is_near].astype(np.int64), differing[is_near])
