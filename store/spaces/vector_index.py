"""Interfaces of indexes: nearest-neighbour search among unit vectors with integer IDs.

`Ranker` is what ranks, `DerivedIndex` also follows the changes of the catalogue, and `VectorIndex` is the interface of
index engines.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.ranker import Ranker, Ranking

__all__ = ["DerivedIndex", "Ranking", "VectorIndex"]


class DerivedIndex(Ranker):
    """Vectors that are derived from the catalogue, and follow its changes."""

    @abstractmethod
    def ids(self) -> Ids:
        """Return all IDs (N,), in no particular order."""

    def held(self, ids: Ids) -> Ids:
        """Return those of the distinct `ids` (n,) that are in the index, ascending."""
        wanted, all_ids = np.sort(ids), self.ids()
        if not len(wanted):
            return wanted
        places = np.minimum(np.searchsorted(wanted, all_ids), len(wanted) - 1)
        return np.sort(all_ids[wanted[places] == all_ids])

    @abstractmethod
    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return the vectors (n, D) of `ids()[start:stop]`, as they are stored."""

    @abstractmethod
    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Add vectors (n, D) with IDs (n,) that are not in the index yet."""

    @abstractmethod
    def remove(self, ids: Ids) -> int:
        """Remove the vectors of those `ids` that are in the index; return how many they were."""

    @abstractmethod
    def copy(self) -> Self:
        """Return a copy, which can be changed while this index is searched."""


class VectorIndex(DerivedIndex):
    """An index in one file, the base of index engines.

    Engines are constructed with the dimension and the `dtype` of the stored vectors (`float16` or `float32`). Package
    authors register a subclass under the entry-point group `sightline.index_engines`.
    """

    @abstractmethod
    def __init__(self, dim: int, dtype: str = "float16") -> None: ...

    @abstractmethod
    def write(self, path: Path) -> None:
        """Write the index to a file. Raises `OSError` if it cannot be written completely."""

    @classmethod
    @abstractmethod
    def read(cls, path: Path, *, mapped: bool = False) -> Self:
        """Read an index that `write` wrote. With `mapped`, the file is memory-mapped and the index is read-only.

        Raises `OSError` or `RuntimeError` if the file is damaged or was written by another engine.
        """
