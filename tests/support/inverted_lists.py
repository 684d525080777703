"""What the tests of inverted lists share: the index of a library, and the exact one to compare it with."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from store import Library
from store.spaces import index_cache
from store.spaces.flat_index import FlatIndex
from store.spaces.layered_index import LayeredIndex
from store.spaces.registry import StoredSpace
from tests.support.announced import index_files

__all__ = ["Fill", "N", "exact_index", "layered", "queries", "suffixes"]

N = 600

Fill = Callable[[int], list[int]]


def layered(library: Library, stored: StoredSpace) -> LayeredIndex:
    """Return the published index, which must have layers."""
    current = index_cache.load(library, stored)
    assert (current.published, current.fault) == (True, None)
    assert isinstance(current.index, LayeredIndex)
    return current.index


def exact_index(library: Library, stored: StoredSpace) -> FlatIndex:
    """Return the same vectors in a flat index, from the catalogue."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_cache, "announced_file", lambda *_: None)
        index = index_cache.load(library, stored).index
    assert isinstance(index, FlatIndex)
    return index


def queries(stored: StoredSpace, number: int = 20) -> NDArray[np.float32]:
    """Return random unit vectors (number, D)."""
    raw = np.random.default_rng(9).normal(size=(number, stored.space.dim))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


def suffixes(library: Library) -> set[str]:
    """Return the types of the index files."""
    return {path.suffix for path in index_files(library)}
