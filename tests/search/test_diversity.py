"""Diverse ranking, compared with the definition of maximal marginal relevance."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidQuery
from encoders.fake import FakeEncoder
from indexer import index
from search import Filters, Searcher, SearchOptions
from search.diversity import diverse_order, rescaled
from store import Library

Paint = Callable[..., Path]


def slow_mmr(scores: Sequence[float], vectors: np.ndarray, k: int, balance: float) -> list[int]:
    """Maximal marginal relevance, written like its definition."""
    chosen: list[int] = []
    while len(chosen) < min(k, len(scores)):
        left = [row for row in range(len(scores)) if row not in chosen]

        def merit(row: int) -> float:
            if not chosen:
                return float(scores[row])
            return balance * scores[row] - (1 - balance) * max(float(vectors[row] @ vectors[other]) for other in chosen)

        chosen.append(max(left, key=lambda row: (round(merit(row), 6), -row)))
    return chosen


@given(st.integers(0, 500), st.integers(1, 12), st.integers(1, 14), st.floats(0, 1))
def test_diverse_order_equals_definition(seed: int, n: int, k: int, balance: float) -> None:
    vectors = np.random.default_rng(seed).standard_normal((n, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = (vectors @ vectors[0]).astype(np.float64)
    assert diverse_order(scores, vectors, k, balance) == slow_mmr(scores.tolist(), vectors, k, balance)


def test_diversity_prefers_relevant_over_merely_different() -> None:
    scores = np.array([0.30, 0.29, 0.28, 0.05])  # as texts score: all low, and the last is not relevant
    vectors = np.array([[1, 0, 0], [0.8, 0.6, 0], [0.99, 0.141, 0], [0, 0, 1]], np.float32)
    assert diverse_order(scores, vectors, 2, 0.5) == [0, 3]
    np.testing.assert_allclose(rescaled(scores), [1, 0.96, 0.92, 0])
    assert diverse_order(rescaled(scores), vectors, 2, 0.5) == [0, 1]
    assert rescaled(np.array([0.2, 0.2])).tolist() == [1, 1]


def test_diverse_search_includes_other_cluster(searcher: Searcher, library: Library, album: Path, paint: Paint) -> None:
    for shade in range(245, 255):
        paint(album / f"{shade}.png", (shade, 0, 0))
    index(library, [album], FakeEncoder())
    alike = searcher.search("red", k=3)
    mixed = searcher.search("red", SearchOptions(k=3, diverse=0.3))
    assert {hit.path.stem for hit in alike} <= {"red", *map(str, range(245, 255))}
    assert {"green", "blue"} & {hit.path.stem for hit in mixed}
    assert [hit.rank for hit in mixed] == [1, 2, 3]
    assert mixed.next_cursor is None
    assert [hit.id for hit in searcher.search("red", SearchOptions(k=3, diverse=1))] == [hit.id for hit in alike]
    with pytest.raises(InvalidQuery):
        searcher.search("red", SearchOptions(diverse=1.5))
    with pytest.raises(InvalidQuery, match="one page"):
        searcher.search("red", SearchOptions(diverse=0.5, cursor="x"))
    assert (
        searcher.search("red", SearchOptions(diverse=0.5, filters=Filters(within=(album / "more",))))[0].path.stem
        == "yellow"
    )
