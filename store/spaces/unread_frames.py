"""Contents whose frames have to be read again: some may have no vector in a space.

An earlier version embedded the first frame only, or `repair` deleted a damaged vector.
"""

from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, insert, select

from store.catalog.id_sets import Ids, batch_slices
from store.catalog.tables import UnreadFrames
from store.catalog.tables.mapping import MappedColumn
from store.spaces.registry import StoredSpace

__all__ = ["has_unread_frames", "mark_read", "mark_unread", "unread_contents"]


def has_unread_frames(stored: StoredSpace, content_id: ColumnElement[Any] | MappedColumn[Any]) -> ColumnElement[bool]:
    """Whether a content may have frames without a vector in this space."""
    return content_id.in_(select(UnreadFrames.content_id).where(UnreadFrames.space_id == stored.id))


def unread_contents(connection: Connection, stored: StoredSpace, contents: Ids) -> Ids:
    """Return those of `contents` (n,) that may have frames without a vector in this space, ascending."""
    found = list[int]()
    for batch in batch_slices(len(contents)):
        statement = select(UnreadFrames.content_id).where(
            UnreadFrames.space_id == stored.id, UnreadFrames.content_id.in_(contents[batch].tolist())
        )
        found += connection.execute(statement).scalars()
    return np.array(sorted(found), np.int64)


def mark_unread(connection: Connection, stored: StoredSpace, contents: Ids) -> None:
    """Have the next index run read distinct `contents` (n,) again. Does nothing in a space of imported vectors."""
    new = np.setdiff1d(contents, unread_contents(connection, stored, contents))
    if len(new) and not stored.space.is_imported:
        rows = [{"space_id": stored.id, "content_id": content_id} for content_id in new.tolist()]
        connection.execute(insert(UnreadFrames), rows)


def mark_read(connection: Connection, stored: StoredSpace, contents: Ids) -> None:
    """Record that all frames of `contents` (n,) have been read."""
    for batch in batch_slices(len(contents)):
        is_read = UnreadFrames.content_id.in_(contents[batch].tolist())
        connection.execute(delete(UnreadFrames).where(UnreadFrames.space_id == stored.id, is_read))
