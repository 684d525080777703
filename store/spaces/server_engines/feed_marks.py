"""Marks in the change feed, by which an engine is recognised that was filled from another history of a library.

A library that was restored from a backup numbers its changes from there on again. An engine that has seen the changes
before that can have the right position and the right number of vectors, but other vectors. Each update of an engine
therefore first appends a row with a random number to the change feed, and the engine keeps that number with its
position. In another history, that row of the feed is another one.

The row has the negative ID of the space in place of a space, so that it is no change of any. So has the row that notes
that a space was dropped, with a number that tells which.
"""

import secrets
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, or_, select

from store.catalog import change_feed
from store.catalog.tables import VectorChange

__all__ = ["FeedMark", "append_mark", "changes_since", "is_behind", "is_dropped_here", "note_dropped"]

_BITS = 62


class FeedMark(NamedTuple):
    """A row of the change feed, and the random number in it."""

    row: int
    token: int


def append_mark(connection: Connection, space_id: int) -> FeedMark:
    """Append a mark for a space to the change feed, within a write transaction."""
    mark = FeedMark(change_feed.position(connection) + 1, secrets.randbits(_BITS))
    connection.execute(insert(VectorChange).values(id=mark.row, space_id=-space_id, content_id=mark.token))
    return mark


def note_dropped(connection: Connection, space_id: int, number: int) -> None:
    """Append to the change feed that a space is dropped, within the write transaction that does it.

    `number` identifies the space in engines: it has 48 bits.
    """
    row = {"id": change_feed.position(connection) + 1, "space_id": -space_id, "content_id": number}
    connection.execute(insert(VectorChange).values(row))


def is_dropped_here(connection: Connection, number: int, mark: FeedMark | None) -> bool:
    """Return whether what an engine has of a space that is not in the library was left by this library.

    `mark` is the one that the engine has, and `number` that of `note_dropped`. A copy of this library can have got a
    space of its own, or can have filled a space again: its mark is not in this feed.
    """
    marks = select(VectorChange.id).where(VectorChange.space_id < 0)
    if mark is not None:
        ours = marks.where(VectorChange.id == mark.row, VectorChange.content_id == mark.token)
        if connection.scalar(ours) is not None:
            return True
        first = connection.scalar(select(func.min(VectorChange.id)))
        if first is None or mark.row >= first:  # it was not cut off
            return False
    return connection.scalar(marks.where(VectorChange.content_id == number).limit(1)) is not None


def changes_since(
    connection: Connection, space_id: int, position: int, mark: FeedMark | None
) -> change_feed.Changes | None:
    """Return what has changed in a space after `position`; None if the feed does not have that.

    It was cut off then, or `mark` is one of another history. A mark that was cut off is not missed.
    """
    if mark is not None:
        row = connection.execute(
            select(VectorChange.space_id, VectorChange.content_id).where(VectorChange.id == mark.row)
        ).first()
        if row is None and mark.row >= (connection.scalar(select(func.min(VectorChange.id))) or 0):
            return None
        if row is not None and tuple(row) != (-space_id, mark.token):
            return None
    return change_feed.changes_after(connection, space_id, position)


def is_behind(connection: Connection, position: int) -> bool:
    """Return whether the change feed has more than marks after `position`."""
    is_change = or_(VectorChange.space_id.is_(None), VectorChange.space_id > 0)
    return (
        connection.execute(select(VectorChange.id).where(VectorChange.id > position, is_change).limit(1)).first()
        is not None
    )
