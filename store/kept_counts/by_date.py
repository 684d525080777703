"""All contents with a present file by date, from the columns of their blocks.

Sorting reads all blocks once. Afterwards only blocks that have changed are read, and their contents merged with the
others. With ten million contents, the arrays take 170 MB.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from store.catalog.id_sets import Ids
from store.catalog.tables import BLOCK_SIZE
from store.kept_counts.keeping import block_versions, load_columns
from store.library import Library

__all__ = ["ByDate", "contents_by_date", "is_large"]

MIN_BLOCKS = 8
"""Blocks from which columns are sorted. With fewer, sorting rows in the database takes less time than reading the
columns of a block that has changed."""

MAX_CHANGED = 1 / 8
"""Share of the blocks that are merged with the others; with more, everything is sorted again."""


@dataclass(frozen=True)
class ByDate:
    """Contents (n,), newest first; equal dates by descending ID, undated ones last."""

    times: NDArray[np.int64]
    """As in `BlockColumns`."""
    ids: Ids
    shapes: NDArray[np.uint8]

    def take(self, rows: NDArray[np.generic]) -> "ByDate":
        """Return those at these places, or where a mask is true."""
        return ByDate(self.times[rows], self.ids[rows], self.shapes[rows])


_known: WeakKeyDictionary[Library, tuple[Mapping[int, int], ByDate]] = WeakKeyDictionary()


def is_large(connection: Connection) -> bool:
    """Return whether the library has so many contents that columns are sorted."""
    return len(block_versions(connection)) >= MIN_BLOCKS


def contents_by_date(library: Library, connection: Connection) -> ByDate:
    """Return all contents with a present file in the view of the catalogue of `connection`."""
    versions = block_versions(connection)
    known_versions, known = _known.get(library, ({}, None))
    if known is None:
        everything = _sorted(_read(library, connection, versions))
    else:
        numbers = versions.keys() | known_versions
        changed = {number for number in numbers if versions.get(number) != known_versions.get(number)}
        read = {number: version for number, version in versions.items() if number in changed}
        if len(changed) > MAX_CHANGED * len(versions):
            everything = _sorted(_read(library, connection, versions))
        elif changed:
            others = known.take(~np.isin(known.ids // BLOCK_SIZE, np.array(sorted(changed), np.int64)))
            everything = _merged(others, _sorted(_read(library, connection, read)))
        else:
            return known
    _known[library] = versions, everything
    return everything


def _read(library: Library, connection: Connection, versions: Mapping[int, int]) -> ByDate:
    """Return the contents of blocks by descending ID."""
    parts = [(each.times, each.ids, each.shapes) for _, each in load_columns(library, connection, versions)]
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))
    times, ids, shapes = (np.concatenate(arrays)[::-1] for arrays in zip(empty, *parts, strict=True))
    return ByDate(times, ids, shapes)


def _sorted(contents: ByDate) -> ByDate:
    """Sort contents that have descending IDs. NumPy's stable sort takes advantage of parts that are in order."""
    return contents.take(np.argsort(~contents.times, kind="stable"))  # `~` reverses the order, without an overflow


def _merged(one: ByDate, other: ByDate) -> ByDate:
    """Merge contents that are sorted."""
    both = ByDate(
        np.concatenate([one.times, other.times]),
        np.concatenate([one.ids, other.ids]),
        np.concatenate([one.shapes, other.shapes]),
    )
    order = np.argsort(~both.times, kind="stable")
    reverse = ~both.times[order]
    dates = np.unique(~other.times)
    first, last = np.searchsorted(reverse, dates), np.searchsorted(reverse, dates, side="right")
    # Contents of both with equal dates are not sorted by ID yet.
    number = last - first
    tied = np.repeat(first - (np.cumsum(number) - number), number) + np.arange(number.sum())
    rows = order[tied]
    order[tied] = rows[np.lexsort((-both.ids[rows], ~both.times[rows]))]
    return both.take(order)
