"""Vectors made elsewhere at unit length, changed only where they have to be."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from store.exchange.names import Name

__all__ = ["unit_rows"]

HALF_TOLERANCE = 1e-3
"""Rounding the numbers of a unit vector to 16 bits moves its length by less than 2**-11, 5e-4."""

TOLERANCE = 1e-5
"""The same for 32 bits, with room for how the length was computed."""


def unit_rows(
    vectors: NDArray[np.floating], storage: np.dtype[np.floating], path: Path, row: int, names: Sequence[Name]
) -> NDArray[np.floating]:
    """(n, D) vectors at unit length as they are stored. Rows that have it, within rounding, keep every bit.

    `row` is the number of the first one in the file, from 0. Raises `BadVectorFile` for a row that has no direction.
    """
    finite = np.isfinite(vectors).all(axis=1)  # (n,)
    _refuse(path, row, names, ~finite, "has values that are not finite")
    wide = vectors.astype(np.float64)  # the squares of large but finite numbers need the room
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide))  # (n,)
    tolerance = HALF_TOLERANCE if vectors.dtype.itemsize == 2 else TOLERANCE
    off = np.flatnonzero(~(np.abs(lengths - 1) <= tolerance))
    with np.errstate(over="ignore", under="ignore"):  # rows that are too long are written again below
        kept = vectors.astype(storage)
    if len(off):
        largest = np.abs(wide[off]).max(axis=1, keepdims=True)  # (m, 1)
        zero = np.zeros(len(vectors), bool)
        zero[off] = largest[:, 0] == 0
        _refuse(path, row, names, zero, "is zero: it has no direction")
        rescaled = wide[off] / largest  # (m, D): neither too large nor too small to be squared
        kept[off] = rescaled / np.linalg.norm(rescaled, axis=1, keepdims=True)
    return kept


def _refuse(path: Path, row: int, names: Sequence[Name], bad: NDArray[np.bool_], fault: str) -> None:
    if bad.any():
        first = int(bad.argmax())
        others = f" ({int(bad.sum()) - 1:,} more follow closely)" if bad.sum() > 1 else ""
        raise BadVectorFile(path, f"the vector of row {row + first} ({names[first]}) {fault}{others}")
