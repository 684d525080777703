"""Exact ranks of the relevant documents, computed by counting, without a matrix of all queries by all documents.

The rank of a relevant document is 1 + the number of irrelevant documents that score at least as much + the number of
relevant documents placed before it. Ties therefore count against the system, in the order that is worst for every
metric: among equal scores irrelevant documents come first, then relevant ones, the lowest grade first.

Scores are counted on 32-bit block products, whose last bits depend on the position of a vector in its block. Scores
that are closer to each other than the rounding error of these products are computed again in 64 bits, always in the
same order. So equal vectors tie, and no rank depends on the block size or on the processor.

A document with a vector for each of its frames has the score of the best one.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.score_choice import choose_scores
from search.evaluate.score_counts import Thresholds
from search.evaluate.vector_blocks import (
    BlockSizes,
    DocumentBlock,
    PartialGallery,
    VectorBlocks,
    best_scores,
    iter_documents,
)

__all__ = ["Ranks", "relevant_ranks"]

_EXACT_CHUNK = 4096
"""Scores computed at once in 64 bits: 32 MiB with 512 dimensions."""


@dataclass(frozen=True)
class Ranks:
    """The ranks of one query's relevant documents.

    `ranks` (R,) count from 1, ascending; a document that was never ranked has an infinite rank. `grades` (R,) are
    above 0.
    """

    ranks: NDArray[np.float64]
    grades: NDArray[np.int64]

    @classmethod
    def of(cls, ranks: Sequence[float], grades: Sequence[int] | None = None) -> "Ranks":
        """Build from ranks in any order. All grades are 1 unless given."""
        rank_array = np.asarray(ranks, dtype=np.float64)
        grade_array = np.ones(len(rank_array), np.int64) if grades is None else np.asarray(grades, dtype=np.int64)
        order = np.lexsort((grade_array, rank_array))
        return cls(rank_array[order], grade_array[order])

    @property
    def first(self) -> float:
        """The rank of the first relevant document; infinite if there is no relevant document."""
        return float(self.ranks[0]) if len(self.ranks) else float("inf")


@dataclass(frozen=True)
class _Pairs:
    """P pairs of a query and one of its relevant documents, sorted by query.

    `query` (P,) is the number of the query, `rows` (P,) the row of the document in the gallery, `grades` (P,) its
    relevance, and `scores` (P,) the similarity in 64 bits.
    """

    query: NDArray[np.int64]
    rows: NDArray[np.int64]
    grades: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of_queries(self, first: int, last: int) -> tuple[slice, "_Pairs"]:
        """Return the slice of the pairs of queries `first` to `last` - 1, and these pairs, renumbered from 0."""
        low, high = np.searchsorted(self.query, [first, last])
        part = slice(int(low), int(high))
        return part, _Pairs(self.query[part] - first, self.rows[part], self.grades[part], self.scores[part])


def relevant_ranks(
    queries: NDArray[np.float32],
    gallery: VectorBlocks,
    relevant: Sequence[Mapping[int, int]],
    sizes: BlockSizes | None = None,
    rows: int | None = None,
) -> list[Ranks]:
    """Return exact ranks by dot product, one `Ranks` per query.

    `queries` (Q, D) and `gallery` are unit vectors; `relevant[q]` maps rows of the gallery to grades above 0.
    Memory: the queries, one block of the gallery, and one block of scores, however large N and the number of relevant
    documents are. Time: about that of the matrix product, unless very many scores are nearly equal.
    Raises `EvaluationError` for vectors that are not finite, for rows that the gallery does not have, and when the
    gallery does not have `rows` rows.
    """
    sizes = sizes or BlockSizes()
    queries = np.ascontiguousarray(queries, dtype=np.float32)  # (Q, D)
    if queries.ndim != 2 or not np.isfinite(queries).all():
        raise EvaluationError("The queries are not vectors of finite numbers.")
    if len(queries) != len(relevant):
        raise EvaluationError(f"There are {len(queries):,} queries, but judgements for {len(relevant):,}.")
    pairs, count = _collect_pairs(queries, gallery, relevant, sizes.gallery)
    if rows not in (None, count):
        raise EvaluationError(f"The gallery has {rows:,} documents, but {count:,} vectors.")
    if np.isnan(pairs.scores).any():
        absent = pairs.rows[np.isnan(pairs.scores)][0]
        raise EvaluationError(f"The gallery has no row {absent}, which is judged relevant.")
    return _to_ranks(pairs, _count_above(queries, gallery, pairs, count, sizes), len(queries))


def _collect_pairs(
    queries: NDArray[np.float32], gallery: VectorBlocks, relevant: Sequence[Mapping[int, int]], size: int
) -> tuple[_Pairs, int]:
    """Return each query with its relevant rows and their scores (NaN for an invalid row), and the number of rows."""
    counts = [len(judged) for judged in relevant]
    query = np.repeat(np.arange(len(relevant)), counts)  # (P,)
    rows = np.array([row for judged in relevant for row in judged], dtype=np.int64)  # (P,)
    grades = np.array([grade for judged in relevant for grade in judged.values()], dtype=np.int64)  # (P,)
    scores, count = _score_relevant(queries, gallery, query, rows, size)
    return _Pairs(query, rows, grades, scores), count


def _score_relevant(
    queries: NDArray[np.float32], gallery: VectorBlocks, query: NDArray[np.int64], rows: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float64], int]:
    """Return the scores (P,) of documents `rows` for `query` (P,), NaN for an invalid row, and the number of documents.

    Other documents are not read if the gallery allows it and most are not relevant.
    """
    if isinstance(gallery, PartialGallery):
        unique, place = np.unique(rows, return_inverse=True)
        if 2 * len(unique) < len(gallery) and ((unique >= 0) & (unique < len(gallery))).all():
            with suppress(EvaluationError):  # raised again below, with the rows of the whole gallery
                return _score_relevant(queries, gallery.subset(unique), query, place, size)[0], len(gallery)
    scores = np.full(len(rows), np.nan)  # (P,)
    by_row = np.argsort(rows, kind="stable")
    sorted_rows = rows[by_row]
    end = 0
    for block in iter_documents(gallery, size, queries.shape[1]):
        end = block.start + len(block)
        first, last = np.searchsorted(sorted_rows, [block.start, end])
        in_block = by_row[first:last]
        scores[in_block] = _exact_best(queries, block, query[in_block], rows[in_block] - block.start)
    return scores, end


def _to_ranks(pairs: _Pairs, above: NDArray[np.int64], queries: int) -> list[Ranks]:
    """Compute ranks from `above` (P,), the irrelevant documents before each; each relevant one adds 1 to the next.

    Of equal scores the lowest grade comes first, so that the highest grade comes as late as possible.
    """
    order = np.lexsort((pairs.grades, -pairs.scores, pairs.query))
    bounds = np.searchsorted(pairs.query, np.arange(queries + 1))  # (Q + 1,)
    before = np.arange(len(order)) - bounds[pairs.query]  # (P,) relevant documents placed before each, in `order`
    ranks = (1 + above[order] + before).astype(np.float64)
    grades = pairs.grades[order]
    return [Ranks(ranks[a:b], grades[a:b]) for a, b in pairwise(bounds)]


def _exact_best(
    queries: NDArray[np.float32], block: DocumentBlock, query: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the best dot products (p,) of queries[query[i]] and the vectors of document column[i], in 64 bits."""
    if block.firsts is None or not len(query):
        return _exact_scores(queries, block.vectors, query, column)
    counts = np.diff(block.firsts, append=len(block.vectors))[column]  # (p,)
    firsts = np.cumsum(counts) - counts  # (p,)
    within = np.arange(counts.sum()) - np.repeat(firsts, counts)  # (f,)
    vectors = np.repeat(block.firsts[column], counts) + within  # (f,)
    scores = _exact_scores(queries, block.vectors, np.repeat(query, counts), vectors)
    return np.asarray(best_scores(scores, firsts), np.float64)


