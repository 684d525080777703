"""A search among many of the vectors returns the same as a comparison with each of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from store.spaces import broad_search
from store.spaces.flat_index import FlatIndex

N, DIM, BLOCK = 3_000, 16, 256


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broad_search, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(broad_search, "SPARE", 4)
    monkeypatch.setattr(broad_search, "MAX_BEST", 0.5)


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    raw = np.random.default_rng(1).normal(size=(N, DIM))
    raw[500:900] = raw[500] + 0.05 * np.random.default_rng(2).normal(size=(400, DIM))  # nearly equal, close together
    return np.asarray((raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float16), np.float32)


@pytest.fixture(scope="module")
def index(vectors: NDArray[np.float32]) -> FlatIndex:
    index = FlatIndex(DIM)
    index.add(np.arange(N, dtype=np.int64), vectors)
    return index


def filters(scores: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
    """Filters that keep about half of the vectors, some of them without any relation to the query."""
    rng, order = np.random.default_rng(3), np.argsort(-scores)
    without_best, only_best = np.ones(N, np.bool_), np.zeros(N, np.bool_)
    without_best[order[: N // 2]] = False
    only_best[order[: N // 2]] = True
    middle = np.ones(N, np.bool_)
    middle[order[5:1400]] = False
    return {
        "random": rng.random(N) < 0.5,
        "most": rng.random(N) < 0.9,
        "without the best half": without_best,
        "only the best half": only_best,
        "the five best and the worst": middle,
        "the last blocks": np.arange(N) >= N // 2,
        "every other block": np.arange(N) // BLOCK % 2 == 0,
        "one of a block": np.arange(N) % BLOCK != BLOCK - 1,
    }


@pytest.mark.parametrize("k", [1, 10, 77, 500])
@pytest.mark.parametrize("seed", range(4))
def test_every_filter_agrees_with_brute_force(
    index: FlatIndex, vectors: NDArray[np.float32], k: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = vectors[500].copy() if seed == 3 else np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    query /= np.linalg.norm(query)
    monkeypatch.setattr("store.spaces.flat_index.is_broad", lambda *_: True)
    scores = np.minimum(vectors @ query, 1)
    for name, kept in filters(scores).items():
        among = np.flatnonzero(kept)
        expected = np.sort(scores[among])[::-1][:k]
        found = index.search(query[None], k, among)
        assert found.ids.shape == (1, min(k, len(among))), name
        assert kept[found.ids].all(), name
        assert len(np.unique(found.ids)) == found.ids.shape[1], name
        np.testing.assert_allclose(found.scores[0], expected, atol=1e-6, err_msg=name)
        np.testing.assert_allclose(scores[found.ids[0]], found.scores[0], atol=1e-6, err_msg=name)


def test_scores_are_bit_identical_to_those_of_a_search_among_all(
    index: FlatIndex, vectors: NDArray[np.float32]
) -> None:
    queries = vectors[[3, 700, 2999]]
    among = np.flatnonzero(np.arange(N) % 3 != 1)
    assert broad_search.is_broad(len(among), N, 20)
    all_scores = index.search(queries, N)
    for row, query in enumerate(queries):
        by_id = dict(zip(all_scores.ids[row].tolist(), all_scores.scores[row].tolist(), strict=True))
        found = index.search(query[None], 20, among)
        assert [by_id[frame] for frame in found.ids[0].tolist()] == found.scores[0].tolist()


def test_several_queries_find_what_each_finds_alone(index: FlatIndex, vectors: NDArray[np.float32]) -> None:
    queries = np.concatenate([vectors[495:505], np.random.default_rng(8).normal(size=(10, DIM)).astype(np.float32)])
    among = np.setdiff1d(np.arange(N), np.arange(480, 900, 2))
    together = index.search(queries, 30, among)
    for row, query in enumerate(queries):
        alone = index.search(query[None], 30, among)
        np.testing.assert_array_equal(together.scores[row], alone.scores[0])


def test_only_large_parts_are_searched_block_by_block() -> None:
    assert broad_search.is_broad(N // 2, N, 10)
    assert not broad_search.is_broad(N // 5, N, 10)
    assert not broad_search.is_broad(N, N, 10)
    assert not broad_search.is_broad(BLOCK // 2, BLOCK, 10)
    assert not broad_search.is_broad(N // 2, N, 501)


def test_the_index_can_be_searched_while_its_copy_is_changed(index: FlatIndex, vectors: NDArray[np.float32]) -> None:
    other, among = index.copy(), np.arange(0, N, 2)
    before = index.search(vectors[:1], 5, among)
    assert other.remove(among[:100]) == 100
    found = other.search(vectors[:1], 5, among)
    assert not np.isin(found.ids, among[:100]).any()
    np.testing.assert_array_equal(index.search(vectors[:1], 5, among).ids, before.ids)
