"""The folders of a library as a tree, with the number of pictures in each, as the catalogue has them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from store.catalog.collation import fold
from store.catalog.tables import Picture, PictureState, Root, RootKind
from store.library import Library
from store.roots import RootLocation, within

__all__ = ["MAX_FOLDERS", "Folder", "FolderContents", "FolderName", "list_folder"]

MAX_FOLDERS = 5_000
"""Folders in one listing, the first by name."""

_IMPORTED = b"imported:"
_ID = re.compile(r"([0-9]{1,18})(?:/([^\0]+))?")
_NOWHERE = (b"", b".", b"..")


@dataclass(frozen=True)
class FolderName:
    """A folder of the library, or a collection of imported documents."""

    id: str
    """The ID of its root, and its path below it with bytes escaped as in a URI."""
    path: bytes
    """The absolute path; the name of a collection."""
    kind: RootKind

    @property
    def name(self) -> bytes:
        """The last part of the path."""
        return self.path.rpartition(b"/")[2] or self.path


@dataclass(frozen=True)
class Folder(FolderName):
    """A folder with at least one present picture in or below it."""

    inside: int
    """Number of present pictures directly in it."""
    below: int
    """The same, in it and in all folders below it."""
    has_folders: bool
    cover: int | None
    """The content of it that was added last, to be shown; None for a collection."""


@dataclass(frozen=True)
class FolderContents:
    """A folder, those above it from its root on, and those in it, by name."""

    folder: Folder | None
    """None for the list of roots."""
    above: tuple[FolderName, ...]
    folders: tuple[Folder, ...]
    total: int
    """Number of folders in it; `folders` has the first `MAX_FOLDERS`."""


def list_folder(library: Library, folder_id: str | None = None) -> FolderContents | None:
    """List the folders in a folder of the library, or its roots.

    Returns None if there is no such folder, or if no picture in or below it is present. The paths of files are read
    from the catalogue only, so an ID cannot lead out of the library.
    """
    with library.read() as connection:
        if folder_id is None:
            roots = _roots(connection)
            return FolderContents(None, (), roots, len(roots))
        found = _located(connection, folder_id)
        if found is None:
            return None
        location, kind = found
        groups = _groups(connection, location)
    if not groups:
        return None
    *above, name = (_name(each, kind) for each in _chain(location))
    folder = _with_counts(name, groups, sum(group.below for group in groups if not group.name))
    if kind is RootKind.COLLECTION:
        return FolderContents(folder, (), (), 0)
    inner = [
        _with_counts(_name(_below(location, group.name), kind), [group], group.inside) for group in groups if group.name
    ]
    inner.sort(key=_by_name)
    return FolderContents(folder, tuple(above), tuple(inner[:MAX_FOLDERS]), len(inner))


def _by_name(folder: FolderName) -> tuple[list[str | int], bytes]:
    """Sort names as people do: without regard to case, and `Day 9` before `Day 10`."""
    parts = re.split("([0-9]+)", fold(folder.name.decode("utf-8", "replace")))
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], folder.name


class _Group(NamedTuple):
    """The pictures in a folder whose paths have the same next part; an empty name for those directly in it."""

    name: bytes
    below: int
    inside: int
    """How many of them are directly in the folder of this name."""
    cover: int | None


def _roots(connection: Connection) -> tuple[Folder, ...]:
    statement = (
        _counts(func.instr(Picture.relpath, literal(b"/")))
        .add_columns(Root.id, Root.path, Root.kind)
        .join(Root, Root.id == Picture.root_id)
        .group_by(Root.id)
        .order_by(Root.path)
    )
    roots = []
    for *counts, root_id, path, kind in connection.execute(statement):
        name = _name(RootLocation(root_id, Path(os.fsdecode(path)), b""), RootKind(kind))
        group = _Group(b"", *counts)
        roots.append(_with_counts(name, [group], group.inside))
    return tuple(roots)


def _located(connection: Connection, folder_id: str) -> tuple[RootLocation, RootKind] | None:
    """Return what an ID stands for, if the library has its root; whether the folder exists is not looked up."""
    match = _ID.fullmatch(folder_id)
    beneath = unquote_to_bytes(match[2]) if match and match[2] else b""
    if match is None or (beneath and any(part in _NOWHERE for part in beneath.split(b"/"))):
        return None
    row = connection.execute(select(Root.path, Root.kind).where(Root.id == int(match[1]))).one_or_none()
    if row is None or (beneath and row.kind != RootKind.FOLDER):
        return None
    return RootLocation(int(match[1]), Path(os.fsdecode(row.path)), beneath), RootKind(row.kind)


def _groups(connection: Connection, location: RootLocation) -> list[_Group]:
    """Group the pictures in and below a folder by the folder in it that leads to them."""
    rest = func.substr(Picture.relpath, len(location.beneath) + 2 if location.beneath else 1)
    slash = func.instr(rest, literal(b"/"))
    name = case((slash > 0, func.substr(rest, 1, slash - 1)), else_=b"")
    statement = (
        _counts(func.instr(func.substr(rest, slash + 1), literal(b"/")))
        .add_columns(name.label("name"))
        .where(*within(location), Picture.relpath != location.beneath)  # a file is not a folder
        .group_by("name")
    )
    return [_Group(bytes(name), *counts) for *counts, name in connection.execute(statement)]


def _counts(slash: ColumnElement[int]) -> Select[Any]:
    """Count present pictures, and those of them in whose path no `slash` was found."""
    number = func.count()
    # `coalesce` keeps SQLite from the index of states, since nearly all files are present.
    is_present = func.coalesce(Picture.state, PictureState.MISSING) == PictureState.PRESENT
    counts: tuple[ColumnElement[Any], ...] = (number, number.filter(slash == 0), func.max(Picture.content_id))
    return select(*counts).select_from(Picture).where(is_present)


def _with_counts(name: FolderName, groups: Sequence[_Group], inside: int) -> Folder:
    is_folder = name.kind is RootKind.FOLDER
    below = sum(group.below for group in groups)
    covers = [group.cover for group in groups if group.cover is not None]
    return Folder(
        name.id,
        name.path,
        name.kind,
        inside=inside if is_folder else below,  # the ID of a document is no path
        below=below,
        has_folders=is_folder and below > inside,
        cover=max(covers) if covers and is_folder else None,
    )


def _chain(location: RootLocation) -> list[RootLocation]:
    """Return the root of a folder, the folders between, and the folder."""
    parts = location.beneath.split(b"/") if location.beneath else []
    return [RootLocation(location.root_id, location.root, b"/".join(parts[:end])) for end in range(len(parts) + 1)]


def _below(location: RootLocation, name: bytes) -> RootLocation:
    beneath = location.beneath + b"/" + name if location.beneath else name
    return RootLocation(location.root_id, location.root, beneath)


def _name(location: RootLocation, kind: RootKind) -> FolderName:
    beneath = quote_from_bytes(location.beneath, safe="/ ")
    path = os.fsencode(location.root / os.fsdecode(location.beneath))
    return FolderName(
        id=f"{location.root_id}/{beneath}" if beneath else str(location.root_id),
        path=path if kind is RootKind.FOLDER else path.removeprefix(_IMPORTED),
        kind=kind,
    )
