"""Index engines with a mirror on a device answer as `FlatIndex` does. The device is the processor here."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from store.spaces import mirrored_index, torch_index
from store.spaces.faiss_build import faiss_build
from store.spaces.faiss_gpu_index import FaissGpuIndex, FaissMirror
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE, index_engine
from store.spaces.mirrored_index import Mirror, MirroredIndex
from store.spaces.torch_index import INDEX_DEVICE_VARIABLE, TorchIndex
from tests.support.vectors import unit_vectors

torch = pytest.importorskip("torch")

DIM = 12


class FaissIndex(MirroredIndex):
    """The mirror of FAISS with an index on the processor in the place of one on a GPU."""

    def _make_mirror(self, flat: FlatIndex) -> Mirror:
        import faiss

        return FaissMirror(flat, faiss.IndexFlatIP(flat.dim), block=7)


@pytest.fixture(autouse=True)
def always_on_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the device for small indexes and subsets, too, in blocks that are smaller than the index."""
    monkeypatch.setenv(INDEX_DEVICE_VARIABLE, "cpu")
    monkeypatch.setattr(mirrored_index, "ROWS_PER_CANDIDATE", 0)
    monkeypatch.setattr(mirrored_index, "SMALL_SUBSET_FACTOR", 10**9)
    monkeypatch.setattr(torch_index, "BLOCK_NUMBERS", 9 * DIM)
    monkeypatch.setattr(torch_index, "MAX_QUERIES", 2)


@pytest.fixture(params=[TorchIndex, FaissIndex])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["float16", "float32"])
def dtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def same_as_flat(index: MirroredIndex, flat: FlatIndex, queries: NDArray[np.float32], k: int, among: Any) -> None:
    """Require equal answers, bit by bit."""
    found, expected = index.search(queries, k, among), flat.search(queries, k, among)
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.ids.shape == expected.ids.shape
    for row in range(len(queries)):
        # Where scores are equal, either order is right, and any of those equal to the last one.
        last = expected.scores[row, -1] if expected.scores.shape[1] else 0
        certain = expected.scores[row] > last
        assert set(found.ids[row, certain]) == set(expected.ids[row, certain])
    assert index.fault is None


def built(engine: Any, dtype: str, rows: int = 60, seed: int = 1) -> tuple[MirroredIndex, FlatIndex]:
    pair = engine(DIM, dtype), FlatIndex(DIM, dtype)
    for index in pair:
        index.add(np.arange(rows, dtype=np.int64) * 3 + 100, unit_vectors(rows, DIM, seed=seed))
    return pair


QUERIES = np.asarray(unit_vectors(5, DIM, seed=9), np.float32)


@pytest.mark.parametrize("k", [1, 3, 40, 1_000])
@pytest.mark.parametrize("step", [None, 2, 25])
def test_answers_are_those_of_the_processor(engine: Any, dtype: str, k: int, step: int | None) -> None:
    index, flat = built(engine, dtype)
    among = None if step is None else np.append(flat.ids()[::step], [-5, 10_000])  # unknown IDs are ignored
    same_as_flat(index, flat, QUERIES, k, among)


@pytest.mark.parametrize("lowest", [-1.0, -0.2, 0.3, 2.0])
@pytest.mark.parametrize("step", [None, 3])
def test_ranges_are_those_of_the_processor(engine: Any, dtype: str, lowest: float, step: int | None) -> None:
    index, flat = built(engine, dtype)
    among = None if step is None else flat.ids()[::step]
    found, expected = (each.search_range(QUERIES[0], lowest, among) for each in (index, flat))
    assert dict(zip(found[1].tolist(), found[0].tolist(), strict=True)) == dict(
        zip(expected[1].tolist(), expected[0].tolist(), strict=True)
    )
    exact = float(flat.search(QUERIES[:1], 10, among).scores[0, -1])  # a limit that a vector just reaches
    assert set(index.search_range(QUERIES[0], exact, among)[1]) == set(flat.search_range(QUERIES[0], exact, among)[1])


def test_an_empty_index_and_an_empty_subset_return_nothing(engine: Any, dtype: str) -> None:
    index = engine(DIM, dtype)
    assert index.search(QUERIES, 3).ids.shape == (5, 0)
    assert len(index.search_range(QUERIES[0], 0.0)[1]) == 0
    index, _ = built(engine, dtype)
    nothing = np.empty(0, np.int64)
    assert index.search(QUERIES, 3, nothing).ids.shape == (5, 0)
    assert index.search(QUERIES, 0).ids.shape == (5, 0)
    assert index.search(QUERIES, 3, np.array([7], np.int64)).ids.shape == (5, 0)  # no ID that is in the index
    assert len(index.search_range(QUERIES[0], 0.0, nothing)[1]) == 0


def test_queries_of_wrong_shape_are_rejected(engine: Any) -> None:
    index, _ = built(engine, "float16")
    with pytest.raises(ValueError, match="shape"):
        index.search(QUERIES[0], 3)
    with pytest.raises(ValueError, match="shape"):
        index.search_range(QUERIES, 0.5)


def test_more_equal_vectors_than_candidates_are_any_of_them(engine: Any, dtype: str) -> None:
    index, flat = built(engine, dtype)
    for each in (index, flat):
        each.add(np.arange(1_000, 1_100, dtype=np.int64), np.repeat(QUERIES[:1], 100, axis=0))
    same_as_flat(index, flat, QUERIES, 7, None)
    ids = index.search(QUERIES[:1], 7).ids[0]
    assert len(set(ids.tolist())) == 7
    assert (ids >= 1_000).all()


