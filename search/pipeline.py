"""A vector to an answer: which hits, in which order, on which page, with what is said of each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery, SpaceDropped
from search.active_space import View
from search.diversity import POOL, POOL_LEAST, checked, diverse_order, stretched
from search.filters import Filters
from search.hits import Hit, newest_first
from search.near_duplicates import with_stacks
from search.paging import Answer, Cursor, Place, Sort, question
from search.query import Query
from search.query_embedding import Embedded
from search.ranking import Wanted, rank, rank_by_date, rank_many
from search.relevance import judged, lowest_relevant
from store.filters.selection import candidate_ids
from store.library import Library
from store.queries import embeddings
from store.spaces.registry import revision_of

__all__ = ["Order", "answer", "answer_many"]


@dataclass(frozen=True)
class Order:
    """Which hits of a ranking are shown, and how, as `Searcher.search` says."""

    k: int
    min_score: float | None
    filters: Filters
    relevant: bool = False
    sort: Sort = "relevance"
    cursor: str | None = None
    diverse: float | None = None
    explain: bool = False
    fold: bool = True

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidQuery(f"cannot show the best {self.k} pictures; ask for at least one")
        if self.min_score is not None and not math.isfinite(self.min_score):
            raise InvalidQuery(f"{self.min_score} is no score; cosine similarities are from -1 to 1")
        if self.cursor is not None and self.diverse is not None:
            raise InvalidQuery("hits that differ from each other are one page; ask for more of them at once")


def answer(
    library: Library,
    view: View,
    query: Query,
    embedded: Embedded,
    order: Order,
    without: frozenset[int] = frozenset(),
) -> Answer:
    """The page of hits that `order` asks for, in `view` alone; contents in `without` are never shown.

    Raises `SpaceDropped` when that happened to the space and the catalogue is needed to tell what may be shown.
    """
    lowest = _lowest(view, query, embedded, order)
    asked = question(view.stored.space.fingerprint, embedded.vector, order.filters, order.sort, lowest, order.fold)
    cursor = None if order.cursor is None else Cursor.parse(order.cursor, asked)
    wanted = _wanted(library, view, order, lowest)
    if cursor is not None:
        wanted = replace(wanted, after=cursor.place, shown=cursor.shown)
    hits = _ranked(library, view, embedded.vector, replace(wanted, without=without), order)
    page = _page(library, view, query, embedded, order, hits, asked)
    return _stacked(library, page, wanted, order.filters.within)


def answer_many(
    library: Library, view: View, queries: Sequence[Query], embedded: Sequence[Embedded], order: Order
) -> list[Answer]:
    """The first page for each of several queries, by relevance, in one pass of the index."""
    if not queries:
        return []
    lowest = [_lowest(view, query, made, order) for query, made in zip(queries, embedded, strict=True)]
    vectors = np.stack([made.vector for made in embedded])  # (Q, D)
    wanted = _wanted(library, view, order, order.min_score)
    ranked = rank_many(library, view.current.index, vectors, wanted)
    answers = []
    for query, made, least, hits in zip(queries, embedded, lowest, ranked, strict=True):
        asked = question(view.stored.space.fingerprint, made.vector, order.filters, order.sort, least, order.fold)
        page = _page(library, view, query, made, order, hits, asked)
        answers.append(_stacked(library, page, wanted, order.filters.within))
    return answers


def _lowest(view: View, query: Query, embedded: Embedded, order: Order) -> float | None:
    """The score that every hit must reach, if there is one."""
    if not order.relevant:
        return order.min_score
    least = lowest_relevant(embedded.vector, view.calibration, query.kind, view.stored.space.model)
    return least if order.min_score is None else max(least, order.min_score)


def _wanted(library: Library, view: View, order: Order, lowest: float | None) -> Wanted:
    if not order.filters:
        return Wanted(order.k, lowest=lowest, fold=order.fold)
    with library.read() as connection:
        among = candidate_ids(connection, order.filters.selection(connection))
        if revision_of(connection, view.stored) is None:
            raise SpaceDropped(str(view.stored.space))
    return Wanted(order.k, among, lowest=lowest, fold=order.fold)


def _ranked(library: Library, view: View, vector: NDArray[np.float32], wanted: Wanted, order: Order) -> list[Hit]:
    """The hits of a page and the one after it, in order."""
    index = view.current.index
    if order.diverse is not None:
        return _diverse(library, view, vector, wanted, checked(order.diverse))
    if order.sort == "relevance":
        return rank(library, index, vector, wanted)
    if wanted.lowest is not None:
        return rank_by_date(library, index, vector, wanted)
    return _numbered(newest_first(rank(library, index, vector, wanted)[: wanted.k]))


def _diverse(library: Library, view: View, vector: NDArray[np.float32], wanted: Wanted, balance: float) -> list[Hit]:
    """The most likely hits, chosen so that they differ."""
    pool = rank(library, view.current.index, vector, replace(wanted, k=max(POOL_LEAST, POOL * wanted.k)))
    vectors = _vectors(library, view, [hit.id for hit in pool])
    pool = [hit for hit in pool if hit.id in vectors]
    if not pool:
        return []
    scores = stretched(np.array([hit.score for hit in pool]))  # (n,)
    chosen = diverse_order(scores, np.stack([vectors[hit.id] for hit in pool]), wanted.k, balance)
    return _numbered([pool[row] for row in chosen])


def _page(
    library: Library,
    view: View,
    query: Query,
    embedded: Embedded,
    order: Order,
    ranked: Sequence[Hit],
    asked: str,
) -> Answer:
    """The first `order.k` of `ranked` hits, with all that is said of them, and the way on."""
    hits = judged(ranked, embedded.vector, view.calibration, query.kind)
    if order.relevant:
        hits = [hit for hit in hits if hit.is_relevant]
    page, more = hits[: order.k], len(hits) > order.k
    following = str(Cursor(asked, page[-1].rank, _place(page[-1], order.sort))) if more else None
    if order.explain:
        vectors = _vectors(library, view, [hit.id for hit in page])
        page = [_explained(hit, vectors, embedded) for hit in page]
    if order.filters.within:
        page = [hit.seen_from(order.filters.within) for hit in page]
    return Answer(page, following, embedded.notes)


def _stacked(library: Library, page: Answer, wanted: Wanted, within: Sequence[Path]) -> Answer:
    """`page`, each hit with the near-duplicates that it stands for."""
    if not wanted.fold:
        return page
    hits = with_stacks(library, page, wanted.among)
    return Answer([hit.seen_from(within) for hit in hits] if within else hits, page.next, page.notes)


def _explained(hit: Hit, vectors: Mapping[int, NDArray[np.float32]], embedded: Embedded) -> Hit:
    """`hit` with its cosine similarity to each part of the query."""
    vector = vectors.get(hit.id)
    if vector is None:
        return hit
    return replace(hit, parts=tuple(np.clip(embedded.parts @ vector, -1, 1).tolist()))


def _vectors(library: Library, view: View, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
    """The stored vectors (D,) of contents."""
    found: dict[int, NDArray[np.float32]] = {}
    with library.read() as connection:
        for known, vectors in embeddings(connection, view.stored, np.array(ids, np.int64)):
            found |= zip(known.tolist(), vectors.astype(np.float32), strict=True)
    return found


def _place(hit: Hit, sort: Sort) -> Place:
    return Place(hit.score, hit.id, hit.taken_at if sort == "date" else None)


def _numbered(hits: Sequence[Hit]) -> list[Hit]:
    return [replace(hit, rank=number) for number, hit in enumerate(hits, start=1)]
