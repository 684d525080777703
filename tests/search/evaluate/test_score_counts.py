"""Counts of scores above thresholds, compared with a plain loop."""

import numpy as np
import pytest

from search.evaluate.score_counts import ProcessorScores, Thresholds
from search.evaluate.vector_blocks import DocumentBlock
from tests.support.score_counts import DIM, DOCUMENTS, NOTHING, QUERIES, counts_by, plain_counts, random_case


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("best", [2, 100, 400], ids=["few reached", "many reached", "all reached"])
@pytest.mark.parametrize("per_query", [0, 1, 3, 12])
def test_counts_equal_a_plain_loop(frames: bool, best: int, per_query: int) -> None:
    case = random_case(best, per_query, frames=frames)
    found = counts_by(ProcessorScores(case.queries), case.part, case.block, case.thresholds)
    assert found == plain_counts(case.scores, case.thresholds)


@pytest.mark.parametrize("per_query", [5, 12])
def test_equal_scores_come_in_parts(per_query: int) -> None:
    """All scores are close to all thresholds. The close ones of all together could need gigabytes."""
    query = np.repeat(np.arange(QUERIES), per_query)
    edges = np.full(len(query), DIM, np.float32)
    block = DocumentBlock(0, np.ones((DOCUMENTS, DIM), np.float32))
    scores = ProcessorScores(np.ones((QUERIES, DIM), np.float32))
    parts = list(scores.count(slice(None), block, Thresholds(query, edges, edges, NOTHING)))
    assert sum(len(counts.pair) for counts in parts) == len(query) * DOCUMENTS
    assert max(len(counts.pair) for counts in parts) <= max(QUERIES, per_query) * DOCUMENTS
