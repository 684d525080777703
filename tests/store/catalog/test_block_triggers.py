"""Which blocks of contents count as changed after a statement."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from store import Library
from store.catalog.bulk_insert import insert_new
from store.catalog.tables import (
    BLOCK_SIZE,
    Content,
    ContentBlock,
    ContentPlace,
    ContentTag,
    PersonRow,
    Picture,
    PictureTag,
    PlaceRow,
    Tag,
)

FIRST, SECOND = 1, BLOCK_SIZE
"""Contents of the blocks 0 and 1."""


@pytest.fixture
def connection(library: Library) -> Iterator[Connection]:
    """A transaction on a library with a picture in each of two blocks, a tag and a place."""
    with library.transaction() as connection:
        connection.execute(text("INSERT INTO roots VALUES (1, x'2f70', '2026-01-01', 'folder')"))
        for content in (FIRST, SECOND):
            blank = {"size": 1, "format": "JPEG", "width": 2, "height": 1}
            connection.execute(insert(Content).values(id=content, digest=b"%032d" % content, **blank))
            path = {"root_id": 1, "relpath": b"a/%d.jpg" % content, "size": 1, "mtime_ns": 1}
            connection.execute(insert(Picture).values(id=content, content_id=content, state="present", **path))
        connection.execute(insert(Tag).values(id=1, key="sea", name="Sea"))
        connection.execute(insert(PlaceRow).values(id=1, city="Oslo", country="Norway", country_code="NO"))
        yield connection


def versions(connection: Connection) -> dict[int, int]:
    return {row.number: row.version for row in connection.execute(select(ContentBlock.__table__))}


def changed(connection: Connection, *statements: object) -> set[int]:
    """The blocks whose versions the statements raise."""
    before = versions(connection)
    for statement in statements:
        connection.execute(statement)  # type: ignore[call-overload]
    after = versions(connection)
    assert all(after[number] >= version for number, version in before.items())
    return {number for number, version in after.items() if version != before.get(number)}


def test_rows_of_a_new_library_are_in_their_blocks(connection: Connection) -> None:
    assert set(versions(connection)) == {0, 1}


@pytest.mark.parametrize("column", ["camera", "lens", "city", "region", "country", "sublocation", "format"])
def test_a_changed_fact_marks_the_block_of_its_content(connection: Connection, column: str) -> None:
    assert changed(connection, update(Content).where(Content.id == SECOND).values({column: "new"})) == {1}


def test_the_same_value_again_marks_nothing(connection: Connection) -> None:
    assert changed(connection, update(Content).values(format="JPEG"), update(Picture).values(state="present")) == set()


def test_facts_that_are_not_counted_mark_nothing(connection: Connection) -> None:
    assert changed(connection, update(Content).values(title="x", user_rating=3, color=1)) == set()


@pytest.mark.parametrize("state", ["missing", "failed", "paired"])
def test_the_state_of_a_file_marks_its_content(connection: Connection, state: str) -> None:
    assert changed(connection, update(Picture).where(Picture.id == FIRST).values(state=state)) == {0}


def test_a_file_that_gets_another_content_marks_both(connection: Connection) -> None:
    assert changed(connection, update(Picture).where(Picture.id == FIRST).values(content_id=SECOND)) == {0, 1}


def test_a_file_without_a_content_marks_what_it_had(connection: Connection) -> None:
    assert changed(connection, update(Picture).where(Picture.id == SECOND).values(content_id=None)) == {1}
    again = insert(Picture).values(id=3 * BLOCK_SIZE, root_id=1, relpath=b"failed", size=1, mtime_ns=1, state="failed")
    assert changed(connection, again) == set()


def test_deleted_files_and_contents_mark_their_blocks(connection: Connection) -> None:
    assert changed(connection, delete(Picture).where(Picture.id == FIRST)) == {0}
    assert changed(connection, delete(Content).where(Content.id == FIRST)) == {0}


def test_deleting_a_root_marks_the_contents_of_its_files(connection: Connection) -> None:
    assert changed(connection, text("DELETE FROM roots")) == {0, 1}


def test_tags_and_people_mark_contents(connection: Connection) -> None:
    assert changed(connection, insert(ContentTag).values(tag_id=1, content_id=FIRST, source="user")) == {0}
    assert changed(connection, insert(PictureTag).values(tag_id=1, picture_id=SECOND)) == {1}
    assert changed(connection, insert(PersonRow).values(content_id=FIRST, key="anna", name="Anna")) == {0}
    assert changed(connection, update(PersonRow).values(name="ANNA")) == {0}


def test_a_deleted_tag_marks_what_had_it(connection: Connection) -> None:
    connection.execute(insert(ContentTag).values(tag_id=1, content_id=FIRST, source="user"))
    connection.execute(insert(PictureTag).values(tag_id=1, picture_id=SECOND))
    assert changed(connection, delete(Tag)) == {0, 1}


def test_a_tag_that_is_there_already_marks_at_most_its_block(connection: Connection) -> None:
    tagging = insert_new(ContentTag).values(tag_id=1, content_id=SECOND, source="user")
    assert changed(connection, tagging, tagging) == {1}


def test_places_mark_contents(connection: Connection) -> None:
    place = {"place_id": 1, "latitude": 0.0, "longitude": 0.0, "gazetteer": "g"}
    assert changed(connection, insert(ContentPlace).values(content_id=SECOND, **place)) == {1}
    assert changed(connection, update(ContentPlace).values(place_id=None)) == {1}
    assert changed(connection, delete(ContentPlace)) == {1}
