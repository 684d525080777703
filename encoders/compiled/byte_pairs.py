"""Byte-pair encoding of single words with a table that is mapped into memory.

A `tokenizer.json` of CLIP's 49,000 tokens takes a tenth of a second to read, longer than a short text takes to embed.
This table is only searched: opening it reads next to nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from pathlib import Path

import numpy as np

__all__ = ["BytePairs", "write_byte_pairs"]

BYTES = 256
INNER, LAST = -2, -1
"""In place of a left token: the rows of single bytes, inside of a word and at its end."""
COLUMNS = ("left", "right", "rank", "token")
CACHED_WORDS = 10_000


def write_byte_pairs(
    file: Path, letters: Sequence[Sequence[int]], merges: Mapping[tuple[int, int], tuple[int, int]]
) -> None:
    """Write the table. `letters` are the tokens of each byte (2, 256), inside of a word and at its end.

    `merges` has the rank and the token of each pair of tokens that is merged.
    """
    rows = [(kind, byte, 0, letters[kind - INNER][byte]) for kind in (INNER, LAST) for byte in range(BYTES)]
    rows += [(*pair, *merged) for pair, merged in merges.items()]
    with file.open("wb") as out:
        np.save(out, np.array(sorted(rows), np.int32))


class BytePairs:
    """The tokens of words, from a file of `write_byte_pairs`. Raises `ValueError` for a damaged one, and `OSError`."""

    def __init__(self, file: Path) -> None:
        try:
            table = np.load(file, mmap_mode="r")  # (2 * 256 + M, 4)
        except EOFError as exc:
            raise ValueError(f"{file.name} is empty") from exc
        if table.ndim != 2 or table.shape[1] != len(COLUMNS) or table.dtype != np.int32 or len(table) < 2 * BYTES:
            raise ValueError(f"{file.name} is not a table of byte pairs")
        self._letters = table[: 2 * BYTES, 3].reshape(2, BYTES).tolist()
        pairs = table[2 * BYTES :]
        self._keys = pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1]  # (M,)
        if (np.diff(self._keys) <= 0).any():
            raise ValueError(f"{file.name} is not sorted")
        self._merged = pairs[:, 2:]  # (M, 2): rank, token
        self._cached = lru_cache(CACHED_WORDS)(self._merge)

    def __call__(self, words: Sequence[str]) -> list[int]:
        """Return the tokens of `words`, one after another."""
        return [token for word in words if word for token in self._cached(word)]

    def _merge(self, word: str) -> tuple[int, ...]:
        *inner, last = word.encode()
        tokens = [*map(self._letters[0].__getitem__, inner), self._letters[1][last]]
        return tuple(_merged(tokens, self))

    def rank(self, left: int, right: int) -> tuple[int, int] | None:
        """Return the rank of a pair, lower ones first, and the token that it becomes; None if it is not merged."""
        key = left << 32 | right
        place = int(self._keys.searchsorted(key))
        if place == len(self._keys) or self._keys[place] != key:
            return None
        rank, token = self._merged[place].tolist()
        return rank, token


def _merged(tokens: list[int], pairs: BytePairs) -> Iterator[int]:
    """Merge the pair of the lowest rank wherever it occurs, from left to right, until no pair is left.

    This takes n log n steps for n tokens; the original takes n². Tokens that were merged into the one before are None.
    """
    left: list[int | None] = list(tokens)
    before, after = list(range(-1, len(tokens) - 1)), list(range(1, len(tokens) + 1))
    heap: list[tuple[int, int, int, int, int]] = []  # rank, place, left and right token, merged token

    def waiting(place: int) -> Iterator[tuple[int, int, int, int, int]]:
        if after[place] >= len(left):
            return
        one, other = left[place], left[after[place]]
        assert one is not None
        assert other is not None
        if (found := pairs.rank(one, other)) is not None:
            yield found[0], place, one, other, found[1]

    for place in range(len(tokens)):
        heap += waiting(place)
    heapify(heap)
    while heap:
        rank, changed = heap[0][0], list[int]()
        while heap and heap[0][0] == rank:
            _, place, one, other, merged = heappop(heap)
            second = after[place]
            if left[place] != one or second >= len(left) or left[second] != other:
                continue  # one of the two has been merged in between
            left[place], left[second] = merged, None
            after[place] = after[second]
            if after[place] < len(left):
                before[after[place]] = place
            changed += [before[place], place]
        # Only now, as in the original: a new pair of a lower rank must wait until all of this one are merged.
        for place in changed:
            if place >= 0 and left[place] is not None:
                for entry in waiting(place):
                    heappush(heap, entry)
    return (token for token in left if token is not None)
