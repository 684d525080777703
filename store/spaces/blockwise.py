"""Writes a changed index to a new file block by block, so that a large library is never in memory as a whole."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from store.catalog.id_sets import Ids
from store.spaces.embeddings import iter_vectors
from store.spaces.flat_file import write_flat_file
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import DerivedIndex

__all__ = ["BLOCKWISE_FROM", "write_changed"]

BLOCKWISE_FROM = 200_000
"""Vectors from which an index is written block by block. A smaller one is changed in memory, which is faster."""
BLOCK = 32_768


def write_changed(
    path: Path, connection: Connection, stored: StoredSpace, index: DerivedIndex, surplus: Ids, missing: Ids
) -> None:
    """Write the vectors of `index` without those of `surplus`, and those of `missing` from the catalogue.

    The file is that of a `FlatIndex`. Malformed vectors are left out. Raises `OSError`.
    """
    write_flat_file(path, index.dim, stored.dtype, _parts(connection, stored, index, surplus, missing))


def _parts(
    connection: Connection, stored: StoredSpace, index: DerivedIndex, surplus: Ids, missing: Ids
) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
    ids = index.ids()
    for start in range(0, len(ids), BLOCK):
        part, vectors = ids[start : start + BLOCK], index.vectors(start, start + BLOCK)
        kept = ~np.isin(part, surplus) if len(surplus) else np.ones(len(part), np.bool_)
        yield (part, vectors) if kept.all() else (part[kept], vectors[kept])
    yield from iter_vectors(connection, stored, missing)
