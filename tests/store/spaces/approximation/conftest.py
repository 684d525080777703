"""A library whose pictures are in clusters, and which has inverted lists."""

import numpy as np
import pytest

from store import Library
from store.roots import ensure_root
from store.spaces.approximation import update_approximation
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.registry import StoredSpace
from tests.support.inverted_lists import Fill, N
from tests.support.writers import insert_pictures, publish


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use inverted lists from 400 vectors."""
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:400")


@pytest.fixture
def fill(library: Library, stored: StoredSpace) -> Fill:
    """Return a function that inserts so many more pictures, in clusters, and returns their content IDs."""
    with library.exclusive() as writer:
        place = ensure_root(writer, library.path.parent / "photos")
    centres = np.random.default_rng(0).normal(size=(30, stored.space.dim))
    last = [0]

    def add(number: int) -> list[int]:
        rng = np.random.default_rng(last[0])
        raw = centres[rng.integers(0, 30, number)] + 0.3 * rng.normal(size=(number, stored.space.dim))
        vectors = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        names = range(last[0], last[0] + number)
        last[0] += number
        with library.transaction() as connection:
            return insert_pictures(connection, stored, place.root_id, dict(zip(names, vectors, strict=True)))

    return add


@pytest.fixture
def built(library: Library, stored: StoredSpace, fill: Fill) -> list[int]:
    """The content IDs of a library with inverted lists."""
    ids = fill(N)
    publish(library, stored)
    assert update_approximation(library, stored)
    return ids
