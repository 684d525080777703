"""Where the folders of another library are in this one. Roots never overlap, also not after a merge."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, select

from core.errors import FolderNotFound, ForeignRoot, UnknownRoot
from core.foreign_paths import is_same_path
from core.object_paths import as_path
from core.root_files import is_folder
from store.catalog.tables import Root, RootKind
from store.roots import RootLocation, locate_by_any_name

__all__ = ["MergedRoot", "RootRelation", "paths_here", "place_roots", "relpath_here", "roots_below"]


class RootRelation(StrEnum):
    """How a root of the other library is related to the roots of this one."""

    SAME = "same"
    """Both have this folder."""
    INSIDE = "inside"
    """It is in a root of this library, which gets its pictures."""
    AROUND = "around"
    """Roots of this library are in it. They become part of it."""
    NEW = "new"
    """It is added."""


@dataclass(frozen=True)
class MergedRoot:
    """A root of the other library, and its place in this one."""

    other: Path
    """Its path in the other library."""
    path: Path
    """Its path here, which differs if the merge was told so, or if this library has the folder by another name."""
    root: Path
    """The root of this library that has its pictures afterwards."""
    relation: RootRelation


def place_roots(connection: Connection, other: Sequence[bytes], moved: Mapping[Path, Path]) -> list[MergedRoot]:
    """Return the places of the roots `other`, given as file system bytes; `moved` says where they are here.

    Raises `UnknownRoot`, `FolderNotFound` and `ForeignRoot` as `paths_here` does.
    """
    return [_place(connection, old, new) for old, new in paths_here(other, moved).items()]


def paths_here(other: Sequence[bytes], moved: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return the paths that the roots `other` have here, by their paths in the other library.

    Raises `UnknownRoot` if `moved` names another root; `FolderNotFound` if a folder to which one was moved is not
    there; and `ForeignRoot` for a path of another operating system.
    """
    paths = [as_path(path) for path in other]
    for named, new in moved.items():
        if not any(is_same_path(os.fspath(named), os.fspath(path)) for path in paths):
            raise UnknownRoot(named, tuple(paths))
        if not is_folder(new):
            raise FolderNotFound(new)
    here = {path: _path_here(path, moved) for path in paths}
    for old, new in here.items():
        if not new.is_absolute():
            raise ForeignRoot(str(old))
    return here


def _path_here(path: Path, moved: Mapping[Path, Path]) -> Path:
    return next((new for old, new in moved.items() if is_same_path(os.fspath(old), os.fspath(path))), path)


def _place(connection: Connection, other: Path, path: Path) -> MergedRoot:
    location = locate_by_any_name(connection, path)
    if location is not None:
        relation = RootRelation.INSIDE if location.beneath else RootRelation.SAME
        # Filters compare names of folders. One that is a link, or is spelt otherwise, gets the name that it has here.
        return MergedRoot(other, location.root / os.fsdecode(location.beneath), location.root, relation)
    relation = RootRelation.AROUND if roots_below(connection, path) else RootRelation.NEW
    return MergedRoot(other, path, path, relation)


def roots_below(connection: Connection, path: Path) -> list[Path]:
    """Return the roots of the library that are in the folder `path`."""
    rows = connection.execute(select(Root.path).where(Root.kind == RootKind.FOLDER)).scalars()
    return [root for root in (as_path(row) for row in rows) if root != path and root.is_relative_to(path)]


def relpath_here(location: RootLocation, relpath: bytes) -> bytes:
    """Return the path of a file of the other library, relative to the root at whose `location` its root is."""
    return location.beneath + b"/" + relpath if location.beneath else relpath
