"""The hashes of anchors, searched for those within a distance.

A hash differs from most others in half of its bits, and from near-duplicates in a few. Half of the bits therefore
excludes nearly all anchors, exactly: no pair differs in more bits of a half than of the whole. The half has every
second pair of bytes, which are the rows of a perceptual hash: pages of one layout have equal bits in the first rows, so
that the first half would exclude none of them.

Comparing each picture with this half of every anchor takes time that grows with the library. Where many pictures are to
be searched among many anchors, the anchors are therefore looked up in tables (`hash_bands`), and only those that were
added later are compared one by one. The pairs that are found are the same.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.near_duplicates.hash_bands import HashBands, differing_bits

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

MIN_LOOKED_UP = 500_000
"""Anchors from which tables are made. With fewer, comparing takes no longer."""

MIN_SEARCHES = 2_048
"""Pictures to be searched from which tables are made: making them takes as long as comparing about so many pictures
with all anchors."""

MAX_ADDED = 1 / 16
"""Tables are made again when more than this share of the anchors is not in them."""


class NearAnchors(NamedTuple):
    """Pairs of a picture and an anchor, by picture; each array is (m,)."""

    pictures: Ids
    """The row of each among those searched."""
    rows: Ids
    """The row of the anchor, in the order of adding."""
    distances: NDArray[np.int32]


class AnchorIndex:
    """Hashes of `size` bytes, a multiple of 8, in the order in which they were added.

    `searches` is how many pictures will probably be searched, from which follows whether tables are made. They are made
    for one `distance`; others can be searched for without them.
    """

    def __init__(self, size: int, distance: int = 0, searches: int = 0) -> None:
        import faiss

        self._half = np.flatnonzero(np.arange(size) // 2 % 2 == 0)
        self._halves: list[Any] = [faiss.IndexBinaryFlat(8 * len(self._half))]
        """The halves of the anchors in `_bands`, if there are any, and of the others."""
        self._pairs_each: float | None = None
        self._bits = np.empty((0, size), np.uint8)
        self._number = 0
        self._distance, self._searches = distance, searches
        self._bands: HashBands | None = None

    def add(self, bits: NDArray[np.uint8]) -> None:
        """Add hashes (n, size)."""
        needed = self._number + len(bits)
        if needed > len(self._bits):
            grown = np.empty((max(needed, int(len(self._bits) * GROWTH)), self._bits.shape[1]), np.uint8)
            grown[: self._number] = self._bits[: self._number]
            self._bits = grown
        self._bits[self._number : needed] = bits
        self._halves[-1].add(self._halves_of(bits))
        self._number = needed

    def within(self, bits: NDArray[np.uint8], distance: int) -> NearAnchors:
        """Return all pairs of the hashes (n, size) and anchors that differ in at most `distance` bits."""
        if distance == self._distance:
            self._make_bands()
        if self._bands is None or distance != self._distance:
            return self._compared(bits, distance)
        looked_up, costly = self._bands.within(bits)
        of_costly = self._compared(bits[costly], distance, parts=slice(0, 1))
        added = self._compared(bits, distance, parts=slice(1, None))
        found = [NearAnchors(*looked_up), of_costly._replace(pictures=costly[of_costly.pictures]), added]
        pictures, rows, distances = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        order = np.argsort(pictures, kind="stable")
        return NearAnchors(pictures[order], rows[order], distances[order])

    def _make_bands(self) -> None:
        """Make tables of all anchors, if that pays and those that there are lack too many."""
        import faiss

        known = 0 if self._bands is None else len(self._bands)
        if self._bands is None and (self._number < MIN_LOOKED_UP or self._searches < MIN_SEARCHES):
            return
        if self._number - known <= MAX_ADDED * self._number:
            return
        self._bands = None  # before the memory of others is needed
        self._bands = HashBands(self._bits[: self._number], self._distance)
        self._halves[0].add(self._halves_of(self._bits[self._halves[0].ntotal : self._number]))
        self._halves[1:] = [faiss.IndexBinaryFlat(8 * len(self._half))]

    def _compared(self, bits: NDArray[np.uint8], distance: int, parts: slice = slice(None)) -> NearAnchors:
        """Compare hashes (n, size) with every anchor, or with those of some of `_halves`."""
        found = [NearAnchors(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))]
        start = 0
        while start < len(bits):
            number = FIRST_PICTURES if self._pairs_each is None else int(MAX_PAIRS / max(self._pairs_each, 1))
            some = bits[start : start + max(number, 1)]
            near = self._within(some, distance, parts)
            found.append(near._replace(pictures=near.pictures + start))
            start += len(some)
        return NearAnchors(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    def _within(self, bits: NDArray[np.uint8], distance: int, parts: slice) -> NearAnchors:
        halves, found = self._halves_of(bits), list[tuple[Ids, Ids]]()
        before = sum(part.ntotal for part in self._halves[: parts.start or 0])
        for part in self._halves[parts]:
            limits, _, rows = part.range_search(halves, distance + 1)
            pictures = np.repeat(np.arange(len(bits)), np.diff(limits.astype(np.int64)))
            found.append((pictures, rows.astype(np.int64) + before))
            before += part.ntotal
        pictures, rows = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        self._pairs_each = len(rows) / max(len(bits), 1)
        if len(found) > 1:
            order = np.argsort(pictures, kind="stable")
            pictures, rows = pictures[order], rows[order]
        differing = np.empty(len(rows), np.int32)
        for start in range(0, len(rows), PAIR_CHUNK_SIZE):
            chunk = slice(start, start + PAIR_CHUNK_SIZE)
            differing[chunk] = differing_bits(self._bits, rows[chunk], bits, pictures[chunk])
        is_near = differing <= distance
        return NearAnchors(pictures[is_near], rows[is_near], differing[is_near])

    def _halves_of(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(bits[:, self._half])
