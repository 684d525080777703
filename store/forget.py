"""Forgetting: the library gives up what it knows of a place. Files are never touched."""

import os
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select

from core.errors import NothingKnown
from store.catalog.tables import Picture, Root, State
from store.check import remove_orphans
from store.library import Library, bump
from store.roots import locate, within
from store.spaces import index_cache
from store.spaces.registry import list_spaces

__all__ = ["forget"]


def forget(library: Library, path: Path, *, missing_only: bool = False, dry_run: bool = False) -> int:
    """Forgets the pictures at and beneath `path`, with their vectors unless a copy elsewhere needs them.

    A root that is forgotten whole is no longer covered. `missing_only` forgets only files that are gone, `dry_run` only
    counts. Returns how many pictures were forgotten; the caller holds the writer lock. Raises `NothingKnown` when the
    library knows no picture there, missing or not.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 (as in store.roots)
    with library.write() as connection:
        conditions, roots = _covered(connection, path)
        if missing_only:
            conditions.append(Picture.state == State.MISSING)
        number = connection.scalar(select(func.count()).select_from(Picture).where(and_(*conditions))) or 0
        if dry_run:
            return number
        connection.execute(delete(Picture).where(and_(*conditions)))
        if not missing_only:
            connection.execute(delete(Root).where(Root.id.in_(roots)))
        remove_orphans(connection)
        bump(connection)
    for stored, _, _ in list_spaces(library):
        index_cache.publish(library, stored)
    return number


def _covered(connection: Connection, path: Path) -> tuple[list[ColumnElement[bool]], list[int]]:
    """Conditions for the pictures at and beneath `path`, and the roots that lie there whole. Raises `NothingKnown`."""
    roots = [row.id for row in connection.execute(select(Root.id, Root.path)) if _is_beneath(row.path, path)]
    if roots:
        return [Picture.root_id.in_(roots)], roots
    place = locate(connection, path)
    if place is None or connection.scalar(select(Picture.id).where(*within(place)).limit(1)) is None:
        raise NothingKnown(path)
    return within(place), []


def _is_beneath(root: bytes, path: Path) -> bool:
    outer = os.fsencode(path)
    return root == outer or root.startswith(outer.rstrip(b"/") + b"/")
