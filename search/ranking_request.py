"""What a ranking is asked for, and what it returns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from search.options import Sort
from search.paging import CursorPosition
from search.results import Hit
from store.catalog.id_sets import Ids

__all__ = ["RankedHits", "RankingRequest", "merit"]


@dataclass(frozen=True)
class RankingRequest:
    """Which hits to return for a query vector."""

    k: int
    digest: str
    """Identifies the query in cursors (`query_digest`)."""
    sort: Sort = "relevance"
    diverse: float | None = None
    """Lambda of maximal marginal relevance; None for the plain order."""
    min_score: float | None = None
    candidates: Ids | None = None
    """The content IDs to rank; None for all."""
    exclude: frozenset[int] = frozenset()
    """Content IDs that are never returned."""
    every_frame: bool = False
    """Return each frame of a content as a hit of its own, instead of the best one."""
    after: CursorPosition | None = None
    """Return only hits after this position."""
    text_matches: Mapping[int, float] | None = None
    """By frame ID, the share of the query's words that stand in the frame; None if text in pictures does not count."""
    text_weight: float = 0.0
    """What a share of 1 adds to the score in the order of the hits."""
    shown: int = 0
    """The number of hits on earlier pages; ranks continue from there."""
    collapse_duplicates: bool = False
    """Return only the first hit of each group of near-duplicates."""
    exact: bool = False
    """Compare every picture, even if the library has an approximate index."""


class RankedHits(list[Hit]):
    """Hits in order."""

    def __init__(self, hits: Iterable[Hit], *, complete: bool = True) -> None:
        super().__init__(hits)
        self.complete = complete
        """Whether these certainly are the best hits, because every picture was compared."""


def merit(hit: Hit, text_weight: float) -> float:
    """Return by what a hit is ranked: its score, and what the text in it adds."""
    return hit.score + text_weight * (hit.text_match or 0.0)
