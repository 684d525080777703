"""An index of a large library: an immutable base, what has been added since, and what has been removed since.

The base is the mapped file of a `FlatIndex`. Additions are a small `FlatIndex` in memory. A removed vector stays in the
base and is passed over. Changes therefore cost as much as they are large.

With `InvertedLists` of the base, a search for few results over all vectors compares short codes in some of the lists,
and scores the best `CANDIDATES` again with the stored vectors. Scores are therefore the same as those of exact search,
but a result can be missed (`Ranking.complete` is false). Every other search is exact: with a filter, for many results,
for all results above a score, or if the lists have too few candidates.
"""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.flat_index import FlatIndex
from store.spaces.inverted_lists import InvertedLists
from store.spaces.ranker import ApproximateRanking, Ranker, Ranking
from store.spaces.row_prefetch import RowPrefetch
from store.spaces.vector_index import DerivedIndex

__all__ = ["CANDIDATES", "MAX_APPROXIMATE_RESULTS", "LayeredIndex"]

CANDIDATES = 512
"""Vectors whose codes are the best are scored again. The same for every number of results: the first k of a longer
ranking are then the ranking of k, which paging relies on."""

MORE_LISTS = 4
"""So many times as many lists are read where the first have too few candidates."""

MAX_APPROXIMATE_RESULTS = 200
"""Searches for more results are exact: the codes order the last of the candidates worse than the first."""


