"""The folders of a library as a tree, with the number of pictures in each, as the catalogue has them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sqlalchemy import Connection, select

from core.object_paths import as_path
from store.catalog.collation import fold
from store.catalog.tables import Root, RootKind
from store.kept_counts.block_counts import BlockCounts, FolderCount
from store.kept_counts.keeping import count_everything
from store.library import Library
from store.roots import RootLocation, is_finished_collection

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
        names = None if folder_id is not None else _root_names(connection)
        found = None if folder_id is None else _located(connection, folder_id)
    if names is not None:
        roots = _roots(count_everything(library), names)
        return FolderContents(None, (), roots, len(roots))
    if found is None:
        return None
    location, kind = found
    groups = _groups(count_everything(library), location)
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
    below: int = 0
    inside: int = 0
    """How many of them are directly in the folder of this name."""
    cover: int | None = None

    def and_files(self, count: FolderCount, *, is_inside: bool) -> "_Group":
        """Return the group with the files of one more folder."""
        inside = self.inside + (count.files if is_inside else 0)
        return _Group(self.name, self.below + count.files, inside, max(count.cover, self.cover or 0))


def _root_names(connection: Connection) -> dict[int, FolderName]:
    """Return the names of all roots by ID, in the order of their paths."""
    is_shown = (Root.kind == RootKind.FOLDER) | is_finished_collection()
    rows = connection.execute(select(Root.id, Root.path, Root.kind).where(is_shown).order_by(Root.path))
    return {row.id: _name(RootLocation(row.id, as_path(row.path), b""), RootKind(row.kind)) for row in rows}


def _roots(counts: BlockCounts, names: Mapping[int, FolderName]) -> tuple[Folder, ...]:
    groups: dict[int, _Group] = {}
    for (root, folder), count in counts.folders.items():
        groups[root] = groups.get(root, _Group(b"")).and_files(count, is_inside=not folder)
    known = ((name, groups[root]) for root, name in names.items() if root in groups)
    return tuple(_with_counts(name, [group], group.inside) for name, group in known)


def _located(connection: Connection, folder_id: str) -> tuple[RootLocation, RootKind] | None:
    """Return what an ID stands for, if the library has its root; whether the folder exists is not looked up."""
    match = _ID.fullmatch(folder_id)
    beneath = unquote_to_bytes(match[2]) if match and match[2] else b""
    if match is None or (beneath and any(part in _NOWHERE for part in beneath.split(b"/"))):
        return None
    row = connection.execute(select(Root.path, Root.kind).where(Root.id == int(match[1]))).one_or_none()
    if row is None or (beneath and row.kind != RootKind.FOLDER):
        return None
    return RootLocation(int(match[1]), as_path(row.path), beneath), RootKind(row.kind)


def _groups(counts: BlockCounts, location: RootLocation) -> list[_Group]:
    """Group the pictures in and below a folder by the folder in it that leads to them."""
    groups: dict[bytes, _Group] = {}
    prefix = location.beneath + b"/" if location.beneath else b""
    for (root, folder), count in counts.folders.items():
        if root == location.root_id and (folder == location.beneath or folder.startswith(prefix)):
            rest = folder[len(prefix) :]
            name = rest.partition(b"/")[0]
            groups[name] = groups.get(name, _Group(name)).and_files(count, is_inside=rest == name)
    return list(groups.values())


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
