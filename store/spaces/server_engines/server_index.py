"""An index whose candidates come from an engine on a server, and whose scores come from the catalogue.

The planner of a search:

    all vectors, few results     candidates of the engine, scored exactly; more candidates until enough are found
    a filter                     exact, among the vectors that it keeps: here if the vectors are here or are few,
                                 else by an engine that can compare all of them
    everything else              exact, from the vectors of this machine

The engine may be behind the catalogue or ahead of it. Contents that have changed after its position are ranked exactly
beside its candidates. What the catalogue does not have is dropped. If the server does not answer, every search is exact
without it, and it is asked again after a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexEngineUnavailable
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.spaces.catalogue_index import CatalogueIndex
from store.spaces.layered_index import MAX_APPROXIMATE_RESULTS
from store.spaces.ranker import ApproximateRanking, Ranker, Ranking
from store.spaces.server_engines.engine import EngineState, VectorEngine
from store.spaces.vector_index import DerivedIndex

__all__ = ["EngineHealth", "EngineLink", "ServedSpace", "ServerIndex"]

RETRY_SECONDS = 30.0
"""Time after which a server that did not answer is asked again."""
FEW = 500
"""Vectors whose scores are computed here rather than by the server, although they have to be read first."""
MAX_SENT = 100_000
"""IDs of a filter that are sent to a server."""
BROAD_SHARE = 1 / 5
"""If a filter keeps more than this share, the server compares everything, which takes less time than reading IDs.

Measured with 100,000 vectors of 256 dimensions: 37 ms of processor time for 10,000 IDs, 66 ms for everything."""
SPARE = 32
"""How many more results an exact search of a server is asked for, because its scores are rounded differently."""
DEEPER = 4
"""So many times as many vectors are asked for where the first were too few."""
MAX_ASKED = 20_000


class EngineHealth:
    """Whether the server of an engine answered the last time. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._retry_at: float | None = None
        self._unreported: str | None = None
        self.fault: str | None = None
        """Why the engine is not used now."""

    @property
    def is_good(self) -> bool:
        """Whether the server should be asked."""
        return self._retry_at is None or self._clock() >= self._retry_at

    def failed(self, reason: str) -> None:
        """Record that the server did not do what it was asked."""
        with self._lock:
            if self._retry_at is None:
                self._unreported = reason
            self.fault, self._retry_at = reason, self._clock() + RETRY_SECONDS

    def answered(self) -> None:
        """Record that the server did what it was asked."""
        if self._retry_at is not None:
            with self._lock:
                self.fault = self._retry_at = self._unreported = None

    def take_report(self) -> str | None:
        """Return why the engine is not used, once for each loss of it."""
        if self._unreported is None:
            return None
        with self._lock:
            reason, self._unreported = self._unreported, None
        return reason


@dataclass(frozen=True)
class ServedSpace:
    """What is known of an engine when an index is brought up to date."""

    engine: VectorEngine
    state: EngineState
    pending: Ids
    """The contents (n,), ascending, that have changed between the position of the engine and that of the index."""


@dataclass(frozen=True)
class EngineLink:
    """How an index gets at its engine."""

    health: EngineHealth
    connect: Callable[[], ServedSpace | None]
    """Returns what the engine has; None if that cannot be used. Raises `IndexEngineUnavailable`."""
    position: int
    """The position of the index in the change feed."""


class _Found(NamedTuple):
    """Rankings of several queries, as they were found, and whether they are certain."""

    rankings: list[Ranking]
    complete: bool


