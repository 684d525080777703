"""Where the folders of another library are in this one, if the user did not say so and they are not at their paths.

Either an earlier merge was told, so that their pictures are here already; or the library was carried along with them.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from core.foreign_paths import is_same_path
from core.object_paths import ObjectPath, as_path
from store.catalog.carried_roots import find_carried_roots
from store.catalog.tables import Content, Picture, PictureState, Root, RootKind
from store.library import Library
from store.root_samples import sample_root
from store.roots import locate_by_any_name

__all__ = ["find_places", "has_files", "roots_to_move"]

SAMPLE = 200
"""Pictures of a root that are looked for here."""

REQUIRED_SHARE = 0.5
"""Share of them that must be here, with the same content, in one folder."""

SAME_FILES = 0.9
"""Share of the files of a sample that must be at the new place of a root of this library, as for `move_roots`."""


def find_places(library: Library, other: Library, moved: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return `moved`, and the places of further roots of the other library that are not at their paths."""
    places = dict(moved)
    with other.read() as theirs, library.read() as ours:
        statement = select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER).order_by(Root.id)
        rows = [(row.id, as_path(row.path)) for row in theirs.execute(statement)]
        lost = [(id_, path) for id_, path in rows if not _is_named(path, moved) and not has_files(path)]
        lost = [(id_, path) for id_, path in lost if locate_by_any_name(ours, path) is None]
        carried = find_carried_roots(theirs, other.path) if lost else {}
        for root_id, path in lost:
            place = _place_of_pictures(ours, _sample(theirs, root_id))
            if place is None and os.fsencode(path) in carried:
                place = as_path(carried[os.fsencode(path)])
            if place is not None:
                places[path] = place
    return places


def roots_to_move(library: Library, moved: Mapping[Path, Path]) -> dict[Path, Path]:
    """Return those of `moved` that are roots of this library, too, with their files at the new place.

    An earlier merge added them without being told where they are.
    """
    found = {}
    with library.read() as connection:
        for old, new in moved.items():
            location = locate_by_any_name(connection, old) if old.is_absolute() and not has_files(old) else None
            if location is None or location.beneath or locate_by_any_name(connection, new) is not None:
                continue
            sample = sample_root(connection, location.root, new)
            if sample.checked and sample.has(SAME_FILES):
                found[location.root] = new
    return found


def has_files(folder: Path) -> bool:
    """Return whether a folder is there and not empty, as the mount point of a disk that is away is.

    Objects have the same path on all machines.
    """
    if isinstance(folder, ObjectPath):
        return True
    try:
        return any(True for _ in folder.iterdir())
    except OSError:
        return False


def _is_named(path: Path, moved: Mapping[Path, Path]) -> bool:
    return any(is_same_path(os.fspath(old), os.fspath(path)) for old in moved)


def _sample(connection: Connection, root_id: int) -> Sequence[tuple[bytes, bytes]]:
    """Return digests and relative paths of some pictures of a root."""
    present = (Picture.root_id == root_id, Picture.state == PictureState.PRESENT)
    statement = select(Content.digest, Picture.relpath).join(Content, Content.id == Picture.content_id).where(*present)
    return [(row.digest, row.relpath) for row in connection.execute(statement.order_by(Picture.id).limit(SAMPLE))]


def _place_of_pictures(connection: Connection, sample: Sequence[tuple[bytes, bytes]]) -> Path | None:
    """Return the folder in which this library has the pictures of `sample`, with the same contents and paths."""
    wanted = Counter[bytes]()
    by_digest: dict[bytes, list[bytes]] = {}
    for digest, relpath in sample:
        by_digest.setdefault(digest, []).append(relpath)
    statement = (
        select(Content.digest, Root.path, Picture.relpath)
        .join(Picture, Picture.content_id == Content.id)
        .join(Root, Root.id == Picture.root_id)
        .where(Content.digest.in_(list(by_digest)), Root.kind == RootKind.FOLDER)
    )
    for row in connection.execute(statement):
        full = row.path.rstrip(b"/") + b"/" + row.relpath
        for relpath in by_digest[row.digest]:
            folder = full.removesuffix(b"/" + relpath)
            if folder != full and (folder + b"/").startswith(row.path.rstrip(b"/") + b"/"):
                wanted[folder] += 1
    if not wanted:
        return None
    (folder, number), *_ = sorted(wanted.items(), key=lambda item: (-item[1], item[0]))
    return as_path(folder) if number >= max(1, len(sample) * REQUIRED_SHARE) else None
