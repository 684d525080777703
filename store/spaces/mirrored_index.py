"""Exact search with the help of a second copy of the vectors in the memory of a device, such as a GPU.

The index itself stays a `FlatIndex`: the same file, the same additions and removals. The device only selects
candidates; `FlatIndex` scores them. Scores and order are therefore bit-identical to those of the processor, and a
search continues on the processor if the device fails.
"""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.flat_index import SMALL_SUBSET_FACTOR, FlatIndex
from store.spaces.vector_index import Ranking, VectorIndex

__all__ = ["Mirror", "MirroredIndex"]

SPARE_CANDIDATES = 32
"""How many more candidates than results the device selects, because its scores are rounded differently.

A result can only be missed if more than this many vectors score within the rounding error of the last result (about
1e-6). The vectors returned in its place have the same score within that error.
"""
SCORE_TOLERANCE = 1e-5
"""How far below the lowest requested score `search_range` selects candidates: more than the rounding error."""

ROWS_PER_CANDIDATE = SMALL_SUBSET_FACTOR
"""The device is used if there are at least this many vectors per candidate: scoring them again is then cheap."""

Found = TypeVar("Found")


class Mirror(Protocol):
    """A copy of the vectors of a `FlatIndex` on a device.

    Its methods return None if the device does not support such a search, and raise `RuntimeError` if it fails.
    """

    def best(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None) -> Ids | None:
        """Return the rows (Q, K) with the `k` largest dot products with each query (Q, D), in any order.

        Only rows where `allowed` (N,) is true, if it is given; -1 where there are too few of them.
        """

    def at_least(self, query: NDArray[np.float32], min_score: float, allowed: NDArray[np.bool_] | None) -> Ids | None:
        """Return the rows (n,) whose dot product with `query` (D,) is `min_score` or more, in ascending order."""


class MirroredIndex(VectorIndex):
    """A `FlatIndex` and a mirror of it, which is made by the first search that can use it.

    A search for many results or in a small subset takes place on the processor, where it is faster. After a failure of
    the device, such as memory that is too small, all searches of this index do. Equal scores are ordered as by
    `FlatIndex`; if they are equal beyond the last result, any of them is returned.
    """

    def __init__(self, dim: int, dtype: str = "float16") -> None:
        self._begin(FlatIndex(dim, dtype))

    def _begin(self, flat: FlatIndex) -> None:
        self.dim = flat.dim
        self._flat = flat
        self._mirror: Mirror | None = None
        self._making = Lock()
        self.fault: str | None = None
        """Why the device is not used any more."""

    @classmethod
    def over(cls, flat: FlatIndex) -> Self:
        """Return an index that mirrors `flat`, which must not be changed by others."""
        self = cls.__new__(cls)
        self._begin(flat)
        return self

    @abstractmethod
    def _make_mirror(self, flat: FlatIndex) -> Mirror | None:
        """Copy the vectors to the device; None if it is not to be used yet.

        Raises `RuntimeError`, `AssertionError` or `ImportError` if it cannot be used.
        """

    def __len__(self) -> int:
        return len(self._flat)

    def ids(self) -> Ids:
        """Return all IDs (N,)."""
        return self._flat.ids()

    def held(self, ids: Ids) -> Ids:
        """Return those of the distinct `ids` (n,) that are in the index, ascending."""
        return self._flat.held(ids)

    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return the vectors (n, D) of `ids()[start:stop]`."""
        return self._flat.vectors(start, stop)

    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Add vectors (n, D) with IDs (n,). The next search makes the mirror again."""
        self._mirror = None
        self._flat.add(ids, vectors)

    def remove(self, ids: Ids) -> int:
        """Remove the vectors of `ids`. The next search makes the mirror again."""
        self._mirror = None
        return self._flat.remove(ids)

    def copy(self) -> Self:
        """Return a copy in memory."""
        return type(self).over(self._flat.copy())

    def write(self, path: Path) -> None:
        """Write the index to a file, which is that of a `FlatIndex`."""
        self._flat.write(path)

    @classmethod
    def read(cls, path: Path, *, mapped: bool = False) -> Self:
        """Read an index that this class or `FlatIndex` wrote."""
        return cls.over(FlatIndex.read(path, mapped=mapped))

    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """Return the exact `k` best vectors for each query."""
        selected = k + SPARE_CANDIDATES
        is_valid = queries.ndim == 2 and queries.shape[1] == self.dim and len(queries) > 0 and k > 0
        rows = None
        if is_valid and selected * ROWS_PER_CANDIDATE <= len(self) and not self._is_small(among):
            allowed = self._allowed(among)
            rows = self._on_device(lambda mirror: mirror.best(queries, selected, allowed))  # (Q, K)
        if rows is None:
            return self._flat.search(queries, k, among)
        # Every query has as many candidates as there are, at most `selected`.
        rankings = [
            self._flat.search_rows(query[None], k, np.sort(found[found >= 0]))
            for query, found in zip(queries, rows, strict=True)
        ]
        return Ranking(
            np.concatenate([ranking.scores for ranking in rankings]),
            np.concatenate([ranking.ids for ranking in rankings]),
        )

    def search_range(
        self, query: NDArray[np.float32], min_score: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """Return all vectors that score at least `min_score`."""
        is_valid = query.shape == (self.dim,) and min_score > -1
        if not is_valid or self._is_small(among):
            return self._flat.search_range(query, min_score, among)
        allowed, lowest = self._allowed(among), min_score - SCORE_TOLERANCE
        rows = self._on_device(lambda mirror: mirror.at_least(query, lowest, allowed))
        if rows is None:
            return self._flat.search_range(query, min_score, among)
        return self._flat.search_range(query, min_score, self._flat.ids()[rows])

    def _is_small(self, among: Ids | None) -> bool:
        """Return whether the processor can score a subset in a small part of the time of a search."""
        return among is not None and len(among) * SMALL_SUBSET_FACTOR <= len(self)

    def _allowed(self, among: Ids | None) -> NDArray[np.bool_] | None:
        if among is None:
            return None
        allowed = np.zeros(len(self), np.bool_)
        allowed[self._flat.rows(among)] = True
        return allowed

    def _on_device(self, run: Callable[[Mirror], Found | None]) -> Found | None:
        """Return `run` of the mirror; None if the device is not used, or fails now."""
        if self.fault is not None or not len(self):
            return None
        try:
            with self._making:
                mirror = self._mirror = self._mirror or self._make_mirror(self._flat)
            return None if mirror is None else run(mirror)
        except (RuntimeError, AssertionError, ImportError) as exc:
            self.fault = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        self._mirror = None  # releases its memory, which is also referenced by the exception until here
        return None
