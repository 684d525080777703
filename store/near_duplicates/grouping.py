"""Which pictures are near-duplicates: each one stands with the first anchor it is near to, or is an anchor itself.

Pictures come best first, and are compared with anchors only. So no chain can glue a thousand frames together, each near
the next and the last unlike the first: every member of a group is near its anchor. Nothing grows with the square of
what is alike, either: of ten thousand equal pictures one is an anchor, and the others meet nobody else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from store.spaces.vector_index import Ids

__all__ = ["Grouping", "Nearness", "Vectors"]

Vectors: TypeAlias = Callable[[Ids], NDArray[np.float32]]
"""Unit vectors (n, D) of contents (n,); a row that is not known is all NaN."""

BLOCK = 512
"""Pictures compared with each other at a time; their distances are a matrix."""

CLOSEST = 4
"""Anchors looked at for each picture: where the model says no to the closest, it may say yes to the next."""

PAIRS = 8_192
"""Pairs of vectors compared at a time."""


@dataclass(frozen=True)
class Nearness:
    """When two pictures are near-duplicates (docs/duplicates.md has the curves that these come from).

    Up to `surely` of 256 bits of their hashes differ, or up to `bits` and their embeddings have a cosine of `cosine`.
    """

    surely: int = 24
    bits: int = 40
    cosine: float = 0.8


class Grouping:
    """Groups that grow by a block at a time."""

    def __init__(self, nearness: Nearness, vectors: Vectors, anchors: Ids, bits: NDArray[np.uint8]) -> None:
        import faiss

        self._nearness = nearness
        self._vectors = vectors
        self._index: Any = faiss.IndexBinaryFlat(bits.shape[1] * 8)
        self._anchors = np.empty(0, np.int64)
        self._add(anchors, bits)

    def assign(self, ids: Ids, bits: NDArray[np.uint8]) -> Ids:
        """The anchors (n,) of pictures (n,) with hashes (n, 32), best first; at most `BLOCK` of them."""
        found = self._among_anchors(ids, bits)  # (n,), -1 for none
        left = np.flatnonzero(found < 0)
        words = bits[left].view(np.uint64)  # (m, 4)
        distances = np.bitwise_count(words[:, None] ^ words[None]).sum(axis=2, dtype=np.int32)  # (m, m)
        near = self._near(distances, ids[left][:, None], ids[left][None])
        free = np.ones(len(left), np.bool_)
        for row in range(len(left)):
            if free[row]:
                members = near[row] & free
                members[row] = True
                found[left[members]] = ids[left[row]]
                free &= ~members
        heads = found == ids
        self._add(ids[heads], bits[heads])
        return found

    def _among_anchors(self, ids: Ids, bits: NDArray[np.uint8]) -> Ids:
        """The closest anchor that each picture is near to, or -1."""
        if not len(self._anchors):
            return np.full(len(ids), -1, np.int64)
        distances, rows = self._closest(bits)  # (n, k)
        anchors = self._anchors[rows]
        near = self._near(distances, ids[:, None], anchors)
        closest = anchors[np.arange(len(ids)), near.argmax(axis=1)]
        return np.where(near.any(axis=1), closest, -1)

    def _closest(self, bits: NDArray[np.uint8]) -> tuple[NDArray[np.int32], Ids]:
        """How many bits differ (n, k), and the rows (n, k), of the anchors closest to each of (n, 32) hashes.

        All within reach are found, and the closest of them kept: it takes half the time of finding the closest. Where
        there are fewer, any row stands in for one that is out of reach.
        """
        reach = max(self._nearness.surely, self._nearness.bits)
        limits, distances, rows = self._index.range_search(bits, reach + 1)
        picture = np.repeat(np.arange(len(bits)), np.diff(limits.astype(np.int64)))  # (m,), as all that is found
        order = np.lexsort((rows, distances, picture))
        place = np.arange(len(rows)) - limits.astype(np.int64)[picture]  # among those of the same picture
        kept = place < CLOSEST
        where = picture[kept], place[kept]
        closest = np.full((len(bits), CLOSEST), reach + 1, np.int32)
        closest_rows = np.zeros((len(bits), CLOSEST), np.int64)
        closest[where], closest_rows[where] = distances[order][kept], rows[order][kept]
        return closest, closest_rows

    def _near(self, distances: NDArray[np.int32], ones: Ids, others: Ids) -> NDArray[np.bool_]:
        """Which pairs are near-duplicates; the three are broadcast against each other."""
        near = distances <= self._nearness.surely
        doubtful = np.nonzero(~near & (distances <= self._nearness.bits) & (ones != others))
        first = np.broadcast_to(ones, distances.shape)[doubtful]  # (p,)
        second = np.broadcast_to(others, distances.shape)[doubtful]
        if len(first):
            near[doubtful] = self._cosines(first, second) >= self._nearness.cosine  # NaN is not
        return near

    def _cosines(self, first: Ids, second: Ids) -> NDArray[np.float32]:
        """The cosine similarity of each pair, (p,)."""
        known, places = np.unique(np.concatenate([first, second]), return_inverse=True)
        vectors, (one, other) = self._vectors(known), np.split(places, 2)  # (u, D)
        cosines = [
            np.einsum("pd,pd->p", vectors[one[start : start + PAIRS]], vectors[other[start : start + PAIRS]])
            for start in range(0, len(one), PAIRS)
        ]
        return np.concatenate(cosines)

    def _add(self, ids: Ids, bits: NDArray[np.uint8]) -> None:
        if len(ids):
            self._index.add(np.ascontiguousarray(bits))
            self._anchors = np.concatenate([self._anchors, ids])
