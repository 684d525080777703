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

__all__ = ["forget"]

_Callback = Callable[[], None] | None


@contextmanager
def _exclusive_of_index_runs(library: Library, path: Path, waiting: _Callback, check: _Callback) -> Iterator[Writer]:
    """Lock the roots at, below and around `path` against index runs, then the library, and yield its writer.

    An index run relies on the pictures of its root between its batches. A run in the background makes way; a run in a
    terminal is waited for.
    """
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


def forget(
    library: Library,
    path: Path,
    *,
    missing_only: bool = False,
    dry_run: bool = False,
    waiting: _Callback = None,
    check: _Callback = None,
) -> int:
    """Remove the pictures at and below `path` from the library; return how many.

    Vectors are removed too, except those of contents that have copies elsewhere. A root at or below `path` is no longer
    covered by the library. With `missing_only`, only pictures whose file is missing are removed, and roots stay. With
    `dry_run`, the pictures are only counted.

    Waits while another process indexes these folders, and, for the index files, while another one writes such files.
    `waiting` is called for each lock that is held for more than a second, and `check` again and again while it is, and
    once before anything is removed; it may raise to stop. Raises `PathNotIndexed` if the library has no picture there,
    present or missing.
    """
    path = absolute(path)
    if dry_run:
        with library.read() as connection:
            return _count(connection, _at_or_below(connection, path, missing_only=missing_only)[0])
    with _exclusive_of_index_runs(library, path, waiting, check) as writer:
        if check is not None:
            check()  # the work may not be wanted any more
        with writer.transaction() as connection:
            number = _remove(connection, path, missing_only=missing_only)
    index_cache.publish_all(library, waiting, check)
    return number


def _remove(connection: Connection, path: Path, *, missing_only: bool) -> int:
    conditions, roots = _at_or_below(connection, path, missing_only=missing_only)
    number = _count(connection, conditions)
    mark_sidecar_contents(connection, select(Picture.id).where(and_(*conditions)))
    connection.execute(delete(Picture).where(and_(*conditions)))
    if not missing_only:
        connection.execute(delete(Root).where(Root.id.in_(roots)))
        location = locate(connection, path)
        if location is not None:
            connection.execute(delete(PassedOver).where(*folders_within(location)))
    remove_orphans(connection)
    mark_changed(connection)
    return number


def _count(connection: Connection, conditions: list[ColumnElement[bool]]) -> int:
    return connection.scalar(select(func.count()).select_from(Picture).where(and_(*conditions))) or 0


def _at_or_below(
    connection: Connection, path: Path, *, missing_only: bool
) -> tuple[list[ColumnElement[bool]], list[int]]:
    """Return conditions for the pictures at or below `path`, and the IDs of the roots there.

    Raises `PathNotIndexed`.
    """
    roots = [row.id for row in connection.execute(select(Root.id, Root.path)) if _is_at_or_below(row.path, path)]
    state = [Picture.state == PictureState.MISSING] if missing_only else []
    if roots:
        return [Picture.root_id.in_(roots), *state], roots
    location = locate(connection, path)
    if location is None or connection.scalar(select(Picture.id).where(*within(location)).limit(1)) is None:
        raise PathNotIndexed(path)
    return [*within(location), *state], []


def _is_at_or_below(root: bytes, path: Path) -> bool:
    outer = os.fsencode(path)
    return root == outer or root.startswith(outer.rstrip(b"/") + b"/")
