"""Roots whose folders were moved or renamed: the paths in the catalogue change, and no file is read again.

A sample of the files is looked at first, so that a root is not moved to the wrong folder by mistake.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from core.errors import FolderNotFound, RootBusy, RootMismatch, RootOverlaps, UnknownRoot
from core.files import absolute, modified_ns
from store.albums.moved_folders import MovePaths, moved_condition
from store.catalog.tables import Album, Picture, PictureState, Root, RootKind
from store.library import Library

__all__ = ["MovedRoot", "move_root"]

SAMPLE = 200
"""Files that are looked at."""

REQUIRED_SHARE = 0.9
"""Share of them that must be there with the size they had."""

TIME_TOLERANCE_NS = 2_000_000_000
"""FAT stores times in units of two seconds."""


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
    """Saved searches that filter by a folder of the root."""


def move_root(
    library: Library,
    old: Path,
    new: Path,
    *,
    force: bool = False,
    dry_run: bool = False,
    move_paths: MovePaths = lambda query, _moves: query,
    waiting: Callable[[], None] | None = None,
) -> MovedRoot:
    """Record that the root `old` is the folder `new` now; return what was found there.

    Saved searches that filter by a folder of it follow; `move_paths` changes the text of their queries. Change times
    and inode numbers, which a copy does not keep, are forgotten, so that files count as unchanged if their sizes and
    modification times are the same. `waiting` is as for `Library.exclusive`.

    Raises `UnknownRoot`; `RootBusy` if a run indexes one of the folders; `RootOverlaps` if another root contains `new`
    or is in it; `FolderNotFound`; and `RootMismatch`, unless forced, if fewer than nine of ten files of a sample are
    there with the size they had.
    """
    old, new = absolute(old), absolute(new)

    def refuse() -> None:
        raise RootBusy(old)

    with ExitStack() as held:
        for folder in sorted({old, new}):
            held.enter_context(library.root_lock(folder, check=refuse))
        _require_movable(library, old, new)
        found = _compare(library, old, new)
        if not force and found.same_size < found.checked * REQUIRED_SHARE:
            raise RootMismatch(new, found.checked, found.same_size)
        if dry_run:
            return found
        writer = held.enter_context(library.exclusive(waiting))
        with writer.transaction() as connection:
            albums = _move_albums(connection, old, new, move_paths)
            _move(connection, old, new)
    return MovedRoot(old, new, found.pictures, found.checked, found.same_size, found.same_time, albums)


def _require_movable(library: Library, old: Path, new: Path) -> None:
    with library.read() as connection:
        rows = connection.execute(select(Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id))
        roots = [Path(os.fsdecode(row.path)) for row in rows]
    if old not in roots:
        raise UnknownRoot(old, tuple(roots))
    for other in roots:
        if other != old and (new.is_relative_to(other) or other.is_relative_to(new)):
            raise RootOverlaps(new, other)
    if not new.is_dir():
        raise FolderNotFound(new)


def _compare(library: Library, old: Path, new: Path) -> MovedRoot:
    """Compare a sample of the files of `old`, as the catalogue has them, with those in `new`."""
    with library.read() as connection:
        root_id = connection.scalar(select(Root.id).where(Root.path == os.fsencode(old)))
        present = (Picture.root_id == root_id, Picture.state == PictureState.PRESENT)
        number = connection.scalar(select(func.count(Picture.id)).where(*present)) or 0
        numbered = select(
            Picture.relpath, Picture.size, Picture.mtime_ns, func.row_number().over(order_by=Picture.id).label("number")
        ).where(*present)
        rows = numbered.subquery()
        step = max(1, number // SAMPLE)
        sample = connection.execute(select(rows).where(rows.c.number % step == 0).limit(SAMPLE)).all()
        condition = connection.execute(select(Album.condition).where(Album.by_hand.is_(False))).scalars()
        albums = sum(moved_condition(text, {old: new}) != text for text in condition)
    found = [(row, _status(new, row.relpath)) for row in sample]
    same = [(row, status) for row, status in found if status is not None and status.st_size == row.size]
    same_time = sum(abs(modified_ns(status) - row.mtime_ns) <= TIME_TOLERANCE_NS for row, status in same)
    return MovedRoot(old, new, number, len(sample), len(same), same_time, albums)


def _status(folder: Path, relpath: bytes) -> os.stat_result | None:
    try:
        return os.stat(os.path.join(os.fsencode(folder), relpath))  # noqa: PTH116, PTH118 (bytes)
    except OSError:
        return None


def _move(connection: Connection, old: Path, new: Path) -> None:
    root_id = connection.scalar(select(Root.id).where(Root.path == os.fsencode(old)))
    if root_id is None:
        raise UnknownRoot(old, ())
    connection.execute(update(Root).where(Root.id == root_id).values(path=os.fsencode(new)))
    connection.execute(update(Picture).where(Picture.root_id == root_id).values(ctime_ns=None, inode=None))


def _move_albums(connection: Connection, old: Path, new: Path, move_paths: MovePaths) -> int:
    """Change the folders in the filters of saved searches; return how many follow."""
    searches: Sequence[tuple[int, str, str | None]] = [
        (row.id, row.query, row.condition)
        for row in connection.execute(select(Album.id, Album.query, Album.condition).where(Album.by_hand.is_(False)))
    ]
    moved = 0
    for album_id, query, condition in searches:
        changed = moved_condition(condition, {old: new})
        if changed != condition:
            values = {"condition": changed, "query": move_paths(query, {old: new})}
            connection.execute(update(Album).where(Album.id == album_id).values(values))
            moved += 1
    return moved
