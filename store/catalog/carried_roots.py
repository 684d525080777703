"""Roots of a library that is read only, and that was carried along with its pictures: where they are now.

A library on a stick names its folders by the paths that they have where it was made. Where the stick is mounted
elsewhere, and the library can be changed, `store.moved_roots` writes the new paths. Where it cannot, they are found
beside the library each time it is opened, and connections see them in place of the stored ones.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, select

from core.object_paths import ObjectPath, as_path
from store.catalog.tables import Picture, PictureState, Root, RootKind

__all__ = ["find_carried_roots", "show_carried_roots"]

SAMPLE = 50
"""Pictures of a root that are looked for at another place."""

REQUIRED_SHARE = 0.9
"""Share of them that must be there with the size they had."""


def find_carried_roots(connection: Connection, library: Path) -> dict[bytes, bytes]:
    """Return the roots that are not at their path, but near the library in the folder `library`: old -> new path.

    A root is looked for in the folders above the library, the nearest first, by the last names of its path, as many as
    possible. It counts if its pictures are there.
    """
    rows = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)).all()
    carried: dict[bytes, bytes] = {}
    for row in rows:
        old = as_path(row.path)
        if isinstance(old, ObjectPath) or old.is_dir():
            continue
        sample = _sample(connection, row.id)
        new = next((path for path in _places(old, library) if sample and _has(path, sample)), None)
        if new is not None:
            carried[row.path] = os.fsencode(new)
    return carried


def show_carried_roots(connection: sqlite3.Connection, carried: Mapping[bytes, bytes]) -> None:
    """Have the statements of a connection read other paths of roots. The catalogue itself stays as it is."""
    columns = [row[1] for row in connection.execute("PRAGMA main.table_info(roots)")]
    moves = " ".join(f"WHEN x'{old.hex()}' THEN x'{new.hex()}'" for old, new in carried.items())
    shown = ", ".join(f"CASE path {moves} ELSE path END AS path" if name == "path" else name for name in columns)
    connection.execute(f"CREATE TEMP VIEW roots AS SELECT {shown} FROM main.roots")


def _places(old: Path, library: Path) -> Iterator[Path]:
    names = old.parts[1:]
    for folder in library.parents:
        if folder == folder.parent:
            return
        for start in range(1, len(names)):
            if (place := folder.joinpath(*names[start:])).is_dir():
                yield place
        if folder.name == old.name:  # all of the stick
            yield folder


def _sample(connection: Connection, root_id: int) -> list[tuple[bytes, int]]:
    present = (Picture.root_id == root_id, Picture.state == PictureState.PRESENT)
    statement = select(Picture.relpath, Picture.size).where(*present).order_by(Picture.id).limit(SAMPLE)
    return [(row.relpath, row.size) for row in connection.execute(statement)]


def _has(folder: Path, sample: list[tuple[bytes, int]]) -> bool:
    return sum(_size(folder, relpath) == size for relpath, size in sample) >= len(sample) * REQUIRED_SHARE


def _size(folder: Path, relpath: bytes) -> int | None:
    try:
        return os.stat(os.path.join(os.fsencode(folder), relpath)).st_size  # noqa: PTH116, PTH118 (bytes)
    except OSError:
        return None
