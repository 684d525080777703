"""Fixtures that insert pictures with known vectors into a catalogue, without reading files."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.space import Space
from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import PictureState
from store.roots import ensure_root
from store.spaces.registry import StoredSpace, activate, register
from tests.support.writers import insert_pictures

Unit = Callable[[int], NDArray[np.float32]]


@pytest.fixture
def unit() -> Unit:
    """Return a function from a content number to its unit vector (13,)."""

    def vector(number: int) -> NDArray[np.float32]:
        raw = np.random.default_rng(number).normal(size=13)
        return np.asarray(raw / np.linalg.norm(raw), np.float32)

    return vector


@pytest.fixture(params=["float16"])
def stored(library: Library, request: pytest.FixtureRequest) -> StoredSpace:
    """An active space of 13 dimensions with float16 vectors, or the data type of an indirect parameter."""
    space: Space = FakeEncoder().space
    with library.transaction() as connection:
        made = register(connection, space, dtype=request.param)
        activate(connection, made)
    return made


@pytest.fixture
def put(library: Library, stored: StoredSpace, unit: Unit) -> Callable[..., list[int]]:
    """Return a function that inserts pictures by number, each with a content, and returns the content IDs."""
    with library.exclusive() as writer:
        place = ensure_root(writer, library.path.parent / "photos")

    def add(*numbers: int, state: PictureState = PictureState.PRESENT) -> list[int]:
        vectors = {number: unit(number) for number in numbers}
        with library.transaction() as connection:
            return insert_pictures(connection, stored, place.root_id, vectors, state)

    return add
