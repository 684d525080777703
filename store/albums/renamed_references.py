"""Saved searches that use an album as a filter, when that album is renamed."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import Connection, select, update

from store.albums.names import album_key
from store.catalog.tables import Album

__all__ = ["RewriteQuery", "rename_references"]

RewriteQuery: TypeAlias = Callable[[str, str, str], str]
"""Returns a query, given with the old and the new name of an album, with its filters by this album renamed."""


def rename_references(connection: Connection, old: str, new: str, rewrite: RewriteQuery) -> None:
    """Have all saved searches that use the album `old` as a filter use `new`."""
    saved = select(Album.id, Album.query, Album.condition).where(Album.by_hand.is_(False))
    for row in connection.execute(saved).all():
        condition = json.loads(row.condition or "{}")
        if _rename_in(condition.get("where"), old, new):
            values = {"condition": json.dumps(condition), "query": rewrite(row.query, old, new)}
            connection.execute(update(Album).where(Album.id == row.id).values(values))


def _rename_in(condition: Any, old: str, new: str) -> bool:
    """Rename an album in the JSON of a condition, in place; return whether it was there."""
    if not isinstance(condition, list):
        return False
    if condition[:2] != ["test", "album"]:
        return sum(_rename_in(part, old, new) for part in condition) > 0
    value = condition[4][0]  # ["plain", name]
    if album_key(str(value[1])) != album_key(old):
        return False
    value[1] = new
    return True
