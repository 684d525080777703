"""Counting the scores of a block of documents above thresholds.

Scores are products in 32 bits. Those that are too close to a threshold for this precision are returned, so that they
can be computed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from search.evaluate.vector_blocks import DocumentBlock, best_scores

__all__ = ["Counts", "ProcessorScores", "Scores", "Thresholds", "count_reached"]

_SPARSE = 16
"""If at most one of so many scores reaches the lowest threshold of its query, only these are compared further."""

_MIN_PAIRS_TO_SORT = 10
"""From this many thresholds of one query, sorting its scores is faster than comparing them with each."""


class Thresholds(NamedTuple):
    """P pairs of a query and a threshold, sorted by query, and the scores (e,) that are not counted."""

    query: NDArray[np.int64]
    """(P,), from 0."""
    low: NDArray[np.float32]
    """(P,) scores below it are certainly below the threshold."""
    high: NDArray[np.float32]
    """(P,) scores above it are certainly above the threshold."""
    left_out: tuple[NDArray[np.int64], NDArray[np.int64]]
    """The queries (e,) and documents (e,) whose scores are not counted."""


class Counts(NamedTuple):
    """The numbers of scores above some of the thresholds, and the scores that are too close to decide."""

    chosen: NDArray[np.int64]
    """(c,) the places in `Thresholds` of these thresholds, each once."""
    above: NDArray[np.int64]
    """(c,) the numbers of scores that are certainly above them."""
    pair: NDArray[np.int64]
    """(t,) the place in `Thresholds` of each close score."""
    document: NDArray[np.int64]
    """(t,) its document in the block."""


class Scores(Protocol):
    """The scores of queries (Q, D)."""

    def count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Iterator[Counts]:
        """Compare the scores of the queries `part` in a block with `thresholds`, whose queries count from 0.

        Each threshold is in one of the results. They come in parts, because where very many scores are equal, the close
        ones of all thresholds need much memory.
        """


@dataclass(frozen=True)
class ProcessorScores:
    """Scores computed by NumPy, which uses all processor cores for the product."""

    queries: NDArray[np.float32]

    def count(self, part: slice, block: DocumentBlock, thresholds: Thresholds) -> Iterator[Counts]:
        """Compare the scores of the queries `part` in a block with `thresholds`."""
        scores = best_scores(self.queries[part] @ block.vectors.T, block.firsts)  # (q, n)
        scores[thresholds.left_out] = -np.inf
        query, low, high, _ = thresholds
        if not len(query):
            return
        pairs = np.bincount(query, minlength=len(scores))  # (q,)
        lowest = np.full(len(scores), np.inf, np.float32)
        np.minimum.at(lowest, query, low)
        reached = scores >= lowest[:, None]  # (q, n)
        if np.count_nonzero(reached) * int(pairs.max()) * _SPARSE <= reached.size:
            row, document = np.divmod(np.flatnonzero(reached), reached.shape[1])  # (r,)
            yield count_reached(row, document, scores[row, document], thresholds)
        else:
            yield from _compare_all(scores, query, low, high)


def count_reached(
    row: NDArray[np.int64], document: NDArray[np.int64], scores: NDArray[np.float32], thresholds: Thresholds
) -> Counts:
    """Compare some scores (r,) of queries `row` (r,) and documents `document` (r,) with all thresholds of the query.

    All other scores must be below each threshold of their query.
    """
    pairs = np.bincount(thresholds.query, minlength=int(row.max(initial=0)) + 1)  # (q,) thresholds of each query
    number = pairs[row]  # (r,)
    hit = np.repeat(np.arange(len(row)), number)  # (h,) a reached score for each threshold
    turn = np.arange(len(hit)) - np.repeat(np.cumsum(number) - number, number)
    pair = (np.cumsum(pairs) - pairs)[row[hit]] + turn  # (h,)
    values = scores[hit]
    above = values > thresholds.high[pair]
    close = (values >= thresholds.low[pair]) & ~above
    every = np.arange(len(thresholds.query))  # (P,)
    return Counts(every, np.bincount(pair[above], minlength=len(every)), pair[close], document[hit[close]])


def _compare_all(
    scores: NDArray[np.float32], query: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32]
) -> Iterator[Counts]:
    """Compare scores (q, n) with every pair: one pair of each query at a time, or all pairs of a query at once."""
    turn = np.arange(len(query)) - np.searchsorted(query, query)  # (P,) 0 for a query's first pair, 1 for its second
    many = (np.bincount(query, minlength=len(scores)) >= _MIN_PAIRS_TO_SORT)[query]  # (P,)
    for number in range(_MIN_PAIRS_TO_SORT):
        chosen = np.flatnonzero((turn == number) & ~many)
        if len(chosen):
            of_chosen = scores if len(chosen) == len(scores) else scores[query[chosen]]  # (c, n)
            above, pair, document = _compare_each(of_chosen, low[chosen], high[chosen])
            yield Counts(chosen, above, chosen[pair], document)
    for number in np.unique(query[many]):
        chosen = np.arange(*np.searchsorted(query, [number, number + 1]))
        above, pair, document = _compare_sorted(scores[number], low[chosen], high[chosen])
        yield Counts(chosen, above, chosen[pair], document)


def _compare_each(
    scores: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Compare row i of the scores (c, n) with low[i] and high[i]."""
    above = scores > high[:, None]
    close = scores >= low[:, None]
    close ^= above
    # As `np.nonzero(close)`, which takes five times as long.
    return np.count_nonzero(above, axis=1), *np.divmod(np.flatnonzero(close), close.shape[1])


def _compare_sorted(
    scores: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Compare one query's scores (n,) with every low[i] and high[i], (r,), by sorting them."""
    order = np.argsort(scores)
    first = np.searchsorted(scores, low, "left", sorter=order)  # (r,)
    last = np.searchsorted(scores, high, "right", sorter=order)  # (r,)
    pair = np.repeat(np.arange(len(low)), last - first)  # (t,)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    return len(scores) - last, pair, order[first[pair] + within]
