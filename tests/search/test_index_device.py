"""Which indexes are searched on a GPU."""

import numpy as np
import pytest

from encoders import machine
from search import index_device
from search.index_device import with_device
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.torch_index import TorchIndex
from tests.support.vectors import unit_vectors


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> FlatIndex:
    """An index that is just large enough, on a machine with a card."""
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    monkeypatch.setattr(index_device, "MIN_VECTORS", 5)
    monkeypatch.setattr(machine, "has_nvidia_card", lambda: True)
    index = FlatIndex(8)
    index.add(np.arange(5, dtype=np.int64), unit_vectors(5))
    return index


def test_a_large_index_is_searched_on_a_card(large: FlatIndex) -> None:
    found = with_device(large)
    assert isinstance(found, TorchIndex)
    np.testing.assert_array_equal(found.ids(), large.ids())
    assert with_device(found) is found


def test_a_small_index_is_searched_on_the_processor(large: FlatIndex) -> None:
    large.remove(np.array([0], np.int64))
    assert with_device(large) is large


def test_without_a_card_the_processor_is_used(large: FlatIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_nvidia_card", lambda: False)
    assert with_device(large) is large


def test_a_named_engine_is_used_as_it_is(large: FlatIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "flat")
    assert with_device(large) is large
