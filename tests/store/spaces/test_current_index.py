"""Bringing an index up to date with the change feed gives what a comparison of all IDs gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from store import Library
from store.catalog.id_sets import Ids
from store.check import verify
from store.spaces import announced_files, current_index
from store.spaces.embeddings import delete_vectors, searchable_ids
from store.spaces.index_cache import load
from store.spaces.registry import StoredSpace
from tests.support.followers import Followers, by_the_feed_alone, contents_of
from tests.support.writers import publish, run_repair

Put = Callable[..., list[int]]


@pytest.fixture
def followers(library: Library, stored: StoredSpace, put: Put) -> Followers:
    """An index of 20 contents."""
    assert stored.id
    put(*range(20))
    return Followers(library)


def execute(library: Library, *statements: str) -> None:
    with library.transaction() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.execute(text("UPDATE library SET revision = revision + 1"))
        connection.execute(text("UPDATE spaces SET revision = (SELECT revision FROM library)"))


def test_contents_appear_disappear_and_return(library: Library, followers: Followers, put: Put) -> None:
    put(100, 101)
    followers.check()
    execute(library, "UPDATE pictures SET state = 'missing' WHERE content_id BETWEEN 5 AND 9")
    followers.check()
    execute(library, "UPDATE pictures SET state = 'present' WHERE content_id = 6", "DELETE FROM pictures WHERE id = 3")
    followers.check()


def test_a_content_with_a_copy_stays(library: Library, stored: StoredSpace, followers: Followers) -> None:
    """A second file changes nothing, and the index is not copied; neither does the end of the first."""
    before = publish(library, stored)
    columns = "root_id, size, mtime_ns, content_id, state, folder, path_key, name_key"
    execute(library, f"INSERT INTO pictures (relpath, {columns}) SELECT 'copy', {columns} FROM pictures WHERE id = 4")
    with by_the_feed_alone():
        after = load(library, stored, before)
    assert (after.index, after.changed) == (before.index, False)
    execute(library, "DELETE FROM pictures WHERE id = 4")
    followers.check()
    with by_the_feed_alone():
        assert load(library, stored, after).index is before.index


def test_a_vector_that_is_replaced_under_its_id_is_taken(
    library: Library, stored: StoredSpace, followers: Followers
) -> None:
    """A comparison of IDs would not notice it."""
    execute(
        library,
        "UPDATE embeddings SET vector = (SELECT vector FROM embeddings WHERE content_id = 2) WHERE content_id = 1",
    )
    followers.check()
    with library.transaction() as connection:
        (blob,) = connection.execute(text("SELECT vector FROM embeddings WHERE content_id = 5")).one()
        delete_vectors(connection, stored, np.array([3, 4], np.int64))
    execute(library, f"INSERT INTO embeddings VALUES ({stored.id}, 3, x'{blob.hex()}')")
    followers.check()


def test_frames_come_and_go_with_their_content(library: Library, stored: StoredSpace, followers: Followers) -> None:
    execute(
        library,
        "INSERT INTO frames (content_id, number, kind) VALUES (2, 0, 'page'), (2, 1, 'page'), (2, 2, 'page')",
        f"INSERT INTO frame_embeddings SELECT {stored.id}, 2, content_id - 6, vector FROM embeddings "
        "WHERE content_id IN (7, 8)",
    )
    followers.check()
    execute(library, "DELETE FROM frames WHERE number = 2")
    followers.check()
    execute(library, "DELETE FROM embeddings WHERE content_id = 2")  # its other frame cannot be found any more
    followers.check()
    execute(library, f"INSERT INTO embeddings SELECT {stored.id}, 2, vector FROM embeddings WHERE content_id = 9")
    followers.check()
    execute(library, "UPDATE pictures SET state = 'missing' WHERE content_id = 2")
    followers.check()


def test_a_malformed_vector_is_left_out(library: Library, followers: Followers) -> None:
    execute(library, "UPDATE embeddings SET vector = x'00' WHERE content_id = 1")
    followers.check()


@pytest.mark.usefixtures("followers")
def test_a_published_index_is_updated_with_the_changes_since(library: Library, stored: StoredSpace, put: Put) -> None:
    publish(library, stored)
    put(200, 201)
    execute(library, "UPDATE pictures SET state = 'missing' WHERE content_id = 5")
    with by_the_feed_alone():
        current = load(library, stored)
        assert contents_of(publish(library, stored)) == contents_of(current)
    assert contents_of(current) == contents_of(publish(library, stored, rebuild=True))
    assert verify(library) == []


@pytest.mark.usefixtures("followers")
def test_vectors_replaced_while_the_feed_was_cut_off_are_taken_without_a_file(
    library: Library, stored: StoredSpace
) -> None:
    """The index in memory has no file that could tell by its checksum that vectors were replaced."""
    before = load(library, stored)
    assert before.checksum is None
    with library.transaction() as connection:
        delete_vectors(connection, stored, np.array([3], np.int64))
    execute(
        library,
        f"INSERT INTO embeddings SELECT {stored.id}, 3, vector FROM embeddings WHERE content_id = 5",
        "DELETE FROM vector_changes WHERE id < (SELECT max(id) FROM vector_changes)",
    )
    assert contents_of(load(library, stored, before)) == contents_of(publish(library, stored, rebuild=True))


@pytest.mark.sqlite
@pytest.mark.usefixtures("followers")
@pytest.mark.parametrize(
    "damage", ["DELETE FROM vector_changes WHERE id % 2", "UPDATE index_generations SET position = NULL"]
)
def test_without_a_usable_feed_all_ids_are_compared(
    library: Library, stored: StoredSpace, put: Put, damage: str
) -> None:
    publish(library, stored)
    put(200, 201)
    execute(library, damage)
    with pytest.raises(AssertionError, match="All IDs were compared"), by_the_feed_alone():
        load(library, stored)
    assert contents_of(load(library, stored)) == contents_of(publish(library, stored, rebuild=True))
    put(300)
    with by_the_feed_alone():
        assert len(load(library, stored).index) == 23


@pytest.mark.usefixtures("followers")
def test_all_ids_are_compared_if_much_has_changed(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = publish(library, stored)
    compared = []

    def watched(*given: Any) -> Ids:
        compared.append(given)
        return searchable_ids(*given)

    monkeypatch.setattr(current_index, "searchable_ids", watched)
    put(200, 201)  # 2 of 20
    load(library, stored, before)
    assert not compared
    put(202)
    load(library, stored, before)
    assert compared


@pytest.mark.sqlite
@pytest.mark.usefixtures("followers")
def test_publishing_cuts_the_feed_off(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not what an index file lacks."""
    number = text("SELECT count(*) FROM vector_changes")
    monkeypatch.setattr(announced_files, "RECENT_CHANGES", 4)
    put(200)
    publish(library, stored)
    with library.read() as connection:
        assert connection.scalar(number) == 4
    put(*range(201, 211))
    with library.read() as connection:
        assert connection.scalar(number) == 24
    with by_the_feed_alone():
        publish(library, stored)
    with library.read() as connection:
        assert connection.scalar(number) == 4
    assert verify(library) == []


@pytest.mark.sqlite
@pytest.mark.usefixtures("followers")
def test_verify_finds_a_change_that_was_not_recorded(library: Library, stored: StoredSpace, put: Put) -> None:
    """An index that is updated with the feed would keep a picture that is gone."""
    publish(library, stored)
    with library.transaction() as connection:
        sql = connection.scalar(text("SELECT sql FROM sqlite_schema WHERE name = 'vector_changes_pictures_update'"))
        connection.execute(text("DROP TRIGGER vector_changes_pictures_update"))
        connection.execute(text("UPDATE pictures SET state = 'missing' WHERE content_id = 7"))
        connection.execute(text(sql or ""))
    put(200)
    (fault,) = verify(library)
    assert (fault.kind, "not recorded (7)" in fault.detail) == ("index", True)
    assert any("rebuilt the index" in step for step in run_repair(library))
    assert verify(library) == []
    assert 7 not in load(library, stored).index.ids()
