"""Ranking: from query vectors to hits, in an order that is always reproducible.

The index of a large library may miss a hit (`Ranking.complete`). The scores are exact in any case, the first hits of a
longer list are those of a shorter one, and far down a list, within filters and for `exact` every picture is compared.

`rank` serves one query in any order, `rank_many` several by relevance in one pass of the index. Equal scores are
ordered by frame ID, so the order does not depend on how the index was built. A content with several frames is ranked by
the best of them, or once for each with `every_frame`.

If text in pictures counts, frames are ordered by

    cosine similarity + text weight * share of the characters of the query's words that belong to words in the frame

The score of a hit remains the cosine similarity. Frames with such words are ranked even if they are not among the
nearest neighbours.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.active_space import ActiveSpace
from search.diversity import diverse_order, pool_size, rescaled
from search.hit_selection import Scored, best_hits, collapsed, described, numbered, one_frame_each
from search.paging import CursorPosition
from search.ranking_request import RankedHits, RankingRequest, merit
from search.results import Hit
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.library import Library
from store.queries import load_dates_taken
from store.spaces.embeddings import load_vectors
from store.spaces.ranker import Ranker

__all__ = ["newest_first", "rank", "rank_many", "stored_vectors"]


def rank(library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest) -> RankedHits:
    """Return the hits for a unit vector (D,) in the requested order.

    One more than `k` is returned if there is one, which shows that there is another page.
    """
    if request.diverse is not None:
        return _rank_diverse(library, space, vector, request, request.diverse)
    if request.sort == "relevance":
        return _rank_by_score(library, space, vector, request)
    if request.min_score is not None:
        return _rank_by_date(library, space, vector, request)
    best = _rank_by_score(library, space, vector, request)
    return RankedHits(numbered(newest_first(best[: request.k]), request.shown), complete=best.complete)


def rank_many(
    library: Library, space: ActiveSpace, vectors: NDArray[np.float32], requests: Sequence[RankingRequest]
) -> list[RankedHits]:
    """Rank each of the unit vectors (Q, D) as `rank` does. The requests must have the same candidates.

    Requests by relevance share one pass of the index.
    """
    if any(request.diverse is not None or request.sort != "relevance" or request.text_matches for request in requests):
        return [rank(library, space, vector, request) for vector, request in zip(vectors, requests, strict=True)]
    number = max(map(_initial_number, requests), default=0)
    found = _ranker(space, requests[0]).search(vectors, number, _frames_to_search(space, requests[0]))
    rankings = []
    for row, (vector, request) in enumerate(zip(vectors, requests, strict=True)):
        hits = best_hits(library, space, found.scores[row], found.ids[row], request, number)
        if hits is None:
            rankings.append(_rank_by_score(library, space, vector, request, 2 * number))
        else:
            rankings.append(RankedHits(hits, complete=found.complete))
    return rankings


def newest_first(hits: Sequence[Hit]) -> list[Hit]:
    """Sort hits by date, newest first; hits without a date come last. The sort is stable."""
    dated = [(hit.taken_at, hit) for hit in hits if hit.taken_at is not None]
    undated = [hit for hit in hits if hit.taken_at is None]
    return [*(hit for _, hit in sorted(dated, key=lambda pair: pair[0], reverse=True)), *undated]


def stored_vectors(library: Library, space: ActiveSpace, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
    """Return the stored vector (D,) of each of the frames `ids` that has one."""
    vectors = load_vectors(library, space.stored, np.array(ids, np.int64))  # (n, D)
    return {frame: vector for frame, vector in zip(ids, vectors, strict=True) if not np.isnan(vector[0])}


def _rank_by_score(
    library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest, number: int = 0
) -> RankedHits:
    """Search for `number` neighbours, and for twice as many until the hits are certain."""
    number, frames = number or _initial_number(request), _frames_to_search(space, request)
    with_text = _search_texts(space, vector, request)
    while True:
        found = _ranker(space, request).search(vector[None], number, frames)
        hits = best_hits(library, space, found.scores[0], found.ids[0], request, number, with_text)
        if hits is not None:
            return RankedHits(hits, complete=found.complete)
        number *= 2


def _ranker(space: ActiveSpace, request: RankingRequest) -> Ranker:
    return space.current.index.exact if request.exact else space.current.index


def _search_texts(space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest) -> Scored | None:
    """Return scores and IDs of all frames in which words of the query stand, with any score."""
    if not request.text_matches:
        return None
    contents = np.unique(content_of(np.array(list(request.text_matches), np.int64)))
    if request.candidates is not None:
        contents = np.intersect1d(contents, request.candidates)
    frames = space.current.frames_of(contents)
    scores, ids = space.current.index.search(vector[None], len(frames), frames)
    return scores[0], ids[0]


def _frames_to_search(space: ActiveSpace, request: RankingRequest) -> Ids | None:
    """Return the frame IDs to rank; None for all."""
    return None if request.candidates is None else space.current.frames_of(request.candidates)


def _initial_number(request: RankingRequest) -> int:
    """Return how many neighbours usually suffice. One extra shows whether the last hit has equals left out."""
    return request.shown + request.k + 2 + len(request.exclude)


def _rank_by_date(
    library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest
) -> RankedHits:
    """Return the newest of all hits that reach `min_score`; hits without a date come last."""
    min_score = -1.0 if request.min_score is None else request.min_score
    frames = _frames_to_search(space, request)
    scores, ids = space.current.index.search_range(vector, min_score, frames)  # (n,) both
    order = one_frame_each(ids, np.lexsort((ids, -scores)), request)
    contents = content_of(ids)
    dates = load_dates_taken(library, contents[order])
    positions = [
        CursorPosition(float(scores[row]), int(ids[row]), dates.get(int(contents[row]))) for row in order.tolist()
    ]
    positions = collapsed(library, sorted(positions, key=lambda position: position.key("date")), request)
    last = () if request.after is None else request.after.key("date")
    positions = [position for position in positions if position.key("date") > last]
    limit, hits, start = request.k + 1, list[Hit](), 0
    while len(hits) < limit and start < len(positions):
        block = positions[start : start + limit + len(request.exclude)]
        start += len(block)
        hits += described(library, space, block, request)
    return RankedHits(numbered(hits[:limit], request.shown))


def _rank_diverse(
    library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest, balance: float
) -> RankedHits:
    """Rerank a pool of the best hits by maximal marginal relevance."""
    pool = _rank_by_score(library, space, vector, replace(request, k=pool_size(request.k)))
    vectors = stored_vectors(library, space, [hit.frame_id for hit in pool])
    pool = RankedHits((hit for hit in pool if hit.frame_id in vectors), complete=pool.complete)
    if not pool:
        return pool
    scores = rescaled(np.array([merit(hit, request.text_weight) for hit in pool]))  # (n,)
    rows = diverse_order(scores, np.stack([vectors[hit.frame_id] for hit in pool]), request.k, balance)
    return RankedHits(numbered([pool[row] for row in rows], request.shown), complete=pool.complete)
