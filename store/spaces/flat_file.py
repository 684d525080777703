"""Writes the file of a `FlatIndex` block by block, without the whole index in memory."""

import os
import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.vector_index import FlatIndex

__all__ = ["write_flat_file"]


def write_flat_file(path: Path, dim: int, dtype: str, ids: Ids, blocks: Iterable[NDArray[np.floating]]) -> None:
    """Write the index of the vectors in `blocks`, (n, D) each, with the IDs `ids` (N,) as `FlatIndex.write` would.

    Raises `ValueError` unless there are as many vectors as IDs, and `OSError`.
    """
    header, row_bytes = _header(dim, dtype, len(ids))
    storage = np.dtype(dtype).newbyteorder("<")
    written = 0
    with path.open("wb") as file:
        file.write(header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, storage).tobytes())
            written += len(block)
        file.write(struct.pack("<q", len(ids)))
        file.write(np.ascontiguousarray(ids, "<i8").tobytes())
    if written != len(ids) or row_bytes != dim * storage.itemsize:
        raise ValueError(f"{written} vectors of {row_bytes} bytes for {len(ids)} IDs")


def _header(dim: int, dtype: str, number: int) -> tuple[bytes, int]:
    """Return what FAISS writes before the rows of `number` vectors, and the bytes of a row.

    That is found by comparing the files of no vector and of one. They differ in two numbers of vectors, and in the size
    of the rows, in bytes or, for float32, in numbers of 4 bytes, which comes last.
    """
    empty, one = _written(dim, dtype, 0), _written(dim, dtype, 1)
    length = len(empty) - 8  # without the number of IDs
    row_bytes = len(one) - len(empty) - 8
    header = bytearray(one[:length])
    for place in (place for place in range(length - 8) if empty[place] != one[place]):
        header[place : place + 8] = struct.pack("<q", number)
    (unit,) = struct.unpack("<q", one[length - 8 : length])
    header[length - 8 :] = struct.pack("<q", number * unit)
    return bytes(header), row_bytes


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
