"""Thresholds and scores of small blocks, and what is counted in them by a plain loop."""

from typing import NamedTuple

import numpy as np

from search.evaluate.score_counts import Scores, Thresholds
from search.evaluate.vector_blocks import DocumentBlock

__all__ = ["DIM", "DOCUMENTS", "NOTHING", "QUERIES", "Case", "counts_by", "plain_counts", "random_case"]

DIM, QUERIES, DOCUMENTS = 8, 9, 400
NOTHING = np.empty(0, np.int64), np.empty(0, np.int64)
"""No score is left out."""


class Case(NamedTuple):
    """Queries and documents of whole numbers, so that products in 32 bits are exact."""

    queries: np.ndarray
    part: slice
    block: DocumentBlock
    thresholds: Thresholds
    scores: np.ndarray
    """(q, n), those of the queries `part`."""


def random_case(best: int, per_query: int, *, frames: bool) -> Case:
    """Return a case whose thresholds, up to `per_query` for each query, are among its `best` scores."""
    random = np.random.default_rng(best + per_query)
    counts = random.integers(1, 4, DOCUMENTS) if frames else np.ones(DOCUMENTS, np.int64)
    firsts = np.cumsum(counts) - counts
    vectors = random.integers(-20, 21, (counts.sum(), DIM)).astype(np.float32)
    queries = random.integers(-20, 21, (QUERIES + 4, DIM)).astype(np.float32)
    part = slice(2, 2 + QUERIES)
    scores = np.maximum.reduceat(queries[part] @ vectors.T, firsts, axis=1)  # (9, 400)
    query = np.repeat(np.arange(QUERIES), random.integers(0, per_query + 1, QUERIES))
    edges = np.sort(scores, axis=1)[:, ::-1][query, random.integers(0, best, len(query))]
    slack = random.integers(0, 3, len(query)).astype(np.float32)
    left_out = random.integers(0, QUERIES, 20), random.integers(0, DOCUMENTS, 20)
    thresholds = Thresholds(query, edges - slack, edges + slack, left_out)
    return Case(queries, part, DocumentBlock(1000, vectors, firsts if frames else None), thresholds, scores)


def plain_counts(scores: np.ndarray, thresholds: Thresholds) -> tuple[list[int], list[tuple[int, int]]]:
    above, close = [], []
    left_out = set(zip(*(places.tolist() for places in thresholds.left_out), strict=True))
    for pair, (query, low, high) in enumerate(zip(*thresholds[:3], strict=True)):
        counted = [document for document in range(scores.shape[1]) if (query, document) not in left_out]
        above.append(sum(scores[query, document] > high for document in counted))
        close += [(pair, document) for document in counted if low <= scores[query, document] <= high]
    return above, close


def counts_by(
    engine: Scores, part: slice, block: DocumentBlock, thresholds: Thresholds
) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the number of scores above each threshold, and the close pairs and documents."""
    above: dict[int, int] = {}
    close: list[tuple[int, int]] = []
    for counts in engine.count(part, block, thresholds):
        assert above.keys().isdisjoint(counts.chosen.tolist())
        above |= dict(zip(counts.chosen.tolist(), counts.above.tolist(), strict=True))
        close += zip(counts.pair.tolist(), counts.document.tolist(), strict=True)
    return [above[pair] for pair in range(len(thresholds.query))], sorted(close)
