"""Writes the file of a `FlatIndex` block by block, without the whole index in memory."""

import os
import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.flat_index import FlatIndex

__all__ = ["write_flat_file"]


def write_flat_file(path: Path, dim: int, dtype: str, parts: Iterable[tuple[Ids, NDArray[np.floating]]]) -> int:
    """Write the index of the IDs (n,) and vectors (n, D) in `parts` as `FlatIndex.write` would; return their number.

    The IDs of all are in memory until the end, 8 bytes each. Raises `ValueError` for a part with another number of
    vectors than IDs, and `OSError`.
    """
    storage, all_ids = np.dtype(dtype).newbyteorder("<"), [np.empty(0, "<i8")]
    with path.open("wb") as file:
        file.write(_header(dim, dtype, 0))  # as long as the one that is written when the number is known
        for ids, vectors in parts:
            if vectors.shape != (len(ids), dim):
                raise ValueError(f"Expected vectors of shape {(len(ids), dim)}, got {vectors.shape}")
            file.write(np.ascontiguousarray(vectors, storage).data)
            all_ids.append(np.asarray(ids, "<i8"))
        number = sum(map(len, all_ids))
        file.write(struct.pack("<q", number))
        for ids in all_ids:
            file.write(np.ascontiguousarray(ids).data)
        file.seek(0)
        file.write(_header(dim, dtype, number))
    return number


def _header(dim: int, dtype: str, number: int) -> bytes:
    """Return what FAISS writes before the rows of `number` vectors.

    That is found by comparing the files of no vector and of one. They differ in two numbers of vectors, and in the size
    of the rows, in bytes or, for float32, in numbers of 4 bytes, which comes last.
    """
    empty, one = _written(dim, dtype, 0), _written(dim, dtype, 1)
    length = len(empty) - 8  # without the number of IDs
    header = bytearray(one[:length])
    for place in (place for place in range(length - 8) if empty[place] != one[place]):
        header[place : place + 8] = struct.pack("<q", number)
    (unit,) = struct.unpack("<q", one[length - 8 : length])
    header[length - 8 :] = struct.pack("<q", number * unit)
    return bytes(header)


def _written(dim: int, dtype: str, number: int) -> bytes:
    index = FlatIndex(dim, dtype)
    index.add(np.arange(number), np.zeros((number, dim), np.float32))
    handle, name = tempfile.mkstemp()
    os.close(handle)
    try:
        index.write(Path(name))
        return Path(name).read_bytes()
    finally:
        Path(name).unlink()
