"""Exact ranking of vectors that stay in the catalogue.

Only the IDs are in memory. The vectors of a few thousand frames are read when they are ranked. A search among more
copies all vectors into memory once, as a `FlatIndex`.
"""

from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.library import Library
from store.spaces.embeddings import iter_vectors
from store.spaces.flat_index import FlatIndex
from store.spaces.ranker import Ranking
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import DerivedIndex

__all__ = ["MAX_READ", "CatalogueIndex"]

MAX_READ = 20_000
"""Vectors that are read for one search. More are copied into memory, and stay there."""


class CatalogueIndex(DerivedIndex):
    """The frames `ids` (N,), ascending, of a space of a library.

    Vectors that have been deleted since are passed over. `whole` has all vectors, if they are in memory already.
    """

    def __init__(self, library: Library, stored: StoredSpace, ids: Ids, whole: FlatIndex | None = None) -> None:
        self.dim = stored.space.dim
        self._library, self._stored = library, stored
        self._ids = ids
        self._whole = whole
        self._copying = Lock()

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def is_in_memory(self) -> bool:
        """Whether the vectors have been copied into memory."""
        return self._whole is not None

    def ids(self) -> Ids:
        """Return all IDs (N,), ascending."""
        return self._ids

    def held(self, ids: Ids) -> Ids:
        """Return those of the distinct `ids` (n,) that are in the index, ascending."""
        ids = np.sort(ids)
        if not len(self._ids):
            return ids[:0]
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        held: Ids = ids[self._ids[places] == ids]
        return held

    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return the vectors (n, D) of `ids()[start:stop]`; NaN for those that have been deleted since."""
        wanted = self._ids[start:stop]
        found = np.full((len(wanted), self.dim), np.nan, np.float32)
        with self._library.read() as connection:
            for ids, vectors in iter_vectors(connection, self._stored, wanted):
                found[np.searchsorted(wanted, ids)] = vectors
        return found

    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Add frames (n,). Their vectors are in the catalogue already."""
        self._ids = np.union1d(self._ids, ids)
        if self._whole is not None:
            self._whole.add(ids, vectors)

    def remove(self, ids: Ids) -> int:
        """Remove the frames `ids`."""
        before = len(self._ids)
        self._ids = self._ids[~np.isin(self._ids, ids)]
        if self._whole is not None:
            self._whole.remove(ids)
        return before - len(self._ids)

    def copy(self) -> Self:
        """Return a copy."""
        whole = None if self._whole is None else self._whole.copy()
        return type(self)(self._library, self._stored, self._ids, whole)

    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """Return the exact `k` best vectors for each query."""
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(f"Expected queries of shape (Q, {self.dim}), got {queries.shape}")
        index, among = self._searched(among)
        return index.search(queries, k, among)

    def search_range(
        self, query: NDArray[np.float32], min_score: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """Return all vectors that score at least `min_score`."""
        index, among = self._searched(among)
        return index.search_range(query, min_score, among)

    def _searched(self, among: Ids | None) -> tuple[FlatIndex, Ids | None]:
        """Return an index with the vectors to search, and among which of them."""
        if self._whole is not None:
            return self._whole, among
        wanted = self._ids if among is None else self.held(np.unique(among))
        if len(wanted) <= MAX_READ:
            return self._read(wanted), None
        with self._copying:
            if self._whole is None:
                self._whole = self._read(self._ids)
        return self._whole, among

    def _read(self, ids: Ids) -> FlatIndex:
        """Return an index of the vectors of `ids` (n,)."""
        index = FlatIndex(self.dim, self._stored.dtype)
        with self._library.read() as connection:
            for batch, vectors in iter_vectors(connection, self._stored, ids):
                index.add_stored(batch, vectors)  # encoding a few takes longer than reading them
        return index
