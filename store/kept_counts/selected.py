"""Counts of some contents, from the columns of their blocks."""

import numpy as np
from sqlalchemy import Connection

from store.catalog.id_sets import Ids
from store.catalog.tables import BLOCK_SIZE
from store.kept_counts.block_counts import BlockCounts
from store.kept_counts.keeping import block_versions, load_columns
from store.library import Library

__all__ = ["count_selected"]

MIN_EACH = 100
"""Contents in each block from which its columns are read: counting so many rows takes about as long."""


def count_selected(library: Library, connection: Connection, ids: Ids) -> BlockCounts | None:
    """Return the counts of those of the contents `ids` (n,), ascending, that have a present file.

    None if they are so few that counting rows takes less time.
    """
    numbers, starts = np.unique(ids // BLOCK_SIZE, return_index=True)
    if len(ids) < MIN_EACH * len(numbers):
        return None
    parts = dict(zip(numbers.tolist(), np.split(ids, starts[1:]), strict=True)) if len(ids) else {}
    versions = {number: version for number, version in block_versions(connection).items() if number in parts}
    total = BlockCounts()
    for number, columns in load_columns(library, connection, versions):
        is_chosen = np.zeros(BLOCK_SIZE, np.bool_)
        is_chosen[parts[number] - number * BLOCK_SIZE] = True
        total.add(columns.count(is_chosen[columns.ids - number * BLOCK_SIZE]))
    return total
