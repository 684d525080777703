"""Exact search among many of the vectors of a flat FAISS index.

FAISS asks of each vector whether it is among those to search. If about half of them are, the processor guesses the
answer wrongly so often that a search takes longer than one among all. Here the vectors are therefore compared block by
block: the best of all in a block first, those that are not to be searched are taken out, and if the last of the best
scores no more than the result so far, no other vector of the block can be in the result. Otherwise this block is
searched again with FAISS's selector.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["is_broad", "restrict", "search_broad"]

BLOCK_ROWS = 32_768
MIN_SHARE, MAX_SHARE = 0.3, 0.97
"""Shares of the vectors between which this is faster than the selector.

Measured with a million vectors of 512 dimensions on one core: 49 instead of 68 ms for a half, and 61 instead of 73 if
the 20,000 best vectors are not in it. For a quarter it would be 50 instead of 42. All take 40."""
MAX_BROAD_RESULTS = 500
"""With more results, keeping the best of a block in order takes longer than the selector."""
SPARE, MORE_SPARE = 32, 5
MAX_BEST = 1 / 16
"""The best of a block are compared if they are at most this share of it. Keeping more in order costs too much."""


def is_broad(kept: int, number: int, k: int) -> bool:
    """Return whether `search_broad` is the faster way to search for `k` among `kept` of `number` vectors."""
    is_between = MIN_SHARE * number <= kept <= MAX_SHARE * number
    return number > BLOCK_ROWS and is_between and 0 < k <= MAX_BROAD_RESULTS


def restrict(kept: NDArray[np.bool_]) -> Any:
    """Return FAISS search parameters that restrict a search to the rows where `kept` (N,) is true.

    A bitmap is the fastest selector.
    """
    import faiss

    bits = faiss.IDSelectorBitmap(np.packbits(kept, bitorder="little"))  # type: ignore[call-arg, arg-type]
    return faiss.SearchParameters(sel=bits)  # type: ignore[call-arg]


def search_broad(
    codes: NDArray[np.uint8], empty: Any, queries: NDArray[np.float32], k: int, kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], Ids]:
    """Return the scores and rows (Q, K) of the `k` best vectors for each query (Q, D), where `kept` (N,) is true.

    `codes` (N, bytes per vector) are the stored vectors, and `empty` is an empty flat FAISS index of such codes. K is
    smaller than `k` if fewer vectors are kept.
    """
    view = _View(empty)
    best = _Best(np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64))
    seen = 0
    spare, failures = SPARE, 0
    wait = 0  # after failures, the selector searches 1, 3, 7, ... blocks before the best are tried again
    for start in range(0, len(kept), BLOCK_ROWS):
        part = kept[start : start + BLOCK_ROWS]
        number = int(np.count_nonzero(part))
        if not number:
            continue
        seen += number
        # As many as are expected to improve the result, with a margin.
        wanted = int(spare + 2 * k * len(part) / seen)
        block = view.of(codes[start : start + len(part)])
        if wait or number < MIN_SHARE * len(part) or wanted > MAX_BEST * len(part):
            wait = max(wait - 1, 0)
            scores, rows = block.search(queries, min(k, number), params=restrict(part))
            best = best.with_rows(scores, rows, start)
            continue
        scores, rows = block.search(queries, wanted)  # (Q, wanted)
        better = best.with_rows(np.where(part[rows], scores, -np.inf), rows, start)
        undecided = np.flatnonzero(scores[:, -1] > better.scores[:, -1])
        if len(undecided) and spare * MORE_SPARE <= MAX_BEST * len(part) / 2:
            spare *= MORE_SPARE  # many of the best are not to be searched
        else:
            failures = failures + 1 if len(undecided) else 0
            wait = 2**failures - 1
        if len(undecided):
            scores, rows = block.search(queries[undecided], min(k, number), params=restrict(part))
            again = best.of(undecided).with_rows(scores, rows, start)
            better.scores[undecided], better.rows[undecided] = again.scores, again.rows
        best = better
    return best.scores[:, :seen], best.rows[:, :seen]


class _Best:
    """The best so far for each query, `scores` and `rows` (Q, k), best first; -inf where there are fewer."""

    def __init__(self, scores: NDArray[np.float32], rows: Ids) -> None:
        self.scores, self.rows = scores, rows

    def of(self, queries: Ids) -> "_Best":
        """Return those of some queries (n,)."""
        return _Best(self.scores[queries], self.rows[queries])

    def with_rows(self, scores: NDArray[np.float32], rows: Ids, start: int) -> "_Best":
        """Return the best of these and of others (Q, n), whose rows are counted from `start`."""
        k = self.scores.shape[1]
        both = np.concatenate([self.scores, scores], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, :k]
        all_rows = np.concatenate([self.rows, rows + start], axis=1)
        return _Best(np.take_along_axis(both, order, axis=1), np.take_along_axis(all_rows, order, axis=1))


class _View:
    """A flat FAISS index of codes without a copy of them; cloning one for each block would take 3 % of the search."""

    def __init__(self, empty: Any) -> None:
        import faiss

        self._faiss: Any = faiss
        self._index: Any = self._faiss.clone_index(empty)
        self._owner = self._index.codes.owner

    def of(self, codes: NDArray[np.uint8]) -> Any:
        """Return the index with `codes` (n, bytes per vector), until the next call. They must exist as long."""
        pointer = self._faiss.swig_ptr(codes)
        self._index.codes = self._faiss.MaybeOwnedVectorUInt8.create_view(pointer, codes.nbytes, self._owner)
        self._index.ntotal = len(codes)
        return self._index
