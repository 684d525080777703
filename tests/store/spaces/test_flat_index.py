"""FlatIndex compared with NumPy."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from store.spaces.flat_index import FlatIndex
from tests.support.vectors import unit_vectors

DIM = 24


def unit(rows: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def stored(vectors: NDArray[np.float32], dtype: str) -> NDArray[np.float32]:
    """The vectors rounded as the index stores them."""
    return vectors.astype(dtype).astype(np.float32)


@pytest.fixture(params=["float16", "float32"])
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


IDS = np.arange(1000, 1000 + 3 * 200, 3, dtype=np.int64)
VECTORS = unit(200, seed=1)
QUERIES = unit(5, seed=2)


@pytest.fixture
def index(dtype: str) -> FlatIndex:
    index = FlatIndex(DIM, dtype)
    index.add(IDS, VECTORS)
    return index


def brute_force(
    ids: NDArray[np.int64], vectors: NDArray[np.float32], k: int, dtype: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    scores = QUERIES @ stored(vectors, dtype).T  # (Q, N)
    order = np.argsort(-scores, axis=1)[:, :k]
    return np.take_along_axis(scores, order, axis=1), ids[order]


def test_search_agrees_with_numpy(index: FlatIndex, dtype: str) -> None:
    scores, ids = index.search(QUERIES, 10)
    expected_scores, expected_ids = brute_force(IDS, VECTORS, 10, dtype)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-6)


def test_search_is_restricted_to_the_given_ids(index: FlatIndex, dtype: str) -> None:
    among = np.concatenate([IDS[5:200:7], [-3, 999_999]])  # unknown IDs are ignored
    _, ids = index.search(QUERIES, 10, among)
    _, expected = brute_force(IDS[5:200:7], VECTORS[5:200:7], 10, dtype)
    np.testing.assert_array_equal(ids, expected)


def test_search_in_a_subset_smaller_than_k_returns_the_subset(index: FlatIndex) -> None:
    scores, ids = index.search(QUERIES, 10, IDS[:3])
    assert ids.shape == scores.shape == (5, 3)
    assert set(ids[0]) == set(IDS[:3])


def test_search_in_an_empty_subset_returns_nothing(index: FlatIndex) -> None:
    assert index.search(QUERIES, 10, np.empty(0, np.int64)).ids.shape == (5, 0)


def test_k_larger_than_the_index_returns_all(index: FlatIndex) -> None:
    scores, ids = index.search(QUERIES, 5_000)
    assert ids.shape == (5, 200)
    assert (np.sort(ids, axis=1) == IDS).all()
    assert (np.diff(scores, axis=1) <= 0).all()


def test_remove_keeps_the_ids_of_other_vectors(index: FlatIndex, dtype: str) -> None:
    gone = np.concatenate([IDS[::4], [7]])
    assert index.remove(gone) == 50
    rest = np.setdiff1d(np.arange(200), np.arange(0, 200, 4))
    assert len(index) == 150
    np.testing.assert_array_equal(np.sort(index.ids()), IDS[rest])
    _, ids = index.search(QUERIES, 20)
    np.testing.assert_array_equal(ids, brute_force(IDS[rest], VECTORS[rest], 20, dtype)[1])


def test_remove_ignores_unknown_ids(index: FlatIndex) -> None:
    assert index.remove(np.empty(0, np.int64)) == 0
    assert len(index) == 200


def test_vectors_are_returned_rounded_to_the_dtype(index: FlatIndex, dtype: str) -> None:
    np.testing.assert_array_equal(index.ids(), IDS)
    np.testing.assert_array_equal(index.vectors(), stored(VECTORS, dtype))


def test_empty_index_returns_nothing(dtype: str, tmp_path: Path) -> None:
    index = FlatIndex(DIM, dtype)
    index.add(np.empty(0, np.int64), np.empty((0, DIM), np.float32))
    assert index.search(QUERIES, 3).scores.shape == (5, 0)
    assert len(index.search_range(QUERIES[0], 0.5, IDS)[1]) == 0
    assert index.vectors().shape == (0, DIM)
    index.write(tmp_path / "empty.faiss")
    for mapped in (False, True):
        read = FlatIndex.read(tmp_path / "empty.faiss", mapped=mapped)
        assert len(read) == 0
        assert read.search(QUERIES, 3).ids.shape == (5, 0)


@pytest.mark.parametrize("mapped", [False, True])
def test_written_index_reads_back(index: FlatIndex, tmp_path: Path, mapped: bool) -> None:
    index.write(tmp_path / "a.faiss")
    read = FlatIndex.read(tmp_path / "a.faiss", mapped=mapped)
    assert read.dim == DIM
    np.testing.assert_array_equal(read.ids(), IDS)
    np.testing.assert_array_equal(read.vectors(), index.vectors())
    for among in (None, IDS[::3]):
        np.testing.assert_array_equal(read.search(QUERIES, 9, among).ids, index.search(QUERIES, 9, among).ids)


def test_mapped_index_is_read_only(index: FlatIndex, tmp_path: Path) -> None:
    index.write(tmp_path / "a.faiss")
    read = FlatIndex.read(tmp_path / "a.faiss")
    read.add(np.array([1], np.int64), VECTORS[:1])
    assert read.remove(IDS[:2]) == 2
    assert len(read) == 199
    mapped = FlatIndex.read(tmp_path / "a.faiss", mapped=True)
    with pytest.raises(ValueError, match="read-only"):
        mapped.add(np.array([1], np.int64), VECTORS[:1])
    with pytest.raises(ValueError, match="read-only"):
        mapped.remove(IDS[:1])


@pytest.mark.parametrize("shape", [(3, DIM), (2, DIM + 1), (2 * DIM,)])
def test_vectors_of_wrong_shape_are_rejected(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(ValueError, match="shape"):
        FlatIndex(DIM, dtype).add(np.array([1, 2], np.int64), np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(DIM,), (1, DIM - 1), (1, 1, DIM)])
def test_queries_of_wrong_shape_are_rejected(shape: tuple[int, ...], index: FlatIndex) -> None:
    with pytest.raises(ValueError, match="shape"):
        index.search(np.zeros(shape, np.float32), 3)


def test_scores_never_exceed_one(dtype: str) -> None:
    vectors = unit(500, seed=3)
    index = FlatIndex(DIM, dtype)
    index.add(np.arange(500), vectors)
    scores, ids = index.search(vectors, 1)
    np.testing.assert_array_equal(ids[:, 0], np.arange(500))
    assert scores.max() <= 1


def test_file_that_is_not_an_index_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.faiss").write_bytes(b"nothing of the kind")
    with pytest.raises((OSError, RuntimeError)):
        FlatIndex.read(tmp_path / "a.faiss")
    with pytest.raises((OSError, RuntimeError)):
        FlatIndex.read(tmp_path / "none.faiss", mapped=True)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_small_subset_is_scored_bit_identically(tmp_path: Path, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((400, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    written = FlatIndex(24, dtype)
    written.add(np.arange(400, dtype=np.int64)[::-1] * 3, vectors)  # IDs are not sorted
    written.remove(np.array([30, 33], np.int64))
    written.write(tmp_path / "index")
    queries = vectors[:3] + rng.standard_normal((3, 24)).astype(np.float32) / 10
    for index in (written, FlatIndex.read(tmp_path / "index", mapped=True)):
        for among in ([3, 30, 300, 600, 7], [30, 31], list(range(0, 40, 3)), [1197, 0, 1197]):
            few = np.array(among, np.int64)
            for query in queries:
                monkeypatch.setattr("store.spaces.flat_index.SMALL_SUBSET_FACTOR", 10**9)
                expected = index.search(query[None], 5, few)
                monkeypatch.setattr("store.spaces.flat_index.SMALL_SUBSET_FACTOR", 1)
                found = index.search(query[None], 5, few)
                np.testing.assert_array_equal(found.scores, expected.scores)
                np.testing.assert_array_equal(found.ids, expected.ids)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_search_range_agrees_with_numpy(dtype: str) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((200, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[7] = -vectors[0]  # in 16 bits possibly a little below -1
    index = FlatIndex(16, dtype)
    index.add(np.arange(200, dtype=np.int64), vectors)
    ranked = index.search(vectors[:1], 200)
    for lowest in (-1.0, 0.2, float(ranked.scores[0][40])):
        scores, ids = index.search_range(vectors[0], lowest)
        expected = {int(known) for known, score in zip(ranked.ids[0], ranked.scores[0], strict=True) if score >= lowest}
        assert set(ids.tolist()) == expected
        few = np.arange(0, 200, 7, dtype=np.int64)
        assert set(index.search_range(vectors[0], lowest, few)[1].tolist()) == expected & set(few.tolist())
        assert scores.max() <= 1
    assert len(index.search_range(vectors[0], -1, np.empty(0, np.int64))[1]) == 0
    with pytest.raises(ValueError, match="shape"):
        index.search_range(vectors, 0)


def test_a_copy_has_the_same_ids_and_is_changed_alone(index: FlatIndex) -> None:
    copy = index.copy()
    np.testing.assert_array_equal(copy.ids(), IDS)
    assert copy.remove(IDS[:3]) == 3
    np.testing.assert_array_equal(index.ids(), IDS)
    np.testing.assert_array_equal(copy.ids(), IDS[3:])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_stored_vectors_are_added_bit_by_bit(dtype: str) -> None:
    vectors = unit_vectors(50, 8, dtype)
    encoded, copied = FlatIndex(8, dtype), FlatIndex(8, dtype)
    encoded.add(np.arange(50), vectors.astype(np.float32))
    copied.add_stored(np.arange(20), vectors[:20])
    copied.add_stored(np.arange(20, 50), vectors[20:])
    assert np.array_equal(copied.stored(), encoded.stored())
    assert np.array_equal(copied.ids(), encoded.ids())
    query = np.asarray(unit_vectors(1, 8, seed=1), np.float32)
    assert copied.search(query, 5).scores.tolist() == encoded.search(query, 5).scores.tolist()
    with pytest.raises(ValueError, match="stored"):
        copied.add_stored(np.arange(1), unit_vectors(1, 8, "float64"))
