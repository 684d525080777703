"""SQL functions that SQLite lacks: comparison of free texts, and distances.

They are called for each row that the other conditions of a query leave, and never raise: they return NULL for invalid
values.
"""

import sqlite3

from store.catalog.collation import fold, matches
from store.catalog.geography import distance

__all__ = ["register_functions"]


def register_functions(connection: sqlite3.Connection) -> None:
    """Register the functions with a connection."""
    connection.create_function("sightline_fold", 1, _fold, deterministic=True)
    connection.create_function("sightline_like", 2, _like, deterministic=True)
    connection.create_function("sightline_metres", 4, _metres, deterministic=True)


def _fold(text: object) -> str | None:
    return fold(text) if isinstance(text, str) else None


def _like(text: object, pattern: object) -> bool | None:
    return matches(text, pattern) if isinstance(text, str) and isinstance(pattern, str) else None


def _metres(latitude: object, longitude: object, other_latitude: object, other_longitude: object) -> float | None:
    numbers = (latitude, longitude, other_latitude, other_longitude)
    valid = [number for number in numbers if isinstance(number, (int, float))]
    return distance(*valid) if len(valid) == len(numbers) else None
