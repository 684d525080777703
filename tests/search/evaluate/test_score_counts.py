"""Counts of scores above thresholds, compared with a plain loop."""

import numpy as np
import pytest

from encoders import machine
from search.evaluate import score_counts
from search.evaluate.score_counts import ProcessorScores, Scores, Thresholds, TorchScores, choose_scores
from search.evaluate.vector_blocks import DocumentBlock

DIM, QUERIES, DOCUMENTS = 8, 9, 400


def scores_by(engine: str, queries: np.ndarray) -> Scores:
    if engine == "processor":
        return ProcessorScores(queries)
    torch = pytest.importorskip("torch")
    return TorchScores(queries, torch.device("cpu"))


def plain_counts(scores: np.ndarray, thresholds: Thresholds) -> tuple[list[int], list[tuple[int, int]]]:
    above, close = [], []
    left_out = set(zip(*(places.tolist() for places in thresholds.left_out), strict=True))
    for pair, (query, low, high) in enumerate(zip(*thresholds[:3], strict=True)):
        counted = [document for document in range(scores.shape[1]) if (query, document) not in left_out]
        above.append(sum(scores[query, document] > high for document in counted))
        close += [(pair, document) for document in counted if low <= scores[query, document] <= high]
    return above, close


def counts_by(
    engine: str, queries: np.ndarray, part: slice, block: DocumentBlock, thresholds: Thresholds
) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the number of scores above each threshold, and the close pairs and documents."""
    above: dict[int, int] = {}
    close: list[tuple[int, int]] = []
    for counts in scores_by(engine, queries).count(part, block, thresholds):
        assert above.keys().isdisjoint(counts.chosen.tolist())
        above |= dict(zip(counts.chosen.tolist(), counts.above.tolist(), strict=True))
        close += zip(counts.pair.tolist(), counts.document.tolist(), strict=True)
    return [above[pair] for pair in range(len(thresholds.query))], sorted(close)


@pytest.mark.parametrize("engine", ["processor", "torch"])
@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("best", [2, 100, 400], ids=["few reached", "many reached", "all reached"])
@pytest.mark.parametrize("per_query", [0, 1, 3, 12])
def test_counts_equal_a_plain_loop(engine: str, frames: bool, best: int, per_query: int) -> None:
    """Whole numbers, so that 32 bits are exact; thresholds are among the `best` scores of their query."""
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
    block = DocumentBlock(1000, vectors, firsts if frames else None)
    assert counts_by(engine, queries, part, block, thresholds) == plain_counts(scores, thresholds)


@pytest.mark.parametrize("engine", ["processor", "torch"])
@pytest.mark.parametrize("per_query", [5, 12])
def test_equal_scores_come_in_parts(engine: str, per_query: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All scores are close to all thresholds. The close ones of all together could need gigabytes."""
    monkeypatch.setattr(score_counts, "_PAIRS_AT_ONCE", QUERIES)
    query = np.repeat(np.arange(QUERIES), per_query)
    edges = np.full(len(query), DIM, np.float32)
    thresholds = Thresholds(query, edges, edges, (np.empty(0, np.int64), np.empty(0, np.int64)))
    block = DocumentBlock(0, np.ones((DOCUMENTS, DIM), np.float32))
    parts = list(scores_by(engine, np.ones((QUERIES, DIM), np.float32)).count(slice(None), block, thresholds))
    assert sum(len(counts.pair) for counts in parts) == len(query) * DOCUMENTS
    assert max(len(counts.pair) for counts in parts) <= max(QUERIES, per_query) * DOCUMENTS


def test_arrays_that_cannot_be_written_are_counted_without_a_warning() -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors.flags.writeable = False
    thresholds = Thresholds(np.zeros(1, np.int64), *(np.full(1, 0.5, np.float32),) * 2, (np.empty(0, np.int64),) * 2)
    assert counts_by("torch", vectors, slice(0, 2), DocumentBlock(0, vectors), thresholds) == ([1], [])


def test_a_card_is_used_only_for_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(machine, "has_nvidia_card", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(score_counts, "TorchScores", lambda _queries, device: str(device))
    monkeypatch.setattr(score_counts, "MIN_PRODUCTS_FOR_GPU", 600)
    queries = np.ones((2, 3), np.float32)
    chosen: object = choose_scores(queries, 100)
    assert chosen == "cuda"
    assert isinstance(choose_scores(queries, 99), ProcessorScores)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert isinstance(choose_scores(queries, 100), ProcessorScores)


def test_the_precision_of_products_is_kept_as_it_was() -> None:
    torch = pytest.importorskip("torch")
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        thresholds = Thresholds(*(np.empty(0, np.int64),) * 3, (np.empty(0, np.int64),) * 2)  # type: ignore[arg-type]
        counts_by(
            "torch", np.eye(2, dtype=np.float32), slice(0, 2), DocumentBlock(0, np.eye(2, dtype=np.float32)), thresholds
        )
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False
