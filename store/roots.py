"""The root folders of a library. Roots never overlap: a folder below a root belongs to that root."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, literal_column, select, update

from core.files import absolute
from core.object_paths import as_path, object_path
from core.space import Space
from store.catalog.path_keys import folder_of, path_key
from store.catalog.root_paths import path_here, roots_here_below
from store.catalog.tables import Picture, PictureState, ReplacedContent, Root, RootKind
from store.catalog.tables.mapping import Aliased
from store.library import Library, Writer

__all__ = [
    "FolderRoots",
    "RootCounts",
    "RootLocation",
    "collection_of",
    "collection_path",
    "count_present",
    "ensure_root",
    "ensure_root_in",
    "find_location",
    "folder_roots",
    "in_finished_root",
    "is_finished_collection",
    "list_roots",
    "locate",
    "locate_by_any_name",
    "locations_at",
    "prefixes_below",
    "within",
]


@dataclass(frozen=True)
class RootLocation:
    """A path in the library: a root and the path relative to it (`beneath`, empty for the root itself)."""

    root_id: int
    root: Path
    beneath: bytes


@dataclass(frozen=True)
class RootCounts:
    """The number of pictures of a root, by state."""

    path: Path
    present: int
    missing: int
    failed: int


def locate(connection: Connection, path: Path) -> RootLocation | None:
    """Return the location of the absolute `path`, or None if no root covers it.

    It may also be named as the catalogue of a server names it, see `store.root_places`.
    """
    encoded = os.fsencode(path)
    found = _locate_here(connection, encoded)
    if found is None and (here := path_here(connection.dialect, encoded)) is not None:
        return _locate_here(connection, here)
    return found


def _locate_here(connection: Connection, encoded: bytes) -> RootLocation | None:
    for row in connection.execute(select(Root.id, Root.path)):
        if encoded == row.path:
            return RootLocation(row.id, as_path(encoded), b"")
        prefix = _with_slash(row.path)
        if encoded.startswith(prefix):
            return RootLocation(row.id, as_path(row.path), encoded[len(prefix) :])
    return None


def locations_at(connection: Connection, path: Path) -> list[RootLocation]:
    """Return the location of the absolute `path`, or those of all root folders below it if no root covers it.

    These may also be below it as the catalogue of a server names them.
    """
    location = locate(connection, path)
    if location is not None:
        return [location]
    outer = _with_slash(os.fsencode(path))
    roots = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)).all()
    below = roots_here_below(connection.dialect, outer)
    inside = [row for row in roots if row.path.startswith(outer) or row.path in below]
    return [RootLocation(row.id, as_path(row.path), b"") for row in inside]


class FolderRoots:
    """A snapshot of the root folders, to locate many files without a query for each. Collections are left out."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER))
        self._prefixes = [(row.id, _with_slash(row.path)) for row in rows]
        self._has_objects = any(object_path(os.fsdecode(prefix)) for _, prefix in self._prefixes)

    def locate(self, path: bytes, base: bytes = b"") -> tuple[int, bytes] | None:
        """Return the ID of the root that covers `path`, and the path relative to it, or None.

        A path that is not absolute starts at `base`.
        """
        if not self._prefixes:
            return None
        full = os.path.join(base, path)  # noqa: PTH118 - faster than Path
        if self._has_objects:
            objects = object_path(os.fsdecode(path)) or object_path(os.fsdecode(full))
            if objects is not None:
                return self._locate(os.fsencode(objects))
        return self._locate(os.path.normpath(full))

    def _locate(self, path: bytes) -> tuple[int, bytes] | None:
        for root_id, prefix in self._prefixes:
            if path.startswith(prefix):
                return root_id, path[len(prefix) :]
        return None


def collection_path(space: str) -> bytes:
    """Return the root path for the documents of an imported space. It cannot be a folder, whose path is absolute."""
    return b"imported:" + os.fsencode(space)


def collection_of(space: Space) -> bytes:
    """Return the root path for the documents of `space`. An unfinished one has a collection of its own."""
    if space.is_unfinished:
        return b"unfinished:%s:%s" % (space.fingerprint.encode(), os.fsencode(space.model))
    return collection_path(space.model)


def is_finished_collection() -> ColumnElement[bool]:
    """Return a condition on `Root`: it is the collection of a space whose import was completed."""
    return (Root.kind == RootKind.COLLECTION) & (Root.path >= b"imported:") & (Root.path < b"imported;")


