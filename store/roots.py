"""The folders a library covers. Roots never overlap: a folder beneath a root is a part of it."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, literal_column, select, update

from store.catalog.tables import Picture, Root, RootKind, State
from store.library import Library

__all__ = [
    "FolderRoots",
    "Place",
    "RootCounts",
    "absolute",
    "collection_path",
    "count_present",
    "ensure_root",
    "find_place",
    "folder_roots",
    "list_roots",
    "locate",
    "places_at",
    "within",
]


@dataclass(frozen=True)
class Place:
    """A path as a library sees it: a root, and what lies `beneath` it (empty for the root itself)."""

    root_id: int
    root: Path
    beneath: bytes


@dataclass(frozen=True)
class RootCounts:
    """How the pictures of a root stand."""

    path: Path
    present: int
    missing: int
    failed: int


def absolute(path: Path) -> Path:
    """`path` from the root of the file system on. Links stay as the user named them; `..` does not."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def locate(connection: Connection, path: Path) -> Place | None:
    """Where `path` (absolute) lies in the library; None when no root covers it."""
    wanted = os.fsencode(path)
    for row in connection.execute(select(Root.id, Root.path)):
        if wanted == row.path:
            return Place(row.id, path, b"")
        if wanted.startswith(_folder(row.path)):
            return Place(row.id, Path(os.fsdecode(row.path)), wanted[len(_folder(row.path)) :])
    return None


def places_at(connection: Connection, path: Path) -> list[Place]:
    """What the library covers of `path` (absolute): the place itself, or the folders beneath it that are roots."""
    place = locate(connection, path)
    if place is not None:
        return [place]
    outer = _folder(os.fsencode(path))
    roots = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)).all()
    return [Place(row.id, Path(os.fsdecode(row.path)), b"") for row in roots if row.path.startswith(outer)]


class FolderRoots:
    """The folders a library covers, asked once: for places by the thousand. A collection is none of them."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER))
        self._prefixes = [(row.id, _folder(row.path)) for row in rows]

    def locate(self, path: bytes) -> tuple[int, bytes] | None:
        """The root that covers the file `path` (absolute), and its path beneath that; None when no root does."""
        path = os.path.normpath(path)
        for root_id, prefix in self._prefixes:
            if path.startswith(prefix):
                return root_id, path[len(prefix) :]
        return None


def collection_path(space: str) -> bytes:
    """Where the documents of the imported space of this name are rooted: no path of a folder, which is absolute."""
    return b"imported:" + os.fsencode(space)


def folder_roots(connection: Connection) -> list[tuple[int, Path]]:
    """The folders a library covers, each with the number of its root."""
    rows = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id))
    return [(row.id, Path(os.fsdecode(row.path))) for row in rows]


def ensure_root(library: Library, path: Path) -> Place:
    """The place of the folder `path`, which becomes a root unless one covers it, under this name or another.

    Roots beneath a new root become parts of it.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 (links are kept as the user named them; `..` is not)
    with library.write() as connection:
        known = locate(connection, path) or _locate_by_another_name(connection, path)
        if known is not None:
            return known
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(insert(Root).values(path=os.fsencode(path), added_at=now))
        place = locate(connection, path)
        if place is None:
            raise RuntimeError(f"{path} was added and is not there")
        _absorb(connection, place)
        return place


def find_place(library: Library, path: Path) -> Place | None:
    """Where `path` (absolute) lies in the library; None when no root covers it."""
    with library.read() as connection:
        return locate(connection, path)


def count_present(library: Library, place: Place) -> int:
    """How many pictures at or beneath `place` are present."""
    statement = select(func.count(Picture.id)).where(*within(place), Picture.state == State.PRESENT)
    with library.read() as connection:
        return connection.scalar(statement) or 0


def list_roots(library: Library) -> list[RootCounts]:
    """Every folder with its counts by state."""
    count = func.count(Picture.id)
    with library.read() as connection:
        rows = connection.execute(
            select(
                Root.path,
                count.filter(Picture.state == State.PRESENT).label("present"),
                count.filter(Picture.state == State.MISSING).label("missing"),
                count.filter(Picture.state == State.FAILED).label("failed"),
            )
            .outerjoin(Picture, Picture.root_id == Root.id)
            .where(Root.kind == RootKind.FOLDER)
            .group_by(Root.id)
            .order_by(Root.id)
        ).all()
    return [RootCounts(Path(os.fsdecode(row.path)), row.present, row.missing, row.failed) for row in rows]


def within(place: Place) -> list[ColumnElement[bool]]:
    """Conditions on `Picture` that hold for `place` itself and everything beneath it.

    A range over bytes, not LIKE, in which `_` and `%` of a file's name would be wildcards.
    """
    conditions: list[ColumnElement[bool]] = [Picture.root_id == place.root_id]
    if place.beneath:
        inside = (Picture.relpath >= place.beneath + b"/") & (Picture.relpath < place.beneath + b"0")  # "0" is "/" + 1
        conditions.append((Picture.relpath == place.beneath) | inside)
    return conditions


def _locate_by_another_name(connection: Connection, path: Path) -> Place | None:
    """Where `path` lies if a link, or another spelling on a disk that knows no case, leads to the same folder."""
    real = path.resolve()
    for row in connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)):
        named = Path(os.fsdecode(row.path))
        root = named.resolve()
        if _same_folder(real, root):
            return Place(row.id, named, b"")
        if real.is_relative_to(root):
            return Place(row.id, named, os.fsencode(real.relative_to(root)))
    return None


def _same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not mounted
        return False


def _absorb(connection: Connection, place: Place) -> None:
    """Makes the roots that lie beneath a new root parts of it; their pictures keep their rows and vectors."""
    outer = _folder(os.fsencode(place.root))
    for row in connection.execute(select(Root.id, Root.path)).all():
        if row.id == place.root_id or not row.path.startswith(outer):
            continue
        prefix = _folder(row.path[len(outer) :])
        pictures = connection.execute(select(Picture.id, Picture.relpath).where(Picture.root_id == row.id)).all()
        if pictures:
            connection.execute(
                update(Picture)
                .where(Picture.id == bindparam("picture"))
                .values(root_id=literal_column(str(place.root_id)), relpath=bindparam("moved")),
                [{"picture": picture.id, "moved": prefix + picture.relpath} for picture in pictures],
            )
        connection.execute(delete(Root).where(Root.id == row.id))


def _folder(path: bytes) -> bytes:
    """`path` with one `/` at its end, so that `/photos` is no parent of `/photos-private`."""
    return path if path.endswith(b"/") else path + b"/"
