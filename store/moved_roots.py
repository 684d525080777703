"""Roots whose folders were moved or renamed: the paths in the catalogue change, and no file is read again.

A sample of the files is looked at first, so that a root is not moved to the wrong folder by mistake.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from core.errors import FolderNotFound, RootBusy, RootMismatch, RootOverlaps, UnknownRoot
from core.files import absolute
from core.object_paths import as_path
from core.root_files import is_folder
from store.albums.moved_folders import MovePaths, moved_condition
from store.catalog.tables import Album, Picture, Root, RootKind
from store.library import Library
from store.root_places import note_moved
from store.root_samples import sample_root

__all__ = ["MovedRoot", "move_roots", "move_searches"]

REQUIRED_SHARE = 0.9
"""Share of the files of a sample that must be there with the size they had."""


@dataclass(frozen=True)
class MovedRoot:
    """A root that was moved, and what was found in a sample of its files."""

    old: Path
    new: Path
    pictures: int
    """Present pictures of the root."""
    checked: int
    same_size: int
    """Files of the sample that are there and have the size they had."""
    same_time: int
    """Those of them that also have the modification time they had. Others are read again by the next index run."""
    albums: int
    """Saved searches that filter by a folder of the root, or have an example picture in it."""


def move_roots(
    library: Library,
    old: Path,
    new: Path,
    *,
    force: bool = False,
    dry_run: bool = False,
    move_paths: MovePaths = lambda query, _moves: query,
    waiting: Callable[[], None] | None = None,
) -> list[MovedRoot]:
    """Record that the root `old`, or all roots in the folder `old`, are at `new` now; return what was found there.

    Saved searches that filter by a folder of them, or have an example picture there, follow; `move_paths` changes the
    text of their queries. Change times and inode numbers, which a copy does not keep, are forgotten, so that files
    count as unchanged if their sizes and modification times are the same. All roots are moved, or none. `waiting` is
    as for `Library.exclusive`.

    Raises `UnknownRoot`; `RootBusy` if a run indexes one of the folders; `RootOverlaps` if another root contains a new
    folder or is in it; `FolderNotFound`; and `RootMismatch`, unless forced, if fewer than nine of ten files of a sample
    of a root are there with the size they had.
    """
    old, new = absolute(old), absolute(new)
    moves = _moves(library, old, new)
    with ExitStack() as held:
        for folder in sorted({*moves.keys(), *moves.values()}):
            held.enter_context(library.root_lock(folder, check=partial(_refuse, folder)))
        if _moves(library, old, new) != moves:  # roots were added or merged in the meantime
            raise RootBusy(old)
        _require_movable(library, moves)
        found = [_compare(library, each, moves[each], move_paths) for each in moves]
        for each in found:
            if not force and each.same_size < each.checked * REQUIRED_SHARE:
                raise RootMismatch(each.new, each.checked, each.same_size)
        if not dry_run:
            writer = held.enter_context(library.exclusive(waiting))
            with writer.transaction() as connection:
                move_searches(connection, moves, move_paths)
                for folder in sorted(moves, key=_depth, reverse=_depth(new) > _depth(old)):
                    _move(connection, folder, moves[folder])
            note_moved(library, moves.values())
    return found


def _moves(library: Library, old: Path, new: Path) -> dict[Path, Path]:
    """Return the root `old`, or those in it, with their new places. Raises `UnknownRoot` if there are none."""
    roots = _folders(library)
    moves = {root: new / root.relative_to(old) for root in roots if root.is_relative_to(old)}
    if not moves:
        raise UnknownRoot(old, tuple(roots))
    return moves


def _depth(folder: Path) -> int:
    """Return the number of names in a path. In this order, no root gets the path that another one still has."""
    return len(folder.parts)


def _refuse(folder: Path) -> None:
    raise RootBusy(folder)


def _folders(library: Library) -> list[Path]:
    with library.read() as connection:
        rows = connection.execute(select(Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id))
        return [as_path(row.path) for row in rows]


def _require_movable(library: Library, moves: Mapping[Path, Path]) -> None:
    staying = [root for root in _folders(library) if root not in moves]
    for new in moves.values():
        for other in staying:
            if new.is_relative_to(other) or other.is_relative_to(new):
                raise RootOverlaps(new, other)
        if not is_folder(new):
            raise FolderNotFound(new)


def _compare(library: Library, old: Path, new: Path, move_paths: MovePaths) -> MovedRoot:
    """Compare a sample of the files of `old`, as the catalogue has them, with those in `new`."""
    with library.read() as connection:
        found = sample_root(connection, old, new)
        albums = len(_moved_searches(connection, {old: new}, move_paths))
    return MovedRoot(old, new, found.pictures, found.checked, found.same_size, found.same_time, albums)


def _move(connection: Connection, old: Path, new: Path) -> None:
    root_id = connection.scalar(select(Root.id).where(Root.path == os.fsencode(old)))
    if root_id is None:
        raise UnknownRoot(old, ())
    connection.execute(update(Root).where(Root.id == root_id).values(path=os.fsencode(new)))
    connection.execute(update(Picture).where(Picture.root_id == root_id).values(ctime_ns=None, inode=None))


def _moved_searches(
    connection: Connection, moves: Mapping[Path, Path], move_paths: MovePaths
) -> list[dict[str, object]]:
    """Return the saved searches with paths in the moved folders, with the filters and the query they get."""
    moved = []
    for row in connection.execute(select(Album.id, Album.query, Album.condition).where(Album.by_hand.is_(False))):
        condition, query = moved_condition(row.condition, moves), move_paths(row.query, moves)
        if (condition, query) != (row.condition, row.query):
            moved.append({"album": row.id, "moved_condition": condition, "moved_query": query})
    return moved


def move_searches(connection: Connection, moves: Mapping[Path, Path], move_paths: MovePaths) -> None:
    """Have the saved searches with paths in folders that were moved, given as {old folder: new folder}, follow."""
    if moved := _moved_searches(connection, moves, move_paths):
        values: dict[str, Any] = {"condition": bindparam("moved_condition"), "query": bindparam("moved_query")}
        connection.execute(update(Album).where(Album.id == bindparam("album")).values(values), moved)
