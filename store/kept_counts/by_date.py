"""All contents with a present file by date, from the columns of their blocks.

Sorting reads all blocks once. Afterwards only blocks that have changed are read, and their contents merged with the
others. With ten million contents, the arrays take 170 MB.
"""

from collections.abc import Collection, Mapping
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
            everything = _merged(_without_blocks(known, changed), _sorted(_read(library, connection, read)))
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
    """Merge contents that are sorted. It takes no longer if `one` has many, except that they are copied."""
    number, times = len(one.times), one.times[::-1]  # ascending
    places = number - np.searchsorted(times, other.times, side="right")  # before those with the same time
    ends = number - np.searchsorted(times, other.times, side="left")
    for row in np.flatnonzero(places < ends).tolist():
        ids = one.ids[places[row] : ends[row]][::-1]
        places[row] = ends[row] - np.searchsorted(ids, other.ids[row])
    return ByDate(
        np.insert(one.times, places, other.times),
        np.insert(one.ids, places, other.ids),
        np.insert(one.shapes, places, other.shapes),
    )


def _without_blocks(contents: ByDate, numbers: Collection[int]) -> ByDate:
    is_left = np.ones(int(contents.ids.max(initial=0)) // BLOCK_SIZE + 1, np.bool_)
    is_left[[number for number in numbers if number < len(is_left)]] = False
    return contents.take(is_left[contents.ids // BLOCK_SIZE])
