"""Finds the rows of vectors by their IDs, without sorting and searching where IDs lie close together."""

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["RowLookup"]

TABLE_FACTOR = 4
"""The table has at most this many entries a vector, 4 bytes each. IDs of contents usually fit, as few are deleted.

Those of further frames lie far above and are searched by halving."""


class RowLookup:
    """The place in `ids` (N,) of each of those IDs, which are distinct and not negative."""

    def __init__(self, ids: Ids) -> None:
        self._low = int(ids.min()) if len(ids) else 0
        self._end = self._low + min(TABLE_FACTOR * len(ids), int(ids.max()) + 1 - self._low if len(ids) else 0)
        is_near = ids < self._end
        self._table: NDArray[np.int32] = np.full(self._end - self._low, -1, np.int32)
        self._table[ids[is_near] - self._low] = np.flatnonzero(is_near)
        far = np.flatnonzero(~is_near)
        self._far_rows = far[np.argsort(ids[far])]
        self._far_ids = ids[self._far_rows]

    def rows(self, wanted: Ids) -> Ids:
        """Return the rows of those of the IDs `wanted` (n,) that are known, by ID, each once."""
        # IDs from a filter ascend already, and `np.unique` would take longer than ranking.
        wanted = wanted if (wanted[1:] > wanted[:-1]).all() else np.unique(wanted)
        begin, end = np.searchsorted(wanted, [self._low, self._end])
        near = self._table[wanted[begin:end] - self._low]
        near = near if (near >= 0).all() else near[near >= 0]
        far = self._rows_far(wanted[end:]) if len(self._far_ids) else self._far_rows
        return np.concatenate([near, far]) if len(far) else near.astype(np.int64)

    def _rows_far(self, wanted: Ids) -> Ids:
        places = np.minimum(np.searchsorted(self._far_ids, wanted), len(self._far_ids) - 1)
        rows: Ids = self._far_rows[places[self._far_ids[places] == wanted]]
        return rows
