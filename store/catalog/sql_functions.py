"""What SQLite cannot say by itself, as functions of its: comparing names as people do, distances on the globe.

They are called once for each row that other conditions have left. None of them raises, whatever is in the catalogue.
"""

import os
import sqlite3

from store.catalog.collation import fold, matches
from store.catalog.geography import distance

__all__ = ["register_functions"]


def register_functions(connection: sqlite3.Connection) -> None:
    """Makes them known to a connection."""
    connection.create_function("sightline_fold", 1, _fold, deterministic=True)
    connection.create_function("sightline_like", 2, _like, deterministic=True)
    connection.create_function("sightline_path", 2, _path, deterministic=True)
    connection.create_function("sightline_name", 1, _name, deterministic=True)
    connection.create_function("sightline_folder", 1, _folder, deterministic=True)
    connection.create_function("sightline_metres", 4, _metres, deterministic=True)


def _fold(text: object) -> str | None:
    return fold(text) if isinstance(text, str) else None


def _like(text: object, pattern: object) -> bool | None:
    return matches(text, pattern) if isinstance(text, str) and isinstance(pattern, str) else None


def _path(root: object, relpath: object) -> str | None:
    """The whole path of a file, as text; bytes that are not UTF-8 are question marks of Unicode."""
    if not isinstance(root, bytes) or not isinstance(relpath, bytes):
        return None
    return os.path.join(root, relpath).decode("utf-8", "replace")  # noqa: PTH118 (bytes)


def _name(relpath: object) -> str | None:
    """The name of a file alone."""
    return relpath.rpartition(b"/")[2].decode("utf-8", "replace") if isinstance(relpath, bytes) else None


def _folder(relpath: object) -> bytes | None:
    """Where a file lies, relative to its root."""
    return relpath.rpartition(b"/")[0] if isinstance(relpath, bytes) else None


def _metres(latitude: object, longitude: object, other_latitude: object, other_longitude: object) -> float | None:
    numbers = (latitude, longitude, other_latitude, other_longitude)
    known = [number for number in numbers if isinstance(number, (int, float))]
    return distance(*known) if len(known) == len(numbers) else None
