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

Diversity is maximal marginal relevance: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for
reordering documents and producing summaries" (SIGIR 1998). The next hit is the one with the largest

    lambda * similarity to the query - (1 - lambda) * largest similarity to a hit already chosen

Texts are less similar to any picture than pictures are to each other. With plain cosines the second hit would be the
picture least similar to the first, regardless of the query. So the candidates' similarity to the query is first
rescaled: 1 for the best of them, 0 for the last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.frames import FIRST_FRAME
from search.active_space import ActiveSpace
from search.near_duplicates import collapse
from search.options import Sort
from search.paging import CursorPosition
from search.results import Hit
from store.catalog.frame_ids import content_of, has_further_frames, number_of
from store.catalog.id_sets import Ids
from store.frames import load_frames
from store.library import Library
from store.queries import load_content_records, load_dates_taken
from store.spaces.embeddings import load_vectors
from store.spaces.ranker import Ranker

__all__ = [
    "RankedHits",
    "RankingRequest",
    "diverse_order",
    "merit",
    "newest_first",
    "rank",
    "rank_many",
    "rescaled",
    "stored_vectors",
]


class RankedHits(list[Hit]):
    """Hits in order."""

    def __init__(self, hits: Iterable[Hit], *, complete: bool = True) -> None:
        super().__init__(hits)
        self.complete = complete
        """Whether these certainly are the best hits, because every picture was compared."""


Scored: TypeAlias = tuple[NDArray[np.float32], Ids]
"""Scores (n,) and frame IDs (n,)."""

DIVERSITY_POOL_FACTOR = 5
"""Diversity chooses from this many candidates per requested hit."""
MIN_DIVERSITY_POOL = 20


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
    return RankedHits(_numbered(newest_first(best[: request.k]), request.shown), complete=best.complete)


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
        hits = _best_hits(library, space, found.scores[row], found.ids[row], request, number)
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


def merit(hit: Hit, text_weight: float) -> float:
    """Return by what a hit is ranked: its score, and what the text in it adds."""
    return hit.score + text_weight * (hit.text_match or 0.0)


