"""Vectors of contents: loading them in batches, leaving out malformed ones, and keeping spaces apart."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, insert, update

from store import Library
from store.catalog import id_sets
from store.catalog.tables import Embedding, Picture, PictureState
from store.check import verify
from store.library import mark_changed
from store.queries import count_by_state
from store.spaces import index_cache
from store.spaces.embeddings import find_file_vector, is_embedded, load_vector, load_vectors, searchable_ids
from store.spaces.registry import StoredSpace, register

Put = Callable[..., list[int]]
Unit = Callable[[int], NDArray[np.float32]]


@pytest.fixture(params=[2, 5_000])
def batch_sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several statements, and a single one."""
    monkeypatch.setattr(id_sets, "MAX_VARIABLES", request.param)


@pytest.mark.usefixtures("batch_sizes")
def test_load_vectors_returns_rows_in_the_order_of_the_ids(
    library: Library, stored: StoredSpace, put: Put, unit: Unit
) -> None:
    ids = put(*range(7))
    order = [*ids[::-1], ids[3]]
    vectors = load_vectors(library, stored, np.array([*order, 999], np.int64))
    for vector, content_id in zip(vectors, order, strict=False):
        np.testing.assert_array_equal(vector, unit(ids.index(content_id)).astype("<f2"))
    assert np.isnan(vectors[-1]).all()


@pytest.mark.usefixtures("batch_sizes")
def test_malformed_vectors_are_left_out(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = put(*range(5))
    with library.transaction() as connection:
        for content_id, blob in zip(ids[:3], (b"", b"\0" * 27, np.full(13, np.nan, "<f2").tobytes()), strict=True):
            connection.execute(update(Embedding).where(Embedding.content_id == content_id).values(vector=blob))
    vectors = load_vectors(library, stored, np.array(ids, np.int64))
    assert np.isnan(vectors).all(axis=1).tolist() == [True, True, True, False, False]
    assert load_vector(library, stored, ids[0]) is None
    assert find_file_vector(library, stored, (0).to_bytes(32)) is None
    assert find_file_vector(library, stored, (4).to_bytes(32)) is not None
    assert find_file_vector(library, stored, b"?" * 32) is None


def test_searchable_contents_are_embedded_and_present(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = put(1, 2, 3)
    put(4, state=PictureState.MISSING)
    with library.transaction() as connection:
        connection.execute(delete(Embedding).where(Embedding.content_id == ids[0]))
        connection.execute(update(Picture).where(Picture.content_id == ids[1]).values(state=PictureState.FAILED))
        mark_changed(connection)
    with library.read() as connection:
        assert searchable_ids(connection, stored).tolist() == [ids[2]]
    assert is_embedded(library, stored, (3).to_bytes(32))
    assert not is_embedded(library, stored, (1).to_bytes(32))
    assert count_by_state(library) == {PictureState.PRESENT: 2, PictureState.MISSING: 1, PictureState.FAILED: 1}


def test_spaces_of_the_same_dimension_are_never_mixed(
    library: Library, stored: StoredSpace, put: Put, unit: Unit
) -> None:
    ids = put(1, 2, 3)
    with library.transaction() as connection:
        other = register(connection, replace(stored.space, weights="others"))
        rows = [
            {"space_id": other.id, "content_id": content_id, "vector": other.to_bytes(-unit(number))}
            for number, content_id in enumerate(ids[:2], start=1)
        ]
        connection.execute(insert(Embedding), rows)
        mark_changed(connection)
    for space, sign, expected in ((stored, 1, ids), (other, -1, ids[:2])):
        published = index_cache.publish(library, space)
        assert sorted(published.index.ids()) == expected
        with library.read() as connection:
            assert searchable_ids(connection, space).tolist() == expected
        assert is_embedded(library, space, (3).to_bytes(32)) == (space is stored)
        found = find_file_vector(library, space, (2).to_bytes(32))
        assert found is not None
        assert found.content_id == ids[1]
        np.testing.assert_array_equal(found.vector, (sign * unit(2)).astype("<f2"))
        assert published.index.search(sign * unit(2)[None], 1).ids[0, 0] == ids[1]
    assert verify(library) == []