class ServerIndex(DerivedIndex):
    """The vectors of `base`, which ranks exactly, with candidates of the engine behind `link`.

    Changes are made to `base`, and the engine is not used after them, because `link` belongs to another state then.
    """

    def __init__(self, base: DerivedIndex, link: EngineLink | None) -> None:
        self.dim = base.dim
        self.base = base
        self._link = link
        self._connecting = Lock()
        self._is_connected = False
        self._served: ServedSpace | None = None
        self._pending_frames = np.empty(0, np.int64)
        self._exact: ServerIndex | None = None
        self._is_exact = False

    def __len__(self) -> int:
        return len(self.base)

    @property
    def exact(self) -> Ranker:
        """The same vectors. Each of them is compared."""
        if self._is_exact:
            return self
        if self._exact is None:
            self._exact = ServerIndex(self.base, self._link)
            self._exact._is_exact = True
        return self._exact

    def connect(self) -> ServedSpace | None:
        """Return what the engine has; None if it is not used now, or has nothing that could be used."""
        if self._link is None:
            return None
        with self._connecting:
            if not self._link.health.is_good:  # another thread may have asked in vain while this one waited for it
                return None
            if not self._is_connected:
                try:
                    self._served = self._link.connect()
                except IndexEngineUnavailable as exc:
                    self._link.health.failed(str(exc))
                    return None
                pending = np.empty(0, np.int64) if self._served is None else self._served.pending
                self._pending_frames = _frames_of(self.base, pending)
                self._is_connected = True
        return self._served

    def take_warning(self) -> str | None:
        """Return why the engine is not used, once for each loss of it."""
        return None if self._link is None else self._link.health.take_report()

    def ids(self) -> Ids:
        """Return all IDs (N,)."""
        return self.base.ids()

    def held(self, ids: Ids) -> Ids:
        """Return those of the distinct `ids` (n,) that are in the index, ascending."""
        return self.base.held(ids)

    def vectors(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return the vectors (n, D) of `ids()[start:stop]`."""
        return self.base.vectors(start, stop)

    def add(self, ids: Ids, vectors: NDArray[np.floating]) -> None:
        """Add vectors (n, D) with IDs (n,)."""
        self._link = self._exact = None
        self.base.add(ids, vectors)

    def remove(self, ids: Ids) -> int:
        """Remove the vectors of `ids`."""
        self._link = self._exact = None
        return self.base.remove(ids)

    def copy(self) -> Self:
        """Return a copy whose base can be changed."""
        return type(self)(self.base.copy(), self._link)

    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """Return the `k` best vectors for each query; exact with `among`, and for many results."""
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(f"Expected queries of shape (Q, {self.dim}), got {queries.shape}")
        if among is not None:
            among = self.base.held(np.unique(among))
        k = min(k, len(self) if among is None else len(among))
        found = self._from_engine(queries, k, among) if k > 0 and len(queries) else None
        return self.base.exact.search(queries, k, among) if found is None else found

    def search_range(
        self, query: NDArray[np.float32], min_score: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """Return all vectors that score at least `min_score`. This is always exact."""
        return self.base.exact.search_range(query, min_score, among)

    def _from_engine(self, queries: NDArray[np.float32], k: int, among: Ids | None) -> Ranking | None:
        """Return a ranking with the help of the engine; None if the search is better done without."""
        served, link = self.connect(), self._link
        if served is None or link is None:
            return None
        try:
            found = self._planned(served, link.position, queries, k, among)
        except IndexEngineUnavailable as exc:
            link.health.failed(str(exc))
            return None
        if found is None:
            return None
        link.health.answered()
        ranking = Ranking(
            np.concatenate([ranking.scores for ranking in found.rankings]),
            np.concatenate([ranking.ids for ranking in found.rankings]),
        )
        return ranking if found.complete else ApproximateRanking(*ranking)

    def _planned(
        self, served: ServedSpace, position: int, queries: NDArray[np.float32], k: int, among: Ids | None
    ) -> _Found | None:
        candidates = served.state.candidates
        if among is None and not self._is_exact and k <= min(MAX_APPROXIMATE_RESULTS, candidates // 2):
            return self._approximately(served, queries, k)
        if among is not None and len(among) <= FEW:
            return None
        if not served.engine.ranks_exactly or not isinstance(self.base, CatalogueIndex) or self.base.is_in_memory:
            return None  # what is in memory, or mapped, is compared faster
        rankings = (
            self._exactly_kept_here(served, position, queries, k, among)
            if among is None or len(among) > min(MAX_SENT, BROAD_SHARE * len(self))
            else self._exactly_among(served, position, queries, k, among)
        )
        if rankings is None or any(ranking.ids.shape[1] < k for ranking in rankings):
            return None
        return _Found(rankings, complete=True)

    def _approximately(self, served: ServedSpace, queries: NDArray[np.float32], k: int) -> _Found | None:
        """Score candidates of the engine; ask for more if too many of them are not in the catalogue."""
        number, most = served.state.candidates, served.engine.efforts[-1]
        while True:
            proposed = served.engine.propose(served.state, queries, number)
            rankings = [self._scored(query, k, ids) for query, ids in zip(queries, proposed, strict=True)]
            if min(ranking.ids.shape[1] for ranking in rankings) == k:
                return _Found(rankings, complete=False)
            if number >= most:
                return None
            number = min(number * DEEPER, most)

    def _exactly_among(
        self, served: ServedSpace, position: int, queries: NDArray[np.float32], k: int, among: Ids
    ) -> list[Ranking] | None:
        """Have the engine compare the vectors `among` (n,) that are not pending."""
        kept = np.setdiff1d(among, self._pending_frames)
        found = served.engine.best_exactly(served.state, queries, k + SPARE, kept)
        # Of an engine that is ahead, some vectors may have been removed or replaced since.
        if any(best.position > position or best.compared != len(kept) for best in found):
            return None
        return [self._scored(query, k, best.ids, among) for query, best in zip(queries, found, strict=True)]

    def _exactly_kept_here(
        self, served: ServedSpace, position: int, queries: NDArray[np.float32], k: int, among: Ids | None
    ) -> list[Ranking] | None:
        """Have the engine compare all vectors, and keep those `among`; ask for more until there are enough."""
        share = 1 if among is None else len(self) / len(among)
        number = int(1.5 * share * (k + SPARE)) + SPARE
        while number <= MAX_ASKED:
            found = served.engine.best_exactly(served.state, queries, number, None)
            if any(best.position > position or best.compared != served.state.vectors for best in found):
                return None
            kept = [self._kept(best.ids, among) for best in found]
            if all(len(ids) >= k + SPARE or len(best.ids) < number for ids, best in zip(kept, found, strict=True)):
                return [
                    self._scored(query, k, ids[: k + SPARE], among) for query, ids in zip(queries, kept, strict=True)
                ]
            number *= DEEPER
        return None

    def _kept(self, ids: Ids, among: Ids | None) -> Ids:
        """Return those of `ids` (n,), in their order, that can be shown and are not pending."""
        shown = np.isin(ids, self.base.held(np.unique(ids))) & ~np.isin(ids, self._pending_frames)
        return ids[shown if among is None else shown & np.isin(ids, among)]

    def _scored(self, query: NDArray[np.float32], k: int, proposed: Ids, among: Ids | None = None) -> Ranking:
        """Return at most `k` of the frames `proposed` (n,) and of those that are pending, with exact scores."""
        pending = self._pending_frames if among is None else np.intersect1d(self._pending_frames, among)
        return self.base.exact.search(query[None], k, np.union1d(proposed, pending))


def _frames_of(base: DerivedIndex, contents: Ids) -> Ids:
    """Return the frames of `contents` (n,) that are in an index, ascending."""
    if not len(contents):
        return np.empty(0, np.int64)
    ids = base.ids()
    return np.sort(ids[np.isin(content_of(ids), contents)])
