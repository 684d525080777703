"""Index engines on a card answer as `FlatIndex` does. `make test-gpu` runs this."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.faiss_build import faiss_build
from store.spaces.faiss_gpu_index import FaissGpuIndex
from store.spaces.flat_index import FlatIndex
from store.spaces.mirrored_index import MirroredIndex
from store.spaces.torch_index import INDEX_DEVICE_VARIABLE, TorchIndex
from tests.support.vectors import unit_vectors

pytestmark = pytest.mark.gpu

ROWS, DIM = 200_000, 512


@pytest.fixture(autouse=True)
def on_card(card: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INDEX_DEVICE_VARIABLE, card)


@pytest.fixture(scope="module", params=["float16", "float32"])
def flat(request: pytest.FixtureRequest) -> FlatIndex:
    index = FlatIndex(DIM, request.param)
    index.add(np.arange(ROWS, dtype=np.int64)[::-1] * 2, unit_vectors(ROWS, DIM))
    return index


@pytest.fixture(params=["torch", "faiss-gpu"])
def index(request: pytest.FixtureRequest, flat: FlatIndex) -> MirroredIndex:
    if request.param == "torch":
        return TorchIndex.over(flat)
    if not faiss_build().gpus:
        pytest.skip("the installed FAISS cannot use a GPU")
    return FaissGpuIndex.over(flat)


def queries(count: int) -> NDArray[np.float32]:
    return np.asarray(unit_vectors(count, DIM, seed=7), np.float32)


@pytest.mark.parametrize("count", [1, 40, 1_500])
@pytest.mark.parametrize("step", [None, 3])
def test_answers_are_those_of_the_processor(
    index: MirroredIndex, flat: FlatIndex, count: int, step: int | None
) -> None:
    among: Ids | None = None if step is None else np.sort(flat.ids()[::step])
    found, expected = index.search(queries(count), 50, among), flat.search(queries(count), 50, among)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.ids, expected.ids)
    assert index.fault is None


def test_ranges_are_those_of_the_processor(index: MirroredIndex, flat: FlatIndex) -> None:
    found, expected = (each.search_range(queries(1)[0], 0.1) for each in (index, flat))
    assert len(expected[1]) > 100
    assert set(found[1].tolist()) == set(expected[1].tolist())
    assert index.fault is None


@pytest.mark.parametrize("spare", [64 << 20, 500 << 20])
def test_a_card_with_too_little_memory_is_not_used(flat: FlatIndex, limit_memory: Any, spare: int) -> None:
    """64 MiB are too few for the vectors; 500 MiB may be too few for a search of them."""
    index = TorchIndex.over(flat)
    limit_memory(spare)
    found, expected = index.search(queries(1_500), 50), flat.search(queries(1_500), 50)
    np.testing.assert_array_equal(found.ids, expected.ids)
    if spare < 100 << 20:
        assert "memory" in str(index.fault)
        assert index._mirror is None