def rescaled(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rescale `scores` (n,) to 0 for the lowest and 1 for the highest; to 1 if all are equal."""
    wide = np.asarray(scores, np.float64)
    span = wide.max() - wide.min()
    return np.asarray((wide - wide.min()) / span if span > 0 else np.ones(len(wide)))


def diverse_order(scores: NDArray[np.floating], vectors: NDArray[np.float32], k: int, balance: float) -> list[int]:
    """Choose `k` candidates by maximal marginal relevance, in order.

    Returns row numbers of `scores` (n,) and of the candidates' unit `vectors` (n, D). `balance` is lambda.
    """
    to_query = np.asarray(scores, np.float64)  # (n,)
    to_chosen = np.zeros(len(to_query))  # (n,): the largest similarity to a chosen candidate
    chosen: list[int] = []
    remaining = np.ones(len(to_query), bool)
    while len(chosen) < min(k, len(to_query)):
        merit = np.where(remaining, balance * to_query - (1 - balance) * to_chosen, -np.inf)  # (n,)
        best = int(np.argmax(merit)) if chosen else int(np.argmax(to_query))
        chosen.append(best)
        remaining[best] = False
        similarity = (vectors @ vectors[best]).astype(np.float64)  # (n,)
        to_chosen = similarity if len(chosen) == 1 else np.maximum(to_chosen, similarity)
    return chosen


def _rank_by_score(
    library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest, number: int = 0
) -> RankedHits:
    """Search for `number` neighbours, and for twice as many until the hits are certain."""
    number, frames = number or _initial_number(request), _frames_to_search(space, request)
    with_text = _search_texts(space, vector, request)
    while True:
        found = _ranker(space, request).search(vector[None], number, frames)
        hits = _best_hits(library, space, found.scores[0], found.ids[0], request, number, with_text)
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


def _best_hits(
    library: Library,
    space: ActiveSpace,
    scores: NDArray[np.float32],
    ids: Ids,
    request: RankingRequest,
    number: int,
    with_text: Scored | None = None,
) -> list[Hit] | None:
    """Return the hits among `number` neighbours, scores and IDs (K,); None if more neighbours are needed.

    `with_text` are further frames, which may be better than their score says.
    """
    limit = request.k + 1
    all_scores, all_ids = (scores, ids) if with_text is None else _united((scores, ids), with_text)
    merits = _merits(all_scores, all_ids, request)
    best_first = np.lexsort((all_ids, -merits))
    order = _one_frame_each(all_ids, best_first, request)  # before paging, as it may be on an earlier page
    positions = [CursorPosition(float(merits[row]), int(all_ids[row])) for row in order.tolist()]
    positions = _collapsed(library, positions, request)  # before paging: groups include hits of earlier pages
    by_id = dict(zip(all_ids.tolist(), all_scores.tolist(), strict=True))
    if request.after is not None:
        last = request.after.key("relevance")
        positions = [position for position in positions if position.key("relevance") > last]
    if request.min_score is not None:
        positions = [position for position in positions if by_id[position.id] >= request.min_score]
    hits = _described(library, space, positions, request, by_id)
    # More neighbours are needed if a picture vanished between ranking and lookup, or if equals of the last hit may
    # be left out: their order must not depend on how the index was built.
    enough = len(hits) >= limit and merit(hits[limit - 1], request.text_weight) > scores[-1]
    if enough or len(ids) < number or _is_below(scores, request.min_score):
        return _numbered(hits[:limit], request.shown)
    return None


def _united(first: Scored, second: Scored) -> Scored:
    """Return the scores and IDs of both without repetitions."""
    ids, rows = np.unique(np.concatenate([first[1], second[1]]), return_index=True)
    return np.concatenate([first[0], second[0]])[rows], ids


def _merits(scores: NDArray[np.float32], ids: Ids, request: RankingRequest) -> NDArray[np.floating]:
    """Return by what frames (n,) are ranked: their scores, and what the text in them adds."""
    if not request.text_matches:
        return scores
    shares = [request.text_matches.get(frame, 0.0) for frame in ids.tolist()]
    return scores.astype(np.float64) + request.text_weight * np.array(shares)


def _is_below(scores: NDArray[np.float32], min_score: float | None) -> bool:
    """Whether no neighbour after the descending `scores` can reach `min_score`."""
    return min_score is not None and bool(len(scores)) and float(scores[-1]) < min_score


def _rank_by_date(
    library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest
) -> RankedHits:
    """Return the newest of all hits that reach `min_score`; hits without a date come last."""
    min_score = -1.0 if request.min_score is None else request.min_score
    frames = _frames_to_search(space, request)
    scores, ids = space.current.index.search_range(vector, min_score, frames)  # (n,) both
    order = _one_frame_each(ids, np.lexsort((ids, -scores)), request)
    contents = content_of(ids)
    dates = load_dates_taken(library, contents[order])
    positions = [
        CursorPosition(float(scores[row]), int(ids[row]), dates.get(int(contents[row]))) for row in order.tolist()
    ]
    positions = _collapsed(library, sorted(positions, key=lambda position: position.key("date")), request)
    last = () if request.after is None else request.after.key("date")
    positions = [position for position in positions if position.key("date") > last]
    limit, hits, start = request.k + 1, list[Hit](), 0
    while len(hits) < limit and start < len(positions):
        block = positions[start : start + limit + len(request.exclude)]
        start += len(block)
        hits += _described(library, space, block, request)
    return RankedHits(_numbered(hits[:limit], request.shown))


def _rank_diverse(
    library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest, balance: float
) -> RankedHits:
    """Rerank a pool of the best hits by maximal marginal relevance."""
    size = max(MIN_DIVERSITY_POOL, DIVERSITY_POOL_FACTOR * request.k)
    pool = _rank_by_score(library, space, vector, replace(request, k=size))
    vectors = stored_vectors(library, space, [hit.frame_id for hit in pool])
    pool = RankedHits((hit for hit in pool if hit.frame_id in vectors), complete=pool.complete)
    if not pool:
        return pool
    scores = rescaled(np.array([merit(hit, request.text_weight) for hit in pool]))  # (n,)
    rows = diverse_order(scores, np.stack([vectors[hit.frame_id] for hit in pool]), request.k, balance)
    return RankedHits(_numbered([pool[row] for row in rows], request.shown), complete=pool.complete)


def _one_frame_each(ids: Ids, order: Ids, request: RankingRequest) -> Ids:
    """Return the rows of `order` (n,), best first, without those of frames whose content has a better one."""
    if request.every_frame or not has_further_frames(ids):
        return order
    _, first = np.unique(content_of(ids[order]), return_index=True)
    return order[np.sort(first)]


def _collapsed(library: Library, positions: list[CursorPosition], request: RankingRequest) -> list[CursorPosition]:
    """Keep the first position of each group of near-duplicates, if requested."""
    if not request.collapse_duplicates:
        return positions
    # Excluded pictures represent no group.
    positions = [position for position in positions if content_of(position.id) not in request.exclude]
    return [positions[row] for row in collapse(library, [content_of(position.id) for position in positions])]


def _described(
    library: Library,
    space: ActiveSpace,
    positions: Sequence[CursorPosition],
    request: RankingRequest,
    scores: Mapping[int, float] | None = None,
) -> list[Hit]:
    """Look up the catalogue records; contents without a present file and removed frames are left out.

    `scores` are the scores of frames, if those of `positions` are not.
    """
    contents = [content_of(position.id) for position in positions]
    records = load_content_records(library, list(dict.fromkeys(contents)))
    frames = load_frames(library, [position.id for position in positions]) if space.current.has_further_frames else {}
    shares = request.text_matches
    return [
        Hit(
            rank=0,
            score=position.score if scores is None else scores[position.id],
            record=records[content_id],
            frame=frames.get(position.id),
            text_match=None if shares is None else shares.get(position.id, 0.0),
        )
        for content_id, position in zip(contents, positions, strict=True)
        if content_id in records
        and content_id not in request.exclude
        and (position.id in frames or number_of(position.id) == FIRST_FRAME)
    ]


def _numbered(hits: Sequence[Hit], shown: int) -> list[Hit]:
    return [replace(hit, rank=number) for number, hit in enumerate(hits, start=shown + 1)]
