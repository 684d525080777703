"""Group near-duplicates: each picture joins the first anchor that it is near to, or becomes an anchor itself.

Pictures are processed best first, and are compared with anchors only. This keeps chains from merging: in a burst of a
thousand frames each is near the next, but the first and the last are not alike. Every member of a group is near its
anchor. The number of comparisons does not grow with the square of the group's size either: of ten thousand equal
pictures, one is an anchor and the others are compared with it alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.near_duplicates.anchor_index import AnchorIndex
from store.near_duplicates.separation import Separation

__all__ = ["BLOCK_SIZE", "Closest", "DuplicateGrouper", "DuplicateThresholds", "VectorLookup"]

Closest: TypeAlias = tuple[NDArray[np.int32], Ids]
"""The distances (n, k) and rows (n, k) of the anchors that are closest to each of n pictures."""

VectorLookup: TypeAlias = Callable[[Ids], NDArray[np.float32]]
"""Returns the unit vectors (n, D) of contents (n,); the row of a content without a vector is NaN."""

BLOCK_SIZE = 512
"""Pictures compared with each other at a time; their distances are a matrix."""

MAX_ANCHORS_TRIED = 4
"""Anchors tried for each picture, closest first: the embeddings may reject the closest and accept the next."""

PAIR_CHUNK_SIZE = 8_192
"""Pairs of vectors compared at a time."""


@dataclass(frozen=True)
class DuplicateThresholds:
    """When two pictures are near-duplicates (docs/duplicates.md has the curves behind the defaults).

    Either at most `certain_bits` of the 256 bits of their hashes differ, or at most `max_bits` differ and the cosine
    similarity of their embeddings is at least `min_cosine`.
    """

    certain_bits: int = 24
    max_bits: int = 40
    min_cosine: float = 0.8


class DuplicateGrouper:
    """Assigns pictures to groups, a block at a time.

    `anchors` (n,) with hashes `bits` (n, 32) are the groups that exist already. `best_first` sorts some of them, and
    leaves out those that were forgotten since: of those that are equally close, a picture joins the best. Without it,
    `anchors` are sorted. No group gets two contents that `separation` tells apart. `searches` is about how many
    pictures will be assigned.
    """

    def __init__(
        self,
        thresholds: DuplicateThresholds,
        vectors: VectorLookup,
        anchors: Ids,
        bits: NDArray[np.uint8],
        separation: Separation | None = None,
        best_first: Callable[[Ids], Ids] | None = None,
        searches: int = 0,
    ) -> None:
        self._thresholds = thresholds
        self._vectors = vectors
        self._separation = separation or Separation({}, {})
        self._best_first = best_first
        self._sorted_from = len(anchors)
        """Anchors from this row on are those of this object, best first."""
        self._reach = max(thresholds.certain_bits, thresholds.max_bits)
        self._index = AnchorIndex(bits.shape[1], self._reach, searches)
        self._anchors = np.empty(0, np.int64)
        self._add(anchors, bits)

    def assign(self, ids: Ids, bits: NDArray[np.uint8], closest: Closest | None = None) -> Ids:
        """Return the anchors (n,) of pictures (n,) with hashes (n, 32), best first; at most `BLOCK_SIZE` of them.

        `closest` is what the method `closest` returned for these hashes after the last call of this one.
        """
        assigned = self._match_anchors(ids, bits, closest)  # (n,), -1 for none
        rest = np.flatnonzero(assigned < 0)
        words = bits[rest].view(np.uint64)  # (m, 4)
        distances = np.bitwise_count(words[:, None] ^ words[None]).sum(axis=2, dtype=np.int32)  # (m, m)
        near = self._near(distances, ids[rest][:, None], ids[rest][None])
        is_free = np.ones(len(rest), np.bool_)
        for row in range(len(rest)):
            if is_free[row]:
                members = near[row] & is_free
                members[row] = True
                self._separate(members, ids[rest], row)
                assigned[rest[members]] = ids[rest[row]]
                is_free &= ~members
        is_anchor = assigned == ids
        self._add(ids[is_anchor], bits[is_anchor])
        return assigned

    def _separate(self, members: NDArray[np.bool_], ids: Ids, anchor: int) -> None:
        """Remove those of `members` (m,) from the group of the new anchor at this row that must not be in it."""
        self._separation.place(int(ids[anchor]), int(ids[anchor]))
        for row in np.flatnonzero(members & self._separation.concerns(ids)).tolist():
            if row != anchor:
                members[row] = self._separation.allows(int(ids[row]), int(ids[anchor]))
                if members[row]:
                    self._separation.place(int(ids[row]), int(ids[anchor]))

    def _match_anchors(self, ids: Ids, bits: NDArray[np.uint8], closest: Closest | None) -> Ids:
        """The closest anchor that each picture is near to, or -1."""
        if not len(self._anchors):
            return np.full(len(ids), -1, np.int64)
        distances, rows = self.closest(bits) if closest is None else closest  # (n, k)
        anchors = self._anchors[rows]
        near = self._near(distances, ids[:, None], anchors)
        for row in np.flatnonzero(self._separation.concerns(ids)).tolist():
            content_id = int(ids[row])
            near[row] &= [self._separation.allows(content_id, anchor) for anchor in anchors[row].tolist()]
            if near[row].any():
                self._separation.place(content_id, int(anchors[row, near[row].argmax()]))
        nearest = anchors[np.arange(len(ids)), near.argmax(axis=1)]
        return np.where(near.any(axis=1), nearest, -1)

    def closest(self, bits: NDArray[np.uint8]) -> Closest:
        """Return the Hamming distances (n, k) and rows (n, k) of the anchors closest to each of hashes (n, 32).

        All anchors within reach are searched, and the closest of them kept. Where there are fewer than k, row 0 fills
        up with a distance that is out of reach.
        """
        picture, rows, distances = self._index.within(bits, self._reach)  # (m,) each
        order = np.lexsort((self._places(rows), distances, picture))
        starts = np.searchsorted(picture, np.arange(len(bits)))
        rank = np.arange(len(rows)) - starts[picture]  # among the results of the same picture
        is_kept = rank < MAX_ANCHORS_TRIED
        cells = picture[is_kept], rank[is_kept]
        closest = np.full((len(bits), MAX_ANCHORS_TRIED), self._reach + 1, np.int32)
        closest_rows = np.zeros((len(bits), MAX_ANCHORS_TRIED), np.int64)
        closest[cells], closest_rows[cells] = distances[order][is_kept], rows[order][is_kept]
        return closest, closest_rows

    def _places(self, rows: Ids) -> Ids:
        """Numbers (m,) by which the anchors at these rows (m,) are sorted, best first."""
        earlier = np.unique(rows[rows < self._sorted_from])
        if self._best_first is None or len(earlier) < 2:
            return rows
        by_id = np.argsort(self._anchors[earlier])
        ids = self._anchors[earlier][by_id]
        best_first = self._best_first(ids)
        place = np.full(len(ids), len(ids))
        place[by_id[np.searchsorted(ids, best_first)]] = np.arange(len(best_first))
        places = rows.copy()
        is_earlier = rows < self._sorted_from
        places[is_earlier] = place[np.searchsorted(earlier, rows[is_earlier])]
        return places

    def _near(self, distances: NDArray[np.int32], ones: Ids, others: Ids) -> NDArray[np.bool_]:
        """Which pairs are near-duplicates; the three arrays are broadcast against each other."""
        near = distances <= self._thresholds.certain_bits
        uncertain = np.nonzero(~near & (distances <= self._thresholds.max_bits) & (ones != others))
        first = np.broadcast_to(ones, distances.shape)[uncertain]  # (p,)
        second = np.broadcast_to(others, distances.shape)[uncertain]
        if len(first):
            near[uncertain] = self._cosines(first, second) >= self._thresholds.min_cosine  # False for NaN
        return near

    def _cosines(self, first: Ids, second: Ids) -> NDArray[np.float32]:
        """The cosine similarity of each pair, (p,)."""
        unique, positions = np.unique(np.concatenate([first, second]), return_inverse=True)
        vectors, (one, other) = self._vectors(unique), np.split(positions, 2)  # (u, D)
        cosines = [
            np.einsum(
                "pd,pd->p",
                vectors[one[start : start + PAIR_CHUNK_SIZE]],
                vectors[other[start : start + PAIR_CHUNK_SIZE]],
            )
            for start in range(0, len(one), PAIR_CHUNK_SIZE)
        ]
        return np.concatenate(cosines)

    def _add(self, ids: Ids, bits: NDArray[np.uint8]) -> None:
        if len(ids):
            self._index.add(bits)
            self._anchors = np.concatenate([self._anchors, ids])
