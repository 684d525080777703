"""Counts by PyTorch, on the processor: those of a GPU's code, and those in bfloat16."""

import numpy as np
import pytest

from search.evaluate import torch_scores
from search.evaluate.score_counts import ProcessorScores, Thresholds
from search.evaluate.torch_scores import Bfloat16Scores, TorchScores
from search.evaluate.vector_blocks import DocumentBlock
from tests.support.score_counts import DIM, DOCUMENTS, NOTHING, QUERIES, counts_by, plain_counts, random_case

torch = pytest.importorskip("torch")

NO_THRESHOLDS = Thresholds(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32), NOTHING)


def on_processor(queries: np.ndarray) -> TorchScores:
    return TorchScores(queries, torch.device("cpu"))


@pytest.fixture
def always_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """No number of close scores is too large."""
    monkeypatch.setattr(torch_scores, "_MAX_CLOSE", 100.0)
    monkeypatch.setattr(torch_scores, "_MAX_REACHED", 100.0)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("best", [2, 100, 400], ids=["few reached", "many reached", "all reached"])
@pytest.mark.parametrize("per_query", [0, 1, 3, 12])
def test_counts_equal_a_plain_loop(frames: bool, best: int, per_query: int) -> None:
    case = random_case(best, per_query, frames=frames)
    found = counts_by(on_processor(case.queries), case.part, case.block, case.thresholds)
    assert found == plain_counts(case.scores, case.thresholds)


@pytest.mark.parametrize("per_query", [5, 12])
def test_equal_scores_come_in_parts(per_query: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All scores are close to all thresholds. The close ones of all together could need gigabytes."""
    monkeypatch.setattr(torch_scores, "_PAIRS_AT_ONCE", QUERIES)
    query = np.repeat(np.arange(QUERIES), per_query)
    edges = np.full(len(query), DIM, np.float32)
    block = DocumentBlock(0, np.ones((DOCUMENTS, DIM), np.float32))
    scores = on_processor(np.ones((QUERIES, DIM), np.float32))
    parts = list(scores.count(slice(None), block, Thresholds(query, edges, edges, NOTHING)))
    assert sum(len(counts.pair) for counts in parts) == len(query) * DOCUMENTS
    assert max(len(counts.pair) for counts in parts) <= max(QUERIES, per_query) * DOCUMENTS


@pytest.mark.parametrize("scores", [on_processor, Bfloat16Scores])
def test_arrays_that_cannot_be_written_are_counted_without_a_warning(scores: type[Bfloat16Scores]) -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors.flags.writeable = False
    thresholds = Thresholds(np.zeros(1, np.int64), *(np.full(1, 0.5, np.float32),) * 2, NOTHING)
    assert counts_by(scores(vectors), slice(0, 2), DocumentBlock(0, vectors), thresholds) == ([1], [])


def test_the_precision_of_products_is_kept_as_it_was() -> None:
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        vectors = np.eye(2, dtype=np.float32)
        counts_by(on_processor(vectors), slice(0, 2), DocumentBlock(0, vectors), NO_THRESHOLDS)
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False


@pytest.mark.usefixtures("always_bfloat16")
@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("best", [2, 100, 400], ids=["few reached", "many reached", "all reached"])
@pytest.mark.parametrize("per_query", [1, 3, 12])
@pytest.mark.parametrize("scale", [1.0, -1.0, 1.01e-3])
def test_bfloat16_decides_only_what_is_certain(frames: bool, best: int, per_query: int, scale: float) -> None:
    """What is counted as above is above; what is not counted and not close is below."""
    case = random_case(best, per_query, frames=frames)
    queries = (case.queries * scale).astype(np.float32)
    # Factors that bfloat16 cannot hold: every score then differs from its product in bfloat16.
    vectors = case.block.vectors * np.float32(1.003)
    block = DocumentBlock(case.block.start, vectors, case.block.firsts)
    scores = queries[case.part].astype(np.float64) @ vectors.T.astype(np.float64)
    scores = scores if block.firsts is None else np.maximum.reduceat(scores, block.firsts, axis=1)
    query = case.thresholds.query
    edges = np.sort(scores, axis=1)[query, -1 - np.arange(len(query)) % best].astype(np.float32)
    slack = np.abs(edges) * np.float32(1e-6)
    thresholds = Thresholds(query, edges - slack, edges + slack, case.thresholds.left_out)
    above, close = counts_by(Bfloat16Scores(queries), case.part, block, thresholds)
    exact, ties = plain_counts(scores, thresholds)
    assert set(ties) <= set(close)
    decided = np.bincount(
        [pair for pair, column in close if scores[query[pair], column] > thresholds.high[pair]], minlength=len(query)
    )
    assert (np.array(above) + decided).tolist() == exact
    assert len(close) < len(query) * DOCUMENTS / 4  # most are decided


def test_bfloat16_is_given_up_where_it_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """All scores are equal. Some products are tried, and the results are those of 32 bits."""
    monkeypatch.setattr(torch_scores, "_TRIES", 3)
    queries = np.ones((QUERIES, DIM), np.float32)
    edges = np.full(QUERIES, DIM, np.float32)
    thresholds = Thresholds(np.arange(QUERIES), edges, edges, NOTHING)
    block = DocumentBlock(0, np.ones((DOCUMENTS, DIM), np.float32))
    scores, expected = Bfloat16Scores(queries), ProcessorScores(queries)
    rounded = []
    monkeypatch.setattr(torch_scores, "count_reached", lambda *_: rounded.append(1))
    for _ in range(5):
        assert counts_by(scores, slice(None), block, thresholds) == counts_by(expected, slice(None), block, thresholds)
    assert scores._tried == 3
    assert not rounded


def test_without_thresholds_nothing_is_counted() -> None:
    vectors = np.eye(2, dtype=np.float32)
    assert counts_by(Bfloat16Scores(vectors), slice(0, 2), DocumentBlock(0, vectors), NO_THRESHOLDS) == ([], [])
