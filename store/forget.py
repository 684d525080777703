"""Remove pictures from the library. Files are never touched."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select

from core.errors import PathNotIndexed
from core.files import absolute
from store.catalog.tables import PassedOver, Picture, PictureState, Root
from store.check import remove_orphans
from store.ingest.metadata import mark_sidecar_contents
from store.library import Library, Writer, mark_changed
from store.passed_over import folders_within
from store.roots import locate, locations_at, within
from store.spaces import index_cache
from store.spaces.registry import list_spaces

__all__ = ["exclusive_of_index_runs", "forget"]


@contextmanager
def exclusive_of_index_runs(
    library: Library,
    path: Path,
    waiting: Callable[[], None] | None = None,
    check: Callable[[], None] | None = None,
) -> Iterator[Writer]:
    """Lock the roots at, below and around `path` against index runs, then the library, and yield its writer.

    An index run relies on the pictures of its root between its batches. A run in the background makes way; a run in a
    terminal is waited for. `waiting` is called for each lock that is held for more than a second, and `check` again and
    again while it is.
    """
    path = absolute(path)
    while True:
        roots = _roots_of(library, path)
        with ExitStack() as held:
            for root in roots:
                held.enter_context(library.root_lock(root, waiting, check))
            writer = held.enter_context(library.exclusive(waiting, check))
            if _roots_of(library, path) == roots:  # none was added or merged in the meantime
                yield writer
                return


def _roots_of(library: Library, path: Path) -> list[Path]:
    """Return the roots at or below `path`, or the one that covers it, sorted by path."""
    with library.read() as connection:
        return sorted(location.root for location in locations_at(connection, path))


def forget(writer: Writer, path: Path, *, missing_only: bool = False, dry_run: bool = False) -> int:
    """Remove the pictures at and below `path` from the library; return how many.

    Vectors are removed too, except those of contents that have copies elsewhere. A root at or below `path` is no longer
    covered by the library. With `missing_only`, only pictures whose file is missing are removed, and roots stay. With
    `dry_run`, the pictures are only counted. Raises `PathNotIndexed` if the library has no picture there, present or
    missing.
    """
    path = absolute(path)
    with writer.transaction() as connection:
        conditions, roots = _at_or_below(connection, path)
        if missing_only:
            conditions.append(Picture.state == PictureState.MISSING)
        number = connection.scalar(select(func.count()).select_from(Picture).where(and_(*conditions))) or 0
        if dry_run:
            return number
        mark_sidecar_contents(connection, select(Picture.id).where(and_(*conditions)))
        connection.execute(delete(Picture).where(and_(*conditions)))
        if not missing_only:
            connection.execute(delete(Root).where(Root.id.in_(roots)))
            location = locate(connection, path)
            if location is not None:
                connection.execute(delete(PassedOver).where(*folders_within(location)))
        remove_orphans(connection)
        mark_changed(connection)
    for summary in list_spaces(writer.library):
        index_cache.publish(writer, summary.stored)
    return number


def _at_or_below(connection: Connection, path: Path) -> tuple[list[ColumnElement[bool]], list[int]]:
    """Return conditions for the pictures at or below `path`, and the IDs of the roots there.

    Raises `PathNotIndexed`.
    """
    roots = [row.id for row in connection.execute(select(Root.id, Root.path)) if _is_at_or_below(row.path, path)]
    if roots:
        return [Picture.root_id.in_(roots)], roots
    location = locate(connection, path)
    if location is None or connection.scalar(select(Picture.id).where(*within(location)).limit(1)) is None:
        raise PathNotIndexed(path)
    return within(location), []


def _is_at_or_below(root: bytes, path: Path) -> bool:
    outer = os.fsencode(path)
    return root == outer or root.startswith(outer.rstrip(b"/") + b"/")
