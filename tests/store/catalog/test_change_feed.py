"""The change feed: every statement that changes findable vectors writes it, and gaps in it are noticed."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import insert, text

from core.space import Space
from store import Library
from store.catalog.change_feed import MAX_ROWS, changes_after, cut_off, position
from store.catalog.tables import PictureState, VectorChange
from store.spaces.drop import drop_space
from store.spaces.registry import StoredSpace, register

Put = Callable[..., list[int]]


def changed(library: Library, stored: StoredSpace, *statements: str) -> tuple[list[int], list[int]]:
    """Execute statements in one transaction; return the contents, and those with other vectors, of the changes."""
    with library.transaction() as connection:
        before = position(connection)
        for statement in statements:
            assert connection.execute(text(statement)).rowcount, statement
    with library.read() as connection:
        changes = changes_after(connection, stored.id, before)
    assert changes is not None
    return changes.contents.tolist(), changes.replaced.tolist()


@pytest.fixture
def three(put: Put) -> list[int]:
    """Contents 1, 2 and 3 with a vector and a present file each."""
    return put(1, 2, 3)


@pytest.mark.usefixtures("three")
def test_new_pictures_with_vectors_are_recorded(library: Library, stored: StoredSpace, put: Put) -> None:
    with library.read() as connection:
        before = position(connection)
    new = put(4, 5)
    with library.read() as connection:
        changes = changes_after(connection, stored.id, before)
        assert changes is not None
        assert (changes.contents.tolist(), changes.replaced.tolist()) == (new, new)
        assert changes_after(connection, stored.id + 1, before).contents.tolist() == new  # type: ignore[union-attr]
        assert changes_after(connection, stored.id + 1, before).replaced.tolist() == []  # type: ignore[union-attr]


STATEMENTS = {
    "UPDATE pictures SET state = 'missing' WHERE content_id = 2": ([2], []),
    "UPDATE pictures SET state = 'failed', content_id = NULL WHERE content_id = 2": ([2], []),
    "UPDATE pictures SET content_id = 3 WHERE content_id = 1": ([1, 3], []),
    "DELETE FROM pictures WHERE content_id > 1": ([2, 3], []),
    "DELETE FROM roots": ([1, 2, 3], []),
    "UPDATE embeddings SET vector = x'00' WHERE content_id = 3": ([3], [3]),
    "DELETE FROM embeddings WHERE content_id = 3": ([3], [3]),
    "UPDATE pictures SET state = state, content_id = content_id, size = 2": ([], []),
    "UPDATE contents SET rating = 3": ([], []),
}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_is_recorded_with_its_contents(library: Library, stored: StoredSpace, statement: str) -> None:
    assert changed(library, stored, statement) == STATEMENTS[statement]


@pytest.mark.usefixtures("three")
def test_a_file_that_returns_is_recorded(library: Library, stored: StoredSpace) -> None:
    changed(library, stored, "UPDATE pictures SET state = 'missing'")
    assert changed(library, stored, "UPDATE pictures SET state = 'present' WHERE content_id = 1") == ([1], [])
    assert changed(library, stored, "UPDATE pictures SET state = 'failed' WHERE content_id = 2") == ([], [])
    assert changed(library, stored, "DELETE FROM pictures WHERE content_id = 2") == ([], [])


@pytest.mark.usefixtures("three")
def test_a_forgotten_content_is_recorded_with_its_vectors(library: Library, stored: StoredSpace) -> None:
    statements = ("DELETE FROM pictures WHERE content_id = 2", "DELETE FROM contents WHERE id = 2")
    assert changed(library, stored, *statements) == ([2], [2])


@pytest.mark.usefixtures("three")
def test_further_frames_are_recorded(library: Library, stored: StoredSpace) -> None:
    frames = "INSERT INTO frames (content_id, number, kind) VALUES (2, 0, 'page'), (2, 1, 'page')"
    vector = f"INSERT INTO frame_embeddings VALUES ({stored.id}, 2, 1, x'00')"
    assert changed(library, stored, frames, vector) == ([2], [2])
    assert changed(library, stored, "UPDATE frame_embeddings SET vector = x'01'") == ([2], [2])
    assert changed(library, stored, "DELETE FROM frames WHERE number = 1") == ([2], [2])  # a cascade


@pytest.mark.usefixtures("three")
def test_a_change_that_is_rolled_back_is_not_recorded(library: Library, stored: StoredSpace) -> None:
    with library.read() as connection:
        before = position(connection)
    with pytest.raises(ZeroDivisionError), library.transaction() as connection:
        connection.execute(text("UPDATE pictures SET state = 'missing'"))
        raise ZeroDivisionError
    with library.read() as connection:
        assert position(connection) == before
    assert changed(library, stored, "DELETE FROM pictures WHERE content_id = 1") == ([1], [])


@pytest.mark.usefixtures("three")
def test_the_vectors_of_a_dropped_space_are_not_recorded(library: Library, stored: StoredSpace) -> None:
    """A million vectors would otherwise be as many rows."""
    with library.transaction() as connection:
        other = register(connection, Space("other", "none", 13))
        connection.exec_driver_sql("INSERT INTO embeddings SELECT ?, content_id, vector FROM embeddings", (other.id,))
        before = position(connection)
        drop_space(connection, other)
        assert position(connection) == before
        assert connection.scalar(text("SELECT count(*) FROM embeddings")) == 3


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("lost", ["id = 3", "id > 4", "id <= 2", "id > 0"])
def test_a_feed_with_a_gap_is_not_used(library: Library, stored: StoredSpace, lost: str) -> None:
    with library.transaction() as connection:
        last = position(connection)
        assert changes_after(connection, stored.id, 1) is not None
        connection.execute(text(f"DELETE FROM vector_changes WHERE {lost}"))
        assert changes_after(connection, stored.id, last if lost in {"id > 4", "id > 0"} else 1) is None


def test_the_feed_of_a_new_library_is_complete(library: Library, stored: StoredSpace) -> None:
    with library.read() as connection:
        assert position(connection) == 0
        changes = changes_after(connection, stored.id, 0)
    assert changes is not None
    assert len(changes.contents) == 0


@pytest.mark.usefixtures("three")
def test_cutting_off_keeps_the_number_of_the_last_change(library: Library, stored: StoredSpace) -> None:
    with library.transaction() as connection:
        last = position(connection)
        cut_off(connection, 2)
        assert changes_after(connection, stored.id, 1) is None
        assert changes_after(connection, stored.id, 2) is not None
        cut_off(connection, last + 5)
        assert position(connection) == last
        assert changes_after(connection, stored.id, last) is not None
    assert changed(library, stored, "DELETE FROM pictures WHERE content_id = 1") == ([1], [])


@pytest.mark.usefixtures("three")
def test_the_feed_is_bounded(library: Library, stored: StoredSpace) -> None:
    """The oldest rows are removed in blocks of 4,096."""
    full = (MAX_ROWS // 4_096 + 1) * 4_096
    with library.transaction() as connection:
        last = position(connection)
        for number in (full - MAX_ROWS, full - MAX_ROWS + 1, full - 1):
            connection.execute(text("INSERT INTO vector_changes (id, content_id) VALUES (:id, 1)"), {"id": number})
        assert connection.scalar(text("SELECT min(id) FROM vector_changes")) == 1
        connection.execute(text("UPDATE pictures SET state = 'missing' WHERE content_id = 1"))
        ids = connection.execute(text("SELECT id FROM vector_changes ORDER BY id")).scalars().all()
        assert ids == [full - MAX_ROWS + 1, full - 1, full]
        assert changes_after(connection, stored.id, last) is None


def test_pictures_that_cannot_be_found_are_not_recorded(library: Library, stored: StoredSpace, put: Put) -> None:
    with library.read() as connection:
        before = position(connection)
    put(7, state=PictureState.MISSING)
    with library.read() as connection:
        rows = connection.execute(text("SELECT space_id FROM vector_changes WHERE id > :id"), {"id": before})
        assert rows.scalars().all() == [stored.id]  # that of the vector alone


def test_ids_of_changes_are_numbers_of_64_bits(library: Library, stored: StoredSpace, put: Put) -> None:
    put(1)
    with library.transaction() as connection:
        number = position(connection) + 1
        connection.execute(insert(VectorChange).values(id=number, content_id=1099511627775))
        changes = changes_after(connection, stored.id, position(connection) - 1)
    assert changes is not None
    contents: NDArray[np.int64] = changes.contents
    assert contents.dtype == np.int64
    assert contents.tolist() == [(1 << 40) - 1]
