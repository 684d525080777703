"""An index of hashes that finds those within a distance without comparing all of them.

A hash is divided into bands. If two hashes differ in at most `d` bits, and a number `r` is chosen for each band so that
the sum of all `r + 1` is more than `d`, then at least one band differs in at most its `r` bits: otherwise there would
be more than `d` in all. Each band has a table from its bits to the hashes that have them. Looking up all values that
differ in at most `r` bits therefore finds every hash within the distance, and few others.

The number of bands follows from the number of hashes, so that a value of a band has about one hash. With 256 bits and a
distance of 40, the time grows with about the power 0.6 of the number of hashes.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["HashBands", "NearPairs", "differing_bits"]

SPREAD = 11
"""Step from one byte of a band to the next, among the 32 bytes of a hash. A band thus has bits of several frequencies:
pages of one layout have equal bits of low ones."""

MAX_SHARE = 1 / 32
"""A picture is not looked up if it would be compared with more than this share of the hashes. Comparing with all of
them in order takes less time, because each is next to the one before in memory."""

MAX_BAND_BITS = 26

CHUNK_PICTURES = 128
"""Pictures that are looked up at a time."""

CHUNK_PAIRS = 16_384
"""Pairs that are compared at a time, so that they stay in the cache of the processor."""

LISTED_PAIRS = 1_000_000
"""Pairs that are listed at a time, about 30 bytes each."""

NearPairs = tuple[Ids, Ids, NDArray[np.int32]]
"""Rows of those searched, rows of those found, and distances; (m,) each, in the order of the first two."""


class HashBands:
    """The hashes (N, bytes) of anchors in tables by band. `bits` is not copied, and must not be changed."""

    def __init__(self, bits: NDArray[np.uint8], distance: int) -> None:
        self._bits = bits
        self._distance = distance
        size = 8 * bits.shape[1]
        number = max(int(size / np.log2(max(len(bits), 4))), -(-size // MAX_BAND_BITS))
        ends = np.linspace(0, size, number + 1).round().astype(int).tolist()
        self._bands = [_Band(bits, first, last) for first, last in pairwise(ends)]
        self._reaches = _reaches([band.width for band in self._bands], distance)

    def __len__(self) -> int:
        """Return the number of hashes."""
        return len(self._bits)

    def within(self, bits: NDArray[np.uint8]) -> tuple[NearPairs, Ids]:
        """Return all pairs of hashes (n, bytes) with those of the index that differ in at most `distance` bits.

        The second value are the rows, of `bits`, that were not looked up because it would take too long.
        """
        pairs, costly = list[NearPairs](), list[Ids]()
        for start in range(0, max(len(bits), 1), CHUNK_PICTURES):
            (pictures, rows, distances), not_looked_up = self._within(bits[start : start + CHUNK_PICTURES])
            pairs.append((pictures + start, rows, distances))
            costly.append(not_looked_up + start)
        pictures, rows, distances = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        return (pictures, rows, distances), np.concatenate(costly)

    def _within(self, bits: NDArray[np.uint8]) -> tuple[NearPairs, Ids]:
        compared = np.zeros(len(bits), np.int64)
        is_costly = np.zeros(len(bits), np.bool_)
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))]
        for band, reach in zip(self._bands, self._reaches, strict=True):
            asked = np.flatnonzero(~is_costly)
            starts, sizes = band.look_up(bits[asked], reach)  # (n, values) each
            compared[asked] += sizes.sum(axis=1)
            is_costly = compared > MAX_SHARE * len(self._bits)
            sizes[is_costly[asked]] = 0
            found += self._compare(bits, asked, band.rows, starts, sizes)
        pictures, rows, distances = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        _, first = np.unique(
            pictures * len(self._bits) + rows, return_index=True
        )  # a pair can be near in several bands
        first = first[~is_costly[pictures[first]]]
        return (pictures[first], rows[first], distances[first]), np.flatnonzero(is_costly)

    def _compare(
        self, bits: NDArray[np.uint8], asked: Ids, order: NDArray[np.int32], starts: Ids, sizes: Ids
    ) -> list[NearPairs]:
        """Compare hashes with those at the places `starts` to `starts + sizes` (n, values) of `order`."""
        is_hit = np.flatnonzero(sizes)
        first, length = starts.ravel()[is_hit], sizes.ravel()[is_hit]
        picture, ends = asked[is_hit // max(sizes.shape[1], 1)], np.cumsum(length)
        cuts = np.searchsorted(ends, np.arange(0, ends[-1] if len(ends) else 0, LISTED_PAIRS)).tolist()
        found = list[NearPairs]()
        for one, next_one in pairwise([*cuts, len(ends)]):
            part = slice(one, next_one)
            before = ends[one] - length[one] if one < next_one else 0
            place = np.repeat(first[part] - (ends[part] - length[part] - before), length[part])
            place += np.arange(len(place))
            found += self._near(bits, np.repeat(picture[part], length[part]), order.take(place))
        return found

    def _near(self, bits: NDArray[np.uint8], pictures: Ids, rows: NDArray[np.int32]) -> Iterator[NearPairs]:
        """Yield the pairs (m,) that differ in few enough bits, part by part."""
        for start in range(0, len(rows), CHUNK_PAIRS):
            chunk = slice(start, start + CHUNK_PAIRS)
            distances = differing_bits(self._bits, rows[chunk], bits, pictures[chunk])
            near = np.flatnonzero(distances <= self._distance)
            yield pictures[chunk][near], rows[chunk][near].astype(np.int64), distances[near]


class _Band:
    """The bits of a band from number `first` to before `last`, and a table from their values to hashes."""

    def __init__(self, bits: NDArray[np.uint8], first: int, last: int) -> None:
        self.width = last - first
        self._first_byte = min(first // 8, bits.shape[1] - 8)
        self._columns = np.arange(self._first_byte, self._first_byte + 8) * SPREAD % bits.shape[1]
        self._shift = np.uint64(64 - (last - 8 * self._first_byte))
        values = self._values(bits)
        self._starts = np.zeros((1 << self.width) + 1, np.uint32)
        self._starts[1:] = np.cumsum(np.bincount(values, minlength=1 << self.width))
        # Two steps of 16 bits each: NumPy sorts those by counting, in a fraction of the time.
        by_low = np.argsort((values & np.uint32(0xFFFF)).astype(np.uint16), kind="stable").astype(np.int32)
        by_high = np.argsort((values >> np.uint32(16)).astype(np.uint16)[by_low], kind="stable")
        self.rows = by_low[by_high]
        """The rows of the hashes, by the value of the band."""

    def look_up(self, bits: NDArray[np.uint8], reach: int) -> tuple[Ids, Ids]:
        """Return the places in `rows` of all hashes whose value differs in at most `reach` bits.

        These are the first place and the number of places (n, values) for each of hashes (n, bytes) and each value.
        """
        values = self._values(bits)[:, None] ^ _changes(self.width, reach)
        starts = self._starts.take(values)
        sizes = self._starts.take(values + np.uint32(1)) - starts
        return starts.astype(np.int64), sizes.astype(np.int64)

    def _values(self, bits: NDArray[np.uint8]) -> NDArray[np.uint32]:
        """Return the values (n,) of the band in hashes (n, bytes)."""
        words = np.ascontiguousarray(bits[:, self._columns]).view(">u8").ravel()
        return (words >> self._shift & np.uint64((1 << self.width) - 1)).astype(np.uint32)


def _reaches(widths: list[int], distance: int) -> list[int]:
    """Return how many bits may differ in each band, as few as possible: one more of each exceeds `distance` in all.

    Where more bits of some bands may differ, these are the narrowest, which have the fewest values to look up.
    """
    least, more = divmod(distance + 1 - len(widths), len(widths))
    narrow = set(sorted(range(len(widths)), key=widths.__getitem__)[:more])
    return [min(least + (band in narrow), width) for band, width in enumerate(widths)]


@lru_cache(maxsize=64)
def _changes(width: int, reach: int) -> NDArray[np.uint32]:
    """Return all numbers of `width` bits with at most `reach` ones, ascending."""
    ones = (chosen for number in range(reach + 1) for chosen in combinations(range(width), number))
    return np.array(sorted(sum(1 << bit for bit in chosen) for chosen in ones), np.uint32)


def differing_bits(
    one: NDArray[np.uint8], rows: Ids | NDArray[np.int32], other: NDArray[np.uint8], other_rows: Ids
) -> NDArray[np.int32]:
    """Return in how many bits each of the hashes `one[rows]` and `other[other_rows]` differ, (m,)."""
    words = one.view(np.uint64).take(rows, axis=0)
    words ^= other.view(np.uint64).take(other_rows, axis=0)
    counts = np.bitwise_count(words)  # (m, words)
    return counts.sum(axis=1, dtype=np.int32) if counts.shape[1] != 4 else _sum_of_four(counts)


def _sum_of_four(counts: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the sums (m,) of four bytes (m, 4), in a fifth of the time of `sum`."""
    four = counts.view(np.uint32).ravel()
    two = (four & np.uint32(0x00FF00FF)) + (four >> np.uint32(8) & np.uint32(0x00FF00FF))
    sums: NDArray[np.int32] = ((two + (two >> np.uint32(16))) & np.uint32(0xFFFF)).astype(np.int32)
    return sums
