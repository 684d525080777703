"""A vector to hits: the nearest pictures, exactly, in an order that never changes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.hits import Hit
from search.near_duplicates import unfolded
from search.paging import Place
from store.library import Library
from store.queries import describe, taken_at
from store.spaces.vector_index import Ids, VectorIndex

__all__ = ["Wanted", "rank", "rank_by_date", "rank_many"]


@dataclass(frozen=True)
class Wanted:
    """Which hits, and how many."""

    k: int
    among: Ids | None = None
    """The contents to rank; None for all."""
    without: frozenset[int] = frozenset()
    """Contents that are never shown."""
    lowest: float | None = None
    """The score that a hit must reach."""
    after: Place | None = None
    """Only hits behind this one."""
    fold: bool = False
    """Only the first of each group of near-duplicates."""
    shown: int = 0
    """How many hits were shown before: ranks go on from there."""


def rank(library: Library, index: VectorIndex, vector: NDArray[np.float32], wanted: Wanted) -> list[Hit]:
    """The best hits for a unit vector (D,), and one more if there is one: it tells that there is another page."""
    number = _number(wanted)
    while True:
        scores, ids = index.search(vector[None], number, wanted.among)
        hits = _first(library, scores[0], ids[0], wanted, number)
        if hits is not None:
            return hits
        number *= 2


def rank_many(library: Library, index: VectorIndex, vectors: NDArray[np.float32], wanted: Wanted) -> list[list[Hit]]:
    """As `rank`, for each of (Q, D) vectors, in one pass of the index."""
    number = _number(wanted)
    scores, ids = index.search(vectors, number, wanted.among)  # (Q, K) both
    found = [_first(library, scores[row], ids[row], wanted, number) for row in range(len(vectors))]
    return [
        rank(library, index, vector, wanted) if hits is None else hits
        for vector, hits in zip(vectors, found, strict=True)
    ]


def _number(wanted: Wanted) -> int:
    """How many candidates mostly are enough: one more than is needed tells whether equals of the last are left out."""
    return wanted.shown + wanted.k + 2 + len(wanted.without)


def _first(library: Library, scores: NDArray[np.float32], ids: Ids, wanted: Wanted, number: int) -> list[Hit] | None:
    """The hits among `number` candidates, (K,) scores and ids; None if it takes more of them to know."""
    limit = wanted.k + 1
    hits = _hits(library, scores, ids, wanted)
    # More are needed when a picture vanished between ranking and looking it up, and when equals of the last
    # one shown may be left out: which of them come first must not depend on how the index came to be.
    enough = len(hits) >= limit and hits[limit - 1].score > scores[-1]
    if enough or len(ids) < number or _is_below(scores, wanted.lowest):
        return _numbered(hits[:limit], wanted)
    return None


def rank_by_date(library: Library, index: VectorIndex, vector: NDArray[np.float32], wanted: Wanted) -> list[Hit]:
    """As `rank`, of all hits that reach `wanted.lowest` the newest, those without a date last."""
    lowest = -1.0 if wanted.lowest is None else wanted.lowest
    scores, ids = index.above(vector, lowest, wanted.among)
    with library.read() as connection:
        dates = taken_at(connection, ids)
    places = [
        Place(float(score), int(content), dates.get(int(content))) for score, content in zip(scores, ids, strict=True)
    ]
    last = () if wanted.after is None else wanted.after.key("date")
    order = sorted(places, key=lambda place: place.key("date"))
    order = [place for place in _folded(library, order, wanted) if place.key("date") > last]
    limit, hits, start = wanted.k + 1, list[Hit](), 0
    while len(hits) < limit and start < len(order):
        block = order[start : start + limit + len(wanted.without)]
        start += len(block)
        hits += _described(library, block, wanted.without)
    return _numbered(hits[:limit], wanted)


def _hits(library: Library, scores: NDArray[np.float32], ids: Ids, wanted: Wanted) -> list[Hit]:
    """Ranked ids as hits; equal scores in the order of their ids."""
    order = np.lexsort((ids, -scores))
    places = [Place(float(scores[row]), int(ids[row])) for row in order.tolist()]
    places = _folded(library, places, wanted)  # before the page is cut out: what stood on an earlier one counts too
    if wanted.after is not None:
        last = wanted.after.key("relevance")
        places = [place for place in places if place.key("relevance") > last]
    if wanted.lowest is not None:
        places = [place for place in places if place.score >= wanted.lowest]
    return _described(library, places, wanted.without)


def _folded(library: Library, places: list[Place], wanted: Wanted) -> list[Place]:
    if not wanted.fold:
        return places
    places = [place for place in places if place.id not in wanted.without]  # these stand for nobody
    return [places[row] for row in unfolded(library, [place.id for place in places])]


def _described(library: Library, places: Sequence[Place], without: frozenset[int]) -> list[Hit]:
    """What the catalogue knows of them; those that are gone are left out."""
    with library.read() as connection:
        records = describe(connection, [place.id for place in places])
    return [
        Hit(rank=0, score=place.score, record=records[place.id])
        for place in places
        if place.id in records and place.id not in without
    ]


def _numbered(hits: Sequence[Hit], wanted: Wanted) -> list[Hit]:
    return [replace(hit, rank=number) for number, hit in enumerate(hits, start=wanted.shown + 1)]


def _is_below(scores: NDArray[np.float32], lowest: float | None) -> bool:
    """Whether whatever comes after `scores` cannot reach `lowest`."""
    return lowest is not None and bool(len(scores)) and float(scores[-1]) < lowest
