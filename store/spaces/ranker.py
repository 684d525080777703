"""What ranks vectors, independently of how they are stored and kept up to date."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids

__all__ = ["ApproximateRanking", "Ranker", "Ranking"]


class Ranking(NamedTuple):
    """The K best vectors for each of Q queries, best first. K is smaller than requested if there are fewer vectors."""

    scores: NDArray[np.float32]
    """(Q, K) cosine similarities."""
    ids: Ids
    """(Q, K)."""

    @property
    def complete(self) -> bool:
        """Whether these certainly are the best vectors. The scores are exact in any case."""
        return True


class ApproximateRanking(Ranking):
    """A ranking of candidates that were found without comparing every vector."""

    @property
    def complete(self) -> bool:
        """False: a better vector may not be among the candidates."""
        return False


class Ranker(ABC):
    """Unit vectors by ID, ranked by their dot product with a query."""

    dim: int
    """The dimension of the vectors. A subclass sets it when it is constructed or read."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of vectors."""

    @abstractmethod
    def search(self, queries: NDArray[np.float32], k: int, among: Ids | None = None) -> Ranking:
        """Return the `k` best vectors for each unit query (Q, D), only those with IDs in `among` if given.

        An engine that does not compare every vector returns an `ApproximateRanking`, which has fewer than `k` vectors
        only if there are no more.
        """

    @abstractmethod
    def search_range(
        self, query: NDArray[np.float32], min_score: float, among: Ids | None = None
    ) -> tuple[NDArray[np.float32], Ids]:
        """Return the scores (n,) and IDs (n,) of all vectors that score `min_score` or more, in no particular order."""

    @property
    def exact(self) -> "Ranker":
        """A ranker of the same vectors whose rankings are always complete."""
        return self

    def take_warning(self) -> str | None:
        """Return why searches do without an engine that was chosen for them; once for each time that it is lost."""
        return None
