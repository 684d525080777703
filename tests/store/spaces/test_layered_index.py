"""A layered index after any changes: filters and ranges equal brute force, and approximate rankings are never short."""

import numpy as np
import pytest
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces import broad_search, layered_index
from store.spaces.flat_index import FlatIndex
from store.spaces.inverted_lists import InvertedLists
from store.spaces.layered_index import LayeredIndex

N, DIM, LISTS, CLUSTERS = 2_000, 12, 32, 20


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    """N vectors in clusters that lie together; the first half is the base."""
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(CLUSTERS, DIM))
    raw = centres[np.arange(N) % (N // 2) * CLUSTERS // (N // 2)] + 0.2 * rng.normal(size=(N, DIM))
    return np.asarray((raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float16), np.float32)


@pytest.fixture
def index(vectors: NDArray[np.float32]) -> LayeredIndex:
    base = FlatIndex(DIM)
    base.add(np.arange(N // 2, dtype=np.int64), vectors[: N // 2])
    lists = InvertedLists.trained(vectors[: N // 2], LISTS)
    lists.add(vectors[: N // 2])
    return LayeredIndex(base, FlatIndex(DIM), np.empty(0, np.int64), lists, probes=1)


def brute_force(
    index: LayeredIndex, vectors: NDArray[np.float32], query: NDArray[np.float32], among: Ids
) -> list[float]:
    """The scores of the vectors in the index and in `among`, best first."""
    kept = np.intersect1d(index.ids(), among)
    return list(np.sort(np.minimum(vectors[kept] @ query, 1))[::-1])


@pytest.mark.parametrize("seed", range(8))
def test_filters_and_ranges_equal_brute_force_after_any_changes(
    index: LayeredIndex, vectors: NDArray[np.float32], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broad_search, "BLOCK_ROWS", 100)
    monkeypatch.setattr(broad_search, "MAX_BEST", 0.5)
    monkeypatch.setattr("store.spaces.flat_index.RANGE_STEPS", (10, 100))
    rng = np.random.default_rng(seed)
    outside = np.arange(N // 2, N)
    for _ in range(3):
        index.remove(rng.choice(index.ids(), rng.integers(1, 300), replace=False))
        new = rng.choice(np.setdiff1d(outside, index.ids()), rng.integers(1, 200), replace=False)
        index.add(new, vectors[new])
        query = vectors[rng.integers(N)].copy()
        together = np.arange(rng.integers(N), N)
        best_first = index.ids()[np.argsort(-(vectors[index.ids()] @ query))]
        for among in (
            rng.permutation(N)[: rng.integers(1, N)],
            together,
            np.sort(best_first[rng.integers(len(best_first)) :]),  # without the best
            np.sort(best_first[: rng.integers(1, len(best_first))]),
            np.array([N + 5, -3]),
        ):
            expected = brute_force(index, vectors, query, among)
            for k in (1, 10, 150, N):
                found = index.search(query[None], k, among)
                assert found.complete
                assert np.isin(found.ids, among).all()
                np.testing.assert_allclose(found.scores[0], expected[:k], atol=1e-6)
            for lowest in (0.1, 0.9):
                scores, ids = index.search_range(query, lowest, among)
                assert np.isin(ids, among).all()
                assert np.isin(ids, index.ids()).all()
                np.testing.assert_allclose(
                    np.sort(scores)[::-1], [score for score in expected if score >= lowest], atol=1e-6
                )


def test_more_lists_are_read_where_the_nearest_are_empty(
    index: LayeredIndex, vectors: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered_index, "CANDIDATES", 60)
    query = vectors[0]
    order = np.argsort(-(vectors[: N // 2] @ query))
    gone, rest = order[:400], order[400:]
    index.remove(gone)
    assert index.lists is not None
    assert (index.lists.propose(query[None], 60, 1, index._live_bits) >= 0).sum() < 60
    found = index.search(query[None], 50)
    assert not found.complete
    assert found.ids.shape == (1, 50)
    assert not np.isin(found.ids, gone).any()
    assert np.isin(found.ids[0, :10], rest[:60]).mean() >= 0.9


def test_many_additions_do_not_hide_the_base(
    index: LayeredIndex, vectors: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered_index, "CANDIDATES", 60)
    query = vectors[0]
    order = np.argsort(-(vectors[: N // 2] @ query))
    index.remove(order[:400])
    worst = np.argsort(vectors[N // 2 :] @ query)[:100] + N // 2
    index.add(worst, vectors[worst])
    found = index.search(query[None], 20)
    assert not np.isin(found.ids, worst).any()


@pytest.mark.parametrize("left", [0, 1, 7])
def test_an_index_with_fewer_vectors_than_results_returns_all(
    index: LayeredIndex, vectors: NDArray[np.float32], left: int
) -> None:
    index.remove(np.arange(left, N // 2))
    found = index.search(vectors[:3], 10)
    assert found.complete
    assert found.ids.shape == (3, left)
    assert set(found.ids.ravel().tolist()) == set(range(left))


def test_the_first_of_many_results_are_those_of_few(index: LayeredIndex, vectors: NDArray[np.float32]) -> None:
    index.remove(np.arange(0, N // 2, 3))
    long = index.search(vectors[:5], 200)
    assert not long.complete
    for k in (1, 10, 77):
        np.testing.assert_array_equal(index.search(vectors[:5], k).scores, long.scores[:, :k])


def test_a_range_is_searched_like_the_best(index: LayeredIndex, vectors: NDArray[np.float32]) -> None:
    """The same vector has the same score in both, so that pages by date and by relevance agree."""
    best = index.exact.search(vectors[:1], N)
    lowest = float(best.scores[0, 40])
    scores, ids = index.search_range(vectors[0], lowest)
    expected = {
        frame: score
        for frame, score in zip(best.ids[0].tolist(), best.scores[0].tolist(), strict=True)
        if score >= lowest
    }
    assert dict(zip(ids.tolist(), scores.tolist(), strict=True)) == expected