def in_finished_root(
    connection: Connection, pictures: type[Picture] | Aliased[Picture] = Picture
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on `pictures` that leave out documents whose import was not completed; none nearly always.

    Such documents are in no list and no count until their space has its name.
    """
    statement = select(Root.id).where(Root.kind == RootKind.COLLECTION, ~is_finished_collection())
    unfinished = connection.execute(statement).scalars().all()
    return (pictures.root_id.not_in(unfinished),) if unfinished else ()


def folder_roots(library: Library) -> list[tuple[int, Path]]:
    """Return the root folders as pairs of ID and path."""
    statement = select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id)
    with library.read() as connection:
        rows = connection.execute(statement).all()
    return [(row.id, as_path(row.path)) for row in rows]


def ensure_root(writer: Writer, path: Path) -> RootLocation:
    """Return the location of the folder `path`, adding it as a root unless a root covers it, by any name.

    Existing roots below a new root are merged into it.
    """
    from store.ingest.mount_points import join_mount_points

    with writer.transaction() as connection:
        inner = prefixes_below(connection, absolute(path))
        location = ensure_root_in(connection, absolute(path))
    if inner:
        join_mount_points(writer.library, location.root_id, inner)
    return location


def ensure_root_in(connection: Connection, path: Path) -> RootLocation:
    """As `ensure_root`, of an absolute path within a transaction."""
    existing = locate_by_any_name(connection, path)
    if existing is not None:
        return existing
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(insert(Root).values(path=os.fsencode(path), added_at=now))
    location = locate(connection, path)
    if location is None:
        raise RuntimeError(f"The root {path} was added but cannot be found.")
    _merge_roots_below(connection, location)
    return location


def prefixes_below(connection: Connection, path: Path) -> dict[int, bytes]:
    """Return the roots below the absolute `path` by ID, as paths relative to it."""
    outer = _with_slash(os.fsencode(path))
    rows = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)).all()
    return {row.id: row.path[len(outer) :] for row in rows if row.path.startswith(outer)}


def locate_by_any_name(connection: Connection, path: Path) -> RootLocation | None:
    """As `locate`, also through symbolic links and other spellings of a folder that exists."""
    return locate(connection, path) or _locate_by_another_name(connection, path)


def find_location(library: Library, path: Path) -> RootLocation | None:
    """Return the location of the absolute `path`, or None if no root covers it."""
    with library.read() as connection:
        return locate(connection, path)


def count_present(library: Library, location: RootLocation) -> int:
    """Count the present pictures at or below `location`."""
    statement = select(func.count(Picture.id)).where(*within(location), Picture.state == PictureState.PRESENT)
    with library.read() as connection:
        return connection.scalar(statement) or 0


def list_roots(library: Library) -> list[RootCounts]:
    """Return every root folder with its pictures counted by state."""
    count = func.count(Picture.id)
    with library.read() as connection:
        rows = connection.execute(
            select(
                Root.path,
                count.filter(Picture.state == PictureState.PRESENT).label("present"),
                count.filter(Picture.state == PictureState.MISSING).label("missing"),
                count.filter(Picture.state == PictureState.FAILED).label("failed"),
            )
            .outerjoin(Picture, Picture.root_id == Root.id)
            .where(Root.kind == RootKind.FOLDER)
            .group_by(Root.id)
            .order_by(Root.id)
        ).all()
    return [RootCounts(as_path(row.path), row.present, row.missing, row.failed) for row in rows]


def within(location: RootLocation) -> list[ColumnElement[bool]]:
    """Return conditions on `Picture` that match everything at or below `location`.

    They compare byte ranges instead of using LIKE, where `_` and `%` in file names would be wildcards.
    """
    conditions: list[ColumnElement[bool]] = [Picture.root_id == location.root_id]
    if location.beneath:
        first, beyond = location.beneath + b"/", location.beneath + b"0"  # "0" is the character after "/"
        below = (Picture.relpath >= first) & (Picture.relpath < beyond)
        conditions.append((Picture.relpath == location.beneath) | below)
    return conditions


def _locate_by_another_name(connection: Connection, path: Path) -> RootLocation | None:
    """Locate `path` through symbolic links, or another spelling on a case-insensitive file system."""
    real = path.resolve()
    for row in connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)):
        named = as_path(row.path)
        root = named.resolve()
        if _same_folder(real, root):
            return RootLocation(row.id, named, b"")
        if real.is_relative_to(root):
            return RootLocation(row.id, named, os.fsencode(real.relative_to(root).as_posix()))
    return None


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # for example, not mounted
        return False


def _merge_roots_below(connection: Connection, location: RootLocation) -> None:
    """Move the pictures of all roots below a new root to it, keeping their rows and vectors."""
    outer = _with_slash(os.fsencode(location.root))
    for row in connection.execute(select(Root.id, Root.path)).all():
        if row.id == location.root_id or not row.path.startswith(outer):
            continue
        prefix = _with_slash(row.path[len(outer) :])
        pictures = connection.execute(select(Picture.id, Picture.relpath).where(Picture.root_id == row.id)).all()
        if pictures:
            connection.execute(
                update(Picture)
                .where(Picture.id == bindparam("picture"))
                .values(
                    root_id=literal_column(str(location.root_id)),
                    relpath=bindparam("moved"),
                    folder=bindparam("moved_folder"),
                    path_key=bindparam("moved_key"),
                ),
                [
                    {"picture": picture.id, "moved": path, "moved_folder": folder_of(path), "moved_key": path_key(path)}
                    for picture in pictures
                    for path in [prefix + picture.relpath]
                ],
            )
        moved = {"root_id": location.root_id, "beneath": location.beneath, "is_run_complete": False}
        connection.execute(update(ReplacedContent).where(ReplacedContent.root_id == row.id).values(moved))
        connection.execute(delete(Root).where(Root.id == row.id))


def _with_slash(path: bytes) -> bytes:
    """Return `path` ending in `/`, so that `/photos` is not a prefix of `/photos-private`."""
    return path if path.endswith(b"/") else path + b"/"
