"""Exact ranks of the relevant documents, by counting, without a query-by-picture matrix.

The rank of a relevant document is 1 + the documents that are not relevant and score at least as much + the relevant
ones placed before it. So ties count against the system, in the one order that is worst for every measure: among equal
scores what is not relevant comes first, then what is relevant, the lowest grade first.

The counting is done on 32-bit block products, whose last bits depend on where in a block a vector stands. Scores that
lie closer to each other than the rounding error of such a product are therefore computed again in 64 bits, always in
the same order, and decided by that: equal vectors tie, and no rank depends on the size of a block or on the processor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.gallery_blocks import Gallery, blocks
from search.evaluate.rank_counts import Pairs, count_above, exact_scores

__all__ = ["BlockSizes", "Ranks", "relevant_ranks"]


@dataclass(frozen=True)
class BlockSizes:
    """How many queries and how many gallery vectors are compared at once; their product times 6 is bytes of memory."""

    queries: int = 1024
    gallery: int = 4096


@dataclass(frozen=True)
class Ranks:
    """Where one query's relevant documents stand.

    `ranks` (R,) count from 1, ascending; infinite for a document that was never ranked. `grades` (R,) are above 0.
    """

    ranks: NDArray[np.float64]
    grades: NDArray[np.int64]

    @classmethod
    def of(cls, ranks: Sequence[float], grades: Sequence[int] | None = None) -> "Ranks":
        """In any order; all grades are 1 unless given."""
        places = np.asarray(ranks, dtype=np.float64)
        marks = np.ones(len(places), np.int64) if grades is None else np.asarray(grades, dtype=np.int64)
        order = np.lexsort((marks, places))
        return cls(places[order], marks[order])

    @property
    def first(self) -> float:
        """The rank of the first relevant document; infinite when there is none."""
        return float(self.ranks[0]) if len(self.ranks) else float("inf")


def relevant_ranks(
    queries: NDArray[np.float32],
    gallery: Gallery,
    relevant: Sequence[Mapping[int, int]],
    sizes: BlockSizes | None = None,
    rows: int | None = None,
) -> list[Ranks]:
    """Exact ranks by dot product, one `Ranks` a query.

    `queries` (Q, D) and `gallery` (N, D) are unit vectors; `relevant[q]` maps rows of the gallery to grades above 0.
    Memory: the queries, one block of the gallery, and one block of scores, whatever N and the number of relevant
    documents. Time: about that of the matrix product, unless very many scores are nearly equal.
    Raises `EvaluationError` for vectors that cannot be ranked, for rows the gallery does not have, and when it has not
    as many as `rows` says.
    """
    sizes = sizes or BlockSizes()
    queries = np.ascontiguousarray(queries, dtype=np.float32)  # (Q, D)
    if queries.ndim != 2 or not np.isfinite(queries).all():
        raise EvaluationError("the queries are not all vectors of finite numbers")
    if len(queries) != len(relevant):
        raise EvaluationError(f"there are {len(queries):,} queries and {len(relevant):,} judgements")
    pairs, found = _pairs(queries, gallery, relevant, sizes.gallery)
    if rows not in (None, found):
        raise EvaluationError(f"there are {rows:,} documents and {found:,} vectors in the gallery")
    if np.isnan(pairs.scores).any():
        absent = pairs.rows[np.isnan(pairs.scores)][0]
        raise EvaluationError(f"the gallery has no row {absent}, which is said to be relevant")
    above = np.zeros(len(pairs.rows), dtype=np.int64)  # (P,)
    for start, block in blocks(gallery, sizes.gallery, queries.shape[1]):
        for first in range(0, len(queries), sizes.queries):
            chosen, mine = pairs.of_queries(first, first + sizes.queries)
            above[chosen] += count_above(queries[first : first + sizes.queries], block, start, mine)
    return _placed(pairs, above, len(queries))


def _pairs(
    queries: NDArray[np.float32], gallery: Gallery, relevant: Sequence[Mapping[int, int]], size: int
) -> tuple[Pairs, int]:
    """Every query with each of its relevant rows and their score (NaN: no such row); and how many rows there are."""
    counts = [len(judged) for judged in relevant]
    query = np.repeat(np.arange(len(relevant)), counts)  # (P,)
    rows = np.array([row for judged in relevant for row in judged], dtype=np.int64)  # (P,)
    grades = np.array([grade for judged in relevant for grade in judged.values()], dtype=np.int64)  # (P,)
    scores = np.full(len(rows), np.nan)  # (P,)
    by_row = np.argsort(rows, kind="stable")
    ordered = rows[by_row]
    end = 0
    for start, block in blocks(gallery, size, queries.shape[1]):
        end = start + len(block)
        first, last = np.searchsorted(ordered, [start, end])
        here = by_row[first:last]
        scores[here] = exact_scores(queries, block, query[here], rows[here] - start)
    return Pairs(query, rows, grades, scores), end


def _placed(pairs: Pairs, above: NDArray[np.int64], queries: int) -> list[Ranks]:
    """Ranks from the number of documents that are not relevant and come first: each relevant one adds one to the next.

    Of equal scores the lowest grade comes first, so that the highest comes as late as it can.
    """
    order = np.lexsort((pairs.grades, -pairs.scores, pairs.query))
    bounds = np.searchsorted(pairs.query, np.arange(queries + 1))  # (Q + 1,)
    before = np.arange(len(order)) - bounds[pairs.query]  # (P,) relevant documents placed before each, in `order`
    ranks = (1 + above[order] + before).astype(np.float64)
    grades = pairs.grades[order]
    return [Ranks(ranks[a:b], grades[a:b]) for a, b in pairwise(bounds)]
