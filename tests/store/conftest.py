"""Fixtures that insert pictures with known vectors into a catalogue, without reading files."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import insert

from core.space import Space
from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState
from store.library import mark_changed
from store.roots import ensure_root
from store.spaces.registry import StoredSpace, activate, register

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
        ids = []
        with library.transaction() as connection:
            for number in numbers:
                values = {"digest": number.to_bytes(32), "size": 1, "format": "PNG", "width": 8, "height": 8}
                content_id = connection.execute(insert(Content).values(values).returning(Content.id)).scalar_one()
                blob = stored.to_bytes(unit(number))
                connection.execute(insert(Embedding).values(space_id=stored.id, content_id=content_id, vector=blob))
                connection.execute(
                    insert(Picture).values(
                        root_id=place.root_id,
                        relpath=b"%04d.png" % number,
                        size=1,
                        mtime_ns=1,
                        content_id=content_id,
                        state=state,
                    )
                )
                ids.append(content_id)
            mark_changed(connection)
        return ids

    return add
