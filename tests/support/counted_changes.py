"""Any changes of a library that change its counts: facts, states, copies, tags, people and places."""

from collections.abc import Callable

from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update

from store.catalog.bulk_insert import insert_new
from store.catalog.tables import (
    BLOCK_SIZE,
    Content,
    ContentPlace,
    ContentTag,
    PersonRow,
    Picture,
    PictureTag,
    Tag,
)

__all__ = ["CHANGES", "CHOSEN", "CONTENTS", "Change", "apply", "insert_content", "set_fact"]

CONTENTS = (1, 2, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 5 * BLOCK_SIZE)

STATES = ("present", "missing", "failed", "paired")

PLACE = {"latitude": 0.0, "longitude": 0.0, "gazetteer": "g"}


def insert_content(connection: Connection, content: int) -> None:
    """Insert a content with a file, in one of three roots."""
    blank = {"size": 1, "format": "JPEG", "width": 2, "height": 1}
    connection.execute(insert(Content).values(id=content, digest=b"%032d" % content, **blank))
    path = {"root_id": 1 + content % 3, "relpath": b"f%d/x/%d.jpg" % (content % 2, content), "size": 1, "mtime_ns": 1}
    connection.execute(insert(Picture).values(content_id=content, state="present", **path))


def _exists(connection: Connection, content: int) -> bool:
    return connection.scalar(select(Content.id).where(Content.id == content)) is not None


def set_fact(connection: Connection, content: int, name: str, value: object) -> None:
    connection.execute(update(Content).where(Content.id == content).values({name: value}))


def set_state(connection: Connection, content: int, state: str) -> None:
    connection.execute(update(Picture).where(Picture.content_id == content).values(state=state))


def set_content(connection: Connection, content: int, other: int) -> None:
    """Give the files of a content another content."""
    if _exists(connection, other):
        connection.execute(update(Picture).where(Picture.content_id == content).values(content_id=other))


def add_copy(connection: Connection, content: int, root: int, path: bytes) -> None:
    if _exists(connection, content):
        row = {"root_id": root, "relpath": path, "size": 1, "mtime_ns": 1, "state": "present"}
        connection.execute(insert_new(Picture).values(content_id=content, **row))


def add_tag(connection: Connection, content: int, tag: int) -> None:
    if _exists(connection, content) and connection.scalar(select(Tag.id).where(Tag.id == tag)):
        connection.execute(insert_new(ContentTag).values(tag_id=tag, content_id=content, source="user"))


def add_file_tag(connection: Connection, content: int, tag: int) -> None:
    if connection.scalar(select(Tag.id).where(Tag.id == tag)):
        rows = select(text(str(tag)), Picture.id).where(Picture.content_id == content)
        connection.execute(insert_new(PictureTag).from_select(["tag_id", "picture_id"], rows))


def remove_tags(connection: Connection, content: int) -> None:
    files = select(Picture.id).where(Picture.content_id == content)
    connection.execute(delete(ContentTag).where(ContentTag.content_id == content))
    connection.execute(delete(PictureTag).where(PictureTag.picture_id.in_(files)))


def delete_tag(connection: Connection, tag: int) -> None:
    connection.execute(delete(Tag).where(Tag.id == tag))


def set_person(connection: Connection, content: int, name: str) -> None:
    if _exists(connection, content):
        connection.execute(delete(PersonRow).where(PersonRow.content_id == content, PersonRow.key == name.lower()))
        connection.execute(insert(PersonRow).values(content_id=content, key=name.lower(), name=name))


def set_place(connection: Connection, content: int, place: int | None) -> None:
    if _exists(connection, content):
        connection.execute(delete(ContentPlace).where(ContentPlace.content_id == content))
        connection.execute(insert(ContentPlace).values(content_id=content, place_id=place, **PLACE))


def delete_content(connection: Connection, content: int) -> None:
    connection.execute(delete(Picture).where(Picture.content_id == content))
    connection.execute(delete(Content).where(Content.id == content))


def add_content(connection: Connection, content: int) -> None:
    if not _exists(connection, content):
        connection.execute(delete(Picture).where(Picture.name_key == f"{content}.jpg"))
        insert_content(connection, content)


Change = tuple[Callable[..., None], *tuple[object, ...]]
"""A function, and its arguments after the connection. It changes nothing if that is not possible."""

CHOSEN = st.sampled_from(CONTENTS)

NUMBERS = st.integers(1, 3)

FACTS = st.sampled_from(["camera", "lens", "city", "country"])


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.tuples(st.just(set_fact), CHOSEN, FACTS, st.sampled_from(["A", "B", None])),
    st.tuples(st.just(set_state), CHOSEN, st.sampled_from(STATES)),
    st.tuples(st.just(set_content), CHOSEN, CHOSEN),
    st.tuples(st.just(add_copy), CHOSEN, NUMBERS, st.binary(min_size=1, max_size=3)),
    st.tuples(st.just(add_tag), CHOSEN, NUMBERS),
    st.tuples(st.just(add_file_tag), CHOSEN, NUMBERS),
    st.tuples(st.just(remove_tags), CHOSEN),
    st.tuples(st.just(delete_tag), NUMBERS),
    st.tuples(st.just(set_person), CHOSEN, st.sampled_from(["Anna", "ANNA", "Bo"])),
    st.tuples(st.just(set_place), CHOSEN, st.sampled_from([1, 2, None])),
    st.tuples(st.just(delete_content), CHOSEN),
    st.tuples(st.just(add_content), CHOSEN),
)


def apply(connection: Connection, change: Change) -> None:
    """Make one change, if it is possible."""
    function, *arguments = change
    function(connection, *arguments)
