"""How many documents come before a relevant one: one block of queries against one block of the gallery."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "count_above", "exact_scores"]

_AT_ONCE = 4096
"""Scores computed at once in 64 bits: 32 MiB with 512 dimensions."""

_MANY = 10
"""Relevant documents of one query from which sorting its scores is quicker than comparing them with each."""


@dataclass(frozen=True)
class Pairs:
    """Queries with their relevant documents, P in all, by query.

    `query` (P,) numbers the query, `rows` (P,) the document in the gallery, `grades` (P,) say how relevant it is, and
    `scores` (P,) how similar the two are, in 64 bits.
    """

    query: NDArray[np.int64]
    rows: NDArray[np.int64]
    grades: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of_queries(self, first: int, last: int) -> tuple[slice, "Pairs"]:
        """The pairs of the queries from `first` to before `last`: which they are, and they, numbered from 0."""
        low, high = np.searchsorted(self.query, [first, last])
        part = slice(int(low), int(high))
        return part, Pairs(self.query[part] - first, self.rows[part], self.grades[part], self.scores[part])


def exact_scores(
    queries: NDArray[np.float32], block: NDArray[np.float32], query: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Dot products (p,) of queries[query[i]] and block[column[i]] in 64 bits.

    A product of two 32-bit numbers is exact in 64, and the sums are taken in one order: equal vectors score the same.
    """
    scores = np.empty(len(query))
    for start in range(0, len(query), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        products = queries[query[part]].astype(np.float64)  # (p, D)
        products *= block[column[part]]
        scores[part] = products.sum(axis=1)
    return scores


def count_above(
    queries: NDArray[np.float32], block: NDArray[np.float32], start: int, pairs: Pairs
) -> NDArray[np.int64]:
    """For each pair (P,), the documents of this block that are not relevant and score at least as much.

    `queries` (q, D); `block` (n, D) holds the gallery's rows from `start` on.
    """
    scores = queries @ block.T  # (q, n)
    here = (pairs.rows >= start) & (pairs.rows < start + len(block))
    scores[pairs.query[here], pairs.rows[here] - start] = -np.inf
    slack = _rounding(queries, block)[pairs.query]  # (P,)
    low, high = (edge.astype(np.float32) for edge in (pairs.scores - slack, pairs.scores + slack))
    counts = np.zeros(len(pairs.query), dtype=np.int64)
    for chosen, above, pair, column in _compared(scores, pairs.query, low, high):
        counts[chosen] += above
        close = chosen[pair]
        decided = exact_scores(queries, block, pairs.query[close], column) >= pairs.scores[close]
        counts += np.bincount(close[decided], minlength=len(counts))
    return counts


_Comparison: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Pairs (c,), the scores surely above each of them (c,), and those too close to tell: pair in `c` and column, (t,)."""


def _compared(
    scores: NDArray[np.float32], query: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32]
) -> Iterator[_Comparison]:
    """The scores (q, n) against every pair: one relevant document of each query at a time, or a whole query at once."""
    turn = np.arange(len(query)) - np.searchsorted(query, query)  # (P,) 0 for a query's first pair, 1 for its second
    many = (np.bincount(query, minlength=len(scores)) >= _MANY)[query]  # (P,)
    for number in range(_MANY):
        chosen = np.flatnonzero((turn == number) & ~many)
        if len(chosen):
            of_chosen = scores if len(chosen) == len(scores) else scores[query[chosen]]  # (c, n)
            yield chosen, *_by_comparing(of_chosen, low[chosen], high[chosen])
    for number in np.unique(query[many]):
        chosen = np.arange(*np.searchsorted(query, [number, number + 1]))
        yield chosen, *_by_sorting(scores[number], low[chosen], high[chosen])


def _by_comparing(
    scores: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row i of the scores (c, n) against low[i] and high[i]."""
    above = scores > high[:, None]
    close = scores >= low[:, None]
    close ^= above
    return np.count_nonzero(above, axis=1), *np.nonzero(close)


def _by_sorting(
    scores: NDArray[np.float32], low: NDArray[np.float32], high: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """One query's scores (n,) against every low[i] and high[i], (r,)."""
    order = np.argsort(scores)
    first = np.searchsorted(scores, low, "left", sorter=order)  # (r,)
    last = np.searchsorted(scores, high, "right", sorter=order)  # (r,)
    pair = np.repeat(np.arange(len(low)), last - first)  # (t,)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    return len(scores) - last, pair, order[first[pair] + within]


def _rounding(queries: NDArray[np.float32], block: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far (q,) a 32-bit product may be from the true one.

    At most D units of rounding, and, with a chance of error of 1e-13, no more than 8 times the square root of D
    (Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 2019). Two more
    are for the thresholds themselves.
    """
    dim = queries.shape[1]
    units = min(dim, 8 * dim**0.5) + 2
    longest = float(np.linalg.norm(block, axis=1).max(initial=0.0))
    lengths = np.linalg.norm(queries, axis=1).astype(np.float64)  # (q,)
    return np.asarray(units * 2.0**-24 * longest * lengths)