def _exact_scores(
    queries: NDArray[np.float32], block: NDArray[np.float32], query: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return dot products (p,) of queries[query[i]] and block[column[i]] in 64 bits.

    A product of two 32-bit numbers is exact in 64 bits, and the sums are always taken in the same order, so equal
    vectors get equal scores.
    """
    scores = np.empty(len(query))
    for start in range(0, len(query), _EXACT_CHUNK):
        part = slice(start, start + _EXACT_CHUNK)
        products = queries[query[part]].astype(np.float64)  # (p, D)
        products *= block[column[part]]
        scores[part] = products.sum(axis=1)
    return scores


def _count_above(
    queries: NDArray[np.float32], gallery: VectorBlocks, pairs: _Pairs, documents: int, sizes: BlockSizes
) -> NDArray[np.int64]:
    """Count, for each pair (P,), the irrelevant ones of all `documents` that score at least as much."""
    scores = choose_scores(queries, documents)
    lengths = np.linalg.norm(queries, axis=1).astype(np.float64)  # (Q,)
    above = np.zeros(len(pairs.rows), dtype=np.int64)
    for block in iter_documents(gallery, sizes.gallery, queries.shape[1]):
        slack = _rounding_error(lengths, block.vectors)  # (Q,)
        for first in range(0, len(queries), sizes.queries):
            part = slice(first, first + sizes.queries)
            of_part, some = pairs.of_queries(part.start, part.stop)
            thresholds = _thresholds(some, slack[part], block)
            of_pairs = above[of_part]  # a view
            for chosen, counts, close, column in scores.count(part, block, thresholds):
                decided = _exact_best(queries[part], block, some.query[close], column) >= some.scores[close]
                of_pairs[chosen] += counts
                np.add.at(of_pairs, close[decided], 1)
    return above


def _thresholds(pairs: _Pairs, slack: NDArray[np.float64], block: DocumentBlock) -> Thresholds:
    """Return the thresholds of pairs (P,); the scores of their queries have an error of at most `slack` (q,)."""
    in_block = (pairs.rows >= block.start) & (pairs.rows < block.start + len(block))
    error = slack[pairs.query]  # (P,)
    return Thresholds(
        pairs.query,
        (pairs.scores - error).astype(np.float32),
        (pairs.scores + error).astype(np.float32),
        (pairs.query[in_block], pairs.rows[in_block] - block.start),
    )


def _rounding_error(lengths: NDArray[np.float64], block: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a bound (Q,) on the error of 32-bit products of queries of these lengths and vectors (f, D) of a block.

    At most D units of rounding, and, with a probability of error of 1e-13, no more than 8 times the square root of D
    (Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 2019). Two more
    units allow for the thresholds themselves.
    """
    dim = block.shape[1]
    units = min(dim, 8 * dim**0.5) + 2
    longest = float(np.linalg.norm(block, axis=1).max(initial=0.0))
    return np.asarray(units * 2.0**-24 * longest * lengths)
