"""The rows of a table of vectors in the binary format of PostgreSQL, in which they are copied in both directions."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["END", "HEADER", "READ_ROWS", "row_type", "rows_in", "to_rows"]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
READ_ROWS = 4_096
"""Rows that are taken from a copy at a time."""


def row_type(dtype: str, dim: int) -> np.dtype[np.void]:
    """Return what a row is: a frame ID and a vector (D,), each after its length in bytes."""
    number = ">f2" if dtype == "float16" else ">f4"
    vector = np.dtype([("dim", ">i2"), ("unused", ">i2"), ("numbers", number, (dim,))])
    return np.dtype(
        [("fields", ">i2"), ("id_bytes", ">i4"), ("id", ">i8"), ("vector_bytes", ">i4"), ("vector", vector)]
    )


def to_rows(ids: Ids, vectors: NDArray[np.floating], record: np.dtype[np.void]) -> bytes:
    """Return the rows of frame IDs (n,) and vectors (n, D)."""
    rows = np.zeros(len(ids), record)
    rows["fields"], rows["id_bytes"], rows["id"] = 2, 8, ids
    rows["vector_bytes"] = record["vector"].itemsize
    rows["vector"]["dim"], rows["vector"]["numbers"] = vectors.shape[1], vectors
    return rows.tobytes()


def rows_in(
    blocks: Iterable[bytes | bytearray | memoryview], record: np.dtype[np.void]
) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
    """Yield the frame IDs (n,) and vectors (n, D) of a whole copy, which comes in blocks of any size."""
    received = bytearray()
    is_begun = False
    for block in blocks:
        received += block
        if not is_begun and len(received) >= len(HEADER):
            del received[: len(HEADER)]
            is_begun = True
        if is_begun and (number := len(received) // record.itemsize) >= READ_ROWS:
            yield _from_rows(bytes(received[: number * record.itemsize]), record)
            del received[: number * record.itemsize]
    yield _from_rows(bytes(received[: len(received) // record.itemsize * record.itemsize]), record)


def _from_rows(content: bytes, record: np.dtype[np.void]) -> tuple[Ids, NDArray[np.floating]]:
    rows = np.frombuffer(content, record)
    numbers = rows["vector"]["numbers"]
    return rows["id"].astype(np.int64), numbers.astype(numbers.dtype.newbyteorder("="))
