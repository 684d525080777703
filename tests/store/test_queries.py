"""Questions to the catalogue, also when they need more than one statement."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, insert, update

from store import Library, queries
from store.catalog.tables import Embedding, Picture, State
from store.check import verify
from store.library import bump
from store.spaces import index_cache
from store.spaces.registry import StoredSpace, register

Put = Callable[..., list[int]]
Unit = Callable[[int], NDArray[np.float32]]


@pytest.fixture(params=[2, 5_000])
def statements(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small statements, and one that asks for everything."""
    monkeypatch.setattr(queries, "VARIABLES", request.param)


@pytest.mark.usefixtures("statements")
def test_vectors_come_with_their_ids(library: Library, stored: StoredSpace, put: Put, unit: Unit) -> None:
    ids = put(*range(7))
    wanted = np.array([*ids[::-1], 999], np.int64)
    with library.read() as connection:
        batches = list(queries.embeddings(connection, stored, wanted))
    found = {
        int(content_id): vector for some, vectors in batches for content_id, vector in zip(some, vectors, strict=True)
    }
    assert set(found) == set(ids)
    for number, content_id in enumerate(ids):
        np.testing.assert_array_equal(found[content_id], unit(number).astype("<f2"))


@pytest.mark.usefixtures("statements")
def test_malformed_vectors_are_left_out(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = put(*range(5))
    with library.write() as connection:
        for content_id, blob in zip(ids[:3], (b"", b"\0" * 27, np.full(13, np.nan, "<f2").tobytes()), strict=True):
            connection.execute(update(Embedding).where(Embedding.content_id == content_id).values(vector=blob))
    with library.read() as connection:
        batches = list(queries.embeddings(connection, stored, np.array(ids, np.int64)))
        assert sorted(int(i) for some, _ in batches for i in some) == ids[3:]
        assert queries.stored_vector(connection, stored, (0).to_bytes(32)) is None
        assert queries.stored_vector(connection, stored, (4).to_bytes(32)) is not None
        assert queries.stored_vector(connection, stored, b"?" * 32) is None


@pytest.mark.usefixtures("statements")
def test_contents_are_described_with_their_files(library: Library, put: Put) -> None:
    ids = put(*range(5))
    (gone,) = put(9, state=State.MISSING)
    with library.read() as connection:
        found = queries.describe(connection, [*ids, gone, 999])
        assert queries.describe(connection, []) == {}
    assert set(found) == set(ids)
    assert found[ids[3]].paths == (library.path.parent / "photos" / "0003.png",)
    assert (found[ids[3]].width, found[ids[3]].format) == (8, "PNG")


def test_what_can_be_found_is_embedded_and_present(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = put(1, 2, 3)
    put(4, state=State.MISSING)
    with library.write() as connection:
        connection.execute(delete(Embedding).where(Embedding.content_id == ids[0]))
        connection.execute(update(Picture).where(Picture.content_id == ids[1]).values(state=State.FAILED))
        bump(connection)
    with library.read() as connection:
        assert queries.findable_ids(connection, stored).tolist() == [ids[2]]
        assert queries.has_embedding(connection, stored, (3).to_bytes(32))
        assert not queries.has_embedding(connection, stored, (1).to_bytes(32))
    assert queries.counts(library) == {State.PRESENT: 2, State.MISSING: 1, State.FAILED: 1}


def test_spaces_are_never_mixed(library: Library, stored: StoredSpace, put: Put, unit: Unit) -> None:
    """Two spaces of the same dimension hold vectors of the same contents."""
    ids = put(1, 2, 3)
    with library.write() as connection:
        other = register(connection, replace(stored.space, weights="others"))
        rows = [
            {"space_id": other.id, "content_id": content_id, "vector": other.to_bytes(-unit(number))}
            for number, content_id in enumerate(ids[:2], start=1)
        ]
        connection.execute(insert(Embedding), rows)
        bump(connection)
    for space, sign, held in ((stored, 1, ids), (other, -1, ids[:2])):
        published = index_cache.publish(library, space)
        assert sorted(published.index.ids()) == held
        with library.read() as connection:
            assert queries.findable_ids(connection, space).tolist() == held
            assert queries.has_embedding(connection, space, (3).to_bytes(32)) == (space is stored)
            known = queries.stored_vector(connection, space, (2).to_bytes(32))
        assert known is not None
        np.testing.assert_array_equal(known[1], (sign * unit(2)).astype("<f2"))
        assert published.index.search(sign * unit(2)[None], 1).ids[0, 0] == ids[1]
    assert verify(library) == []