@pytest.mark.parametrize("mapped", [False, True])
def test_the_file_is_that_of_a_flat_index(engine: Any, dtype: str, tmp_path: Path, mapped: bool) -> None:
    index, flat = built(engine, dtype)
    index.write(tmp_path / "mirrored.faiss")
    flat.write(tmp_path / "flat.faiss")
    assert (tmp_path / "mirrored.faiss").read_bytes() == (tmp_path / "flat.faiss").read_bytes()
    read = engine.read(tmp_path / "flat.faiss", mapped=mapped)
    assert read.dim == DIM
    np.testing.assert_array_equal(read.ids(), flat.ids())
    np.testing.assert_array_equal(read.vectors(2, 9), flat.vectors(2, 9))
    same_as_flat(read, flat, QUERIES, 9, None)
    changed = read.copy()  # also of a mapped index
    changed.add(np.array([7], np.int64), QUERIES[:1])
    assert changed.search(QUERIES[:1], 1).ids.tolist() == [[7]]
    same_as_flat(read, flat, QUERIES, 9, None)  # which is not changed with its copy


class Change(NamedTuple):
    action: str
    numbers: list[int]


VECTORS = np.asarray(unit_vectors(40, DIM, seed=5), np.float32)
VECTORS[20:30] = VECTORS[:10]  # duplicates
NUMBERS = st.lists(st.integers(0, 39), unique=True, max_size=40)
CHANGES = st.lists(st.builds(Change, st.sampled_from(["add", "remove", "copy", "search"]), NUMBERS), max_size=8)


@settings(deadline=None, max_examples=60)
@given(changes=CHANGES, k=st.integers(1, 50), among=st.none() | NUMBERS, dtype=st.sampled_from(["float16", "float32"]))
def test_any_changes_leave_the_answers_of_the_processor(
    changes: list[Change], k: int, among: list[int] | None, dtype: str
) -> None:
    index, flat = TorchIndex(DIM, dtype), FlatIndex(DIM, dtype)
    for action, numbers in changes:
        ids = np.array(numbers, np.int64)
        if action == "add":
            new = np.setdiff1d(ids, flat.ids())
            for each in (index, flat):
                each.add(new, VECTORS[new])
        elif action == "remove":
            assert index.remove(ids) == flat.remove(ids)
        elif action == "copy":
            index = index.copy()
        else:
            same_as_flat(index, flat, VECTORS[ids], 3, None) if numbers else None
    np.testing.assert_array_equal(index.ids(), flat.ids())
    same_as_flat(index, flat, QUERIES, k, None if among is None else np.array(among, np.int64))


@pytest.mark.parametrize("step", ["upload", "search"])
def test_too_little_memory_moves_all_searches_to_the_processor(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index, flat = built(TorchIndex, "float16")
    tried = list[str]()

    def fails(*_: Any, **__: Any) -> None:
        tried.append(step)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(torch_index.TorchMirror, "__init__" if step == "upload" else "best", fails)
        for _ in range(2):  # the second one does not try again
            found, expected = index.search(QUERIES, 4), flat.search(QUERIES, 4)
            np.testing.assert_array_equal(found.ids, expected.ids)
    assert tried == [step]
    assert index._mirror is None
    assert index.fault == "CUDA out of memory. Tried to allocate 2.00 GiB"
    np.testing.assert_array_equal(index.search(QUERIES, 4).ids, expected.ids)
    np.testing.assert_array_equal(
        np.sort(index.search_range(QUERIES[0], 0.1)[1]), np.sort(flat.search_range(QUERIES[0], 0.1)[1])
    )
    same_as_flat(index.copy(), flat, QUERIES, 4, None)  # which has memory, and starts without the fault


def test_a_device_that_does_not_exist_moves_all_searches_to_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine, device in ((TorchIndex, "cuda:99"), (TorchIndex, "nonsense"), (FaissGpuIndex, "cpu")):
        monkeypatch.setenv(INDEX_DEVICE_VARIABLE, device)
        if engine is FaissGpuIndex and faiss_build().gpus:
            continue
        index, flat = built(engine, "float16")
        np.testing.assert_array_equal(index.search(QUERIES, 4).ids, flat.search(QUERIES, 4).ids)
        assert index.fault


def test_searches_for_many_results_and_in_small_subsets_stay_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    index, flat = built(TorchIndex, "float16", rows=4_000)
    monkeypatch.setattr(TorchIndex, "_make_mirror", lambda *_: pytest.fail("the device was used"))
    for k, among in ((60, None), (5, flat.ids()[:80])):
        np.testing.assert_array_equal(index.search(QUERIES, k, among).ids, flat.search(QUERIES, k, among).ids)
    index.search_range(QUERIES[0], 0.5, flat.ids()[:80])


def test_an_index_that_waits_for_pytorch_does_not_import_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    _, flat = built(TorchIndex, "float16")
    index = TorchIndex.when_imported(flat).copy()
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "torch")
        index.search(QUERIES, 3)
        assert "torch" not in sys.modules
    assert index._mirror is None
    index.search(QUERIES, 3)
    assert index._mirror is not None


def test_engines_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, engine in (("torch", TorchIndex), ("faiss-gpu", FaissGpuIndex), ("flat", FlatIndex)):
        monkeypatch.setenv(ENGINE_VARIABLE, name)
        assert index_engine() is engine


def test_stored_vectors_are_the_memory_of_the_index(dtype: str) -> None:
    _, flat = built(TorchIndex, dtype)
    assert flat.stored().dtype == dtype
    np.testing.assert_array_equal(flat.stored(), flat.vectors())