class LayeredIndex(DerivedIndex):
    """The vectors of `base` without those at the rows `removed` (R,), and those of `added`.

    `prefetch` reads rows of `base` ahead. The nearest `probes` of `lists` are searched. `added` is changed by `add`
    and `remove`, `base` and `lists` never are.
    """

    def __init__(
        self,
        base: FlatIndex,
        added: FlatIndex,
        removed: Ids,
        lists: InvertedLists | None = None,
        probes: int = 0,
        prefetch: RowPrefetch | None = None,
    ) -> None:
        self.dim = base.dim
        self.base, self.added, self.lists, self.probes = base, added, lists, probes
        self._is_live = np.ones(len(base), np.bool_)
        self._is_live[removed] = False
        self._prefetch = prefetch

    def __len__(self) -> int:
        return self._live_count + len(self.added)

    @property
    def removed(self) -> Ids:
        """The rows (R,) of the base that have been removed, ascending."""
        return np.flatnonzero(~self._is_live)

    @property
    def is_live(self) -> NDArray[np.bool_]:
        """Whether each row (N,) of the base has not been removed."""
        return self._is_live.copy()

    @property
    def changes(self) -> int:
        """How many vectors have been added to the base or removed from it."""
        return len(self.added) + len(self.base) - self._live_count

    @property
    def exact(self) -> Ranker:
        """The same vectors without the lists."""
        return self if self.lists is None else self._without_lists

    def ids(self) -> Ids:
        """Return all IDs (N,)."""
        ids = self.base.ids()
        return np.concatenate([ids if self._live_rows is None else ids[self._live_rows], self.added.ids()])

    def held(self, ids: Ids) -> Ids:
        """Return those of `ids` (n,) that are in the index, ascending."""
        in_base = self.base.held(ids)
        is_live = self._is_live[self.base.rows(in_base)]  # in the same order: both ascend by ID
        return np.union1d(in_base[is_live], self.added.held(ids))

    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return the vectors (n, D) of `ids()[start:stop]`."""
        stop = len(self) if stop is None else min(stop, len(self))
        middle = self._live_count
        rows = (
            slice(start, min(stop, middle)) if self._live_rows is None else self._live_rows[start : min(stop, middle)]
        )
        first = self.base.stored()[rows].astype(np.float32) if start < middle else np.empty((0, self.dim), np.float32)
        return np.concatenate([first, self.added.vectors(max(start - middle, 0), max(stop - middle, 0))])

    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Add vectors (n, D) with IDs (n,)."""
        self.added.add(ids, vectors)

    def remove(self, ids: Ids) -> int:
        """Remove the vectors of `ids`."""
        rows = self._live(self.base.rows(ids))
        self._is_live[rows] = False
        for name in ("_live_count", "_live_rows", "_live_bits", "_without_lists"):
            self.__dict__.pop(name, None)
        return len(rows) + self.added.remove(ids)

    def copy(self) -> Self:
        """Return a copy that shares the base."""
        return self._like(self.added.copy(), self.lists)

    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """Return the `k` best vectors for each query; exact with `among`, and for many results."""
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(f"Expected queries of shape (Q, {self.dim}), got {queries.shape}")
        added = self.added.search(queries, k, among)
        if among is None and self.lists is not None and 0 < k <= MAX_APPROXIMATE_RESULTS and len(queries):
            found = _merged(self._approximate(queries, k, self.lists), added, k)
            if found.ids.shape[1] == k:
                return ApproximateRanking(*found)
        rows = self._live_rows if among is None else self._live(self.base.rows(among))
        return _merged(self.base.search_within(queries, k, rows), added, k)

    def search_range(
        self, query: NDArray[np.float32], min_score: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """Return all vectors that score at least `min_score`. This is always exact."""
        added_scores, added_ids = self.added.search_range(query, min_score, among)
        rows = self._live_rows if among is None else self._live(self.base.rows(among))
        scores, ids = self.base.search_range_within(query, min_score, rows)
        return np.concatenate([scores, added_scores]), np.concatenate([ids, added_ids])

    def _approximate(self, queries: NDArray[np.float32], k: int, lists: InvertedLists) -> Ranking:
        """Return at most `k` vectors of the base for each query, of the candidates that the lists propose."""
        rankings = []
        for query, proposed in zip(queries, self._candidates(queries, lists), strict=True):
            rows = np.sort(proposed[proposed >= 0])
            if self._prefetch is not None:
                self._prefetch.fetch(rows)
            rankings.append(self.base.search_rows(query[None], k, rows))
        number = min(ranking.ids.shape[1] for ranking in rankings)
        return Ranking(
            np.concatenate([ranking.scores[:, :number] for ranking in rankings]),
            np.concatenate([ranking.ids[:, :number] for ranking in rankings]),
        )

    def _candidates(self, queries: NDArray[np.float32], lists: InvertedLists) -> Ids:
        """Return rows (Q, CANDIDATES) of the base; -1 only if all lists have fewer.

        More lists are read where the nearest have too few, for example because a whole folder has been removed.
        """
        probes, wanted = max(self.probes, 1), min(CANDIDATES, self._live_count)
        rows = lists.propose(queries, CANDIDATES, probes, self._live_bits)
        while probes < lists.lists and len(short := np.flatnonzero((rows >= 0).sum(axis=1) < wanted)):
            probes *= MORE_LISTS
            rows[short] = lists.propose(queries[short], CANDIDATES, probes, self._live_bits)
        return rows

    def _live(self, rows: Ids) -> Ids:
        return rows[self._is_live[rows]]

    def _like(self, added: FlatIndex, lists: InvertedLists | None) -> Self:
        return type(self)(self.base, added, self.removed, lists, self.probes, self._prefetch)

    @cached_property
    def _without_lists(self) -> Self:
        return self._like(self.added, None)

    @cached_property
    def _live_count(self) -> int:
        return int(self._is_live.sum())

    @cached_property
    def _live_rows(self) -> Ids | None:
        """The rows of the base that have not been removed; None for all."""
        return None if self._is_live.all() else np.flatnonzero(self._is_live)

    @cached_property
    def _live_bits(self) -> NDArray[np.uint8] | None:
        """The same as a bitmap, the lowest bit first."""
        return None if self._is_live.all() else np.packbits(self._is_live, bitorder="little")


def _merged(first: Ranking, second: Ranking, k: int) -> Ranking:
    """Return the `k` best of two rankings of different vectors."""
    if not second.ids.shape[1]:
        return Ranking(first.scores[:, :k], first.ids[:, :k])
    scores = np.concatenate([first.scores, second.scores], axis=1)
    ids = np.concatenate([first.ids, second.ids], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return Ranking(np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1))
