"""Reads single rows of a flat index file ahead.

The file is mapped. If one row is not in memory, the system reads the 64 pages around it, which multiplies the reading
when a search needs a few hundred rows all over the file. Asking for the pages of each row first avoids that.
"""

import os
import weakref
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["RowPrefetch"]

ID_BYTES = 8
PAGE_BYTES = 4096


class RowPrefetch:
    """The rows of the flat index file `path`, which has `rows` rows of `row_bytes`.

    FAISS writes the IDs last: their number and the IDs, 8 bytes each. The rows end where these begin. Raises `OSError`
    if the file does not start with `first_row` there.
    """

    def __init__(self, path: Path, rows: int, row_bytes: int, first_row: bytes) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._file)
        self._row_bytes = row_bytes
        self._start = os.fstat(self._file).st_size - ID_BYTES * (rows + 1) - rows * row_bytes
        if self._start < 0 or os.pread(self._file, row_bytes, self._start) != first_row:
            raise OSError(f"{path} does not have the layout of a flat index")

    def fetch(self, rows: Ids) -> None:
        """Have the system read the pages of `rows` (n,). Does nothing where it cannot be asked."""
        if not hasattr(os, "posix_fadvise"):
            return
        first, last = self._pages(rows)
        starts = np.flatnonzero(np.concatenate([[True], first[1:] > last[:-1] + 1])) if len(first) else first
        for start, end in pairwise([*starts.tolist(), len(first)]):
            offset = int(first[start]) * PAGE_BYTES
            length = (int(last[end - 1]) + 1) * PAGE_BYTES - offset
            os.posix_fadvise(self._file, offset, length, os.POSIX_FADV_WILLNEED)

    def _pages(self, rows: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and the last page (n,) of each of the rows, ascending."""
        begin = self._start + np.sort(rows) * self._row_bytes
        return begin // PAGE_BYTES, (begin + self._row_bytes - 1) // PAGE_BYTES
