"""Which index engine a space has: exact search, all of them so far. Another engine comes in here and nowhere else."""

from pathlib import Path

from store.spaces.registry import StoredSpace
from store.spaces.vector_index import FlatIndex, VectorIndex

__all__ = ["new_index", "open_index"]


def new_index(stored: StoredSpace) -> VectorIndex:
    """An empty index for the vectors of a space."""
    return FlatIndex(stored.space.dim, stored.dtype)


def open_index(stored: StoredSpace, path: Path, *, mapped: bool = False) -> VectorIndex:
    """The index that was written to `path` for a space, as `VectorIndex.read` reads it."""
    index = FlatIndex.read(path, mapped=mapped)
    if index.dim != stored.space.dim:
        raise OSError(f"vectors of {index.dim} numbers, where {stored.space} has {stored.space.dim}")
    return index
