"""The vectors that a library holds of a data set's pictures."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sightline.errors import MissingVectors
from store.library import Library
from store.lookup import contents_at, embeddings
from store.spaces import StoredSpace

__all__ = ["gallery_vectors"]


def gallery_vectors(library: Library, stored: StoredSpace, paths: Sequence[Path]) -> NDArray[np.floating]:
    """The vectors (N, D) of the pictures at `paths`, in that order and in the precision they are stored in.

    Raises `MissingVectors`, which names the pictures that the library does not know or has no vector of.
    """
    wanted = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 (links are kept, as in `ensure_root`)
    with library.read() as connection:
        contents = contents_at(connection, wanted)
        ids = np.unique(np.fromiter(contents.values(), dtype=np.int64))  # (M,) copies share a content
        held = np.zeros(len(ids), dtype=bool)
        vectors = np.zeros((len(ids), stored.space.dim), dtype=stored.storage)  # (M, D)
        for found, batch in embeddings(connection, stored, ids):
            rows = np.searchsorted(ids, found)
            vectors[rows], held[rows] = batch, True
    rows_of = {content: row for row, content in enumerate(ids.tolist()) if held[row]}
    rows_in_order = [rows_of.get(contents.get(path, -1), -1) for path in wanted]
    missing = tuple(str(path) for path, row in zip(paths, rows_in_order, strict=True) if row < 0)
    if missing:
        raise MissingVectors(str(stored.space), missing)
    if rows_in_order == list(range(len(ids))):
        return vectors
    return np.asarray(vectors[rows_in_order])
