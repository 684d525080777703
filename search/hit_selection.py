"""From scored frames to hits: one frame of each content, one content of each group, looked up in the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.frames import FIRST_FRAME
from search.active_space import ActiveSpace
from search.near_duplicates import collapse
from search.paging import CursorPosition
from search.ranking_request import RankingRequest, merit
from search.results import Hit
from store.catalog.frame_ids import content_of, has_further_frames, number_of
from store.catalog.id_sets import Ids
from store.frames import load_frames
from store.library import Library
from store.queries import load_content_records

__all__ = ["Scored", "best_hits", "collapsed", "described", "numbered", "one_frame_each"]

Scored: TypeAlias = tuple[NDArray[np.float32], Ids]
"""Scores (n,) and frame IDs (n,)."""


def best_hits(
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
    order = one_frame_each(all_ids, best_first, request)  # before paging, as it may be on an earlier page
    positions = [CursorPosition(float(merits[row]), int(all_ids[row])) for row in order.tolist()]
    positions = collapsed(library, positions, request)  # before paging: groups include hits of earlier pages
    by_id = dict(zip(all_ids.tolist(), all_scores.tolist(), strict=True))
    if request.after is not None:
        last = request.after.key("relevance")
        positions = [position for position in positions if position.key("relevance") > last]
    if request.min_score is not None:
        positions = [position for position in positions if by_id[position.id] >= request.min_score]
    hits = described(library, space, positions, request, by_id)
    # More neighbours are needed if a picture vanished between ranking and lookup, or if equals of the last hit may
    # be left out: their order must not depend on how the index was built.
    enough = len(hits) >= limit and merit(hits[limit - 1], request.text_weight) > scores[-1]
    if enough or len(ids) < number or _is_below(scores, request.min_score):
        return numbered(hits[:limit], request.shown)
    return None


def one_frame_each(ids: Ids, order: Ids, request: RankingRequest) -> Ids:
    """Return the rows of `order` (n,), best first, without those of frames whose content has a better one."""
    if request.every_frame or not has_further_frames(ids):
        return order
    _, first = np.unique(content_of(ids[order]), return_index=True)
    return order[np.sort(first)]


def collapsed(library: Library, positions: list[CursorPosition], request: RankingRequest) -> list[CursorPosition]:
    """Keep the first position of each group of near-duplicates, if requested."""
    if not request.collapse_duplicates:
        return positions
    # Excluded pictures represent no group.
    positions = [position for position in positions if content_of(position.id) not in request.exclude]
    return [positions[row] for row in collapse(library, [content_of(position.id) for position in positions])]


def described(
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


def numbered(hits: Sequence[Hit], shown: int) -> list[Hit]:
    """Return the hits with their ranks, which continue those of `shown` hits on earlier pages."""
    return [replace(hit, rank=number) for number, hit in enumerate(hits, start=shown + 1)]


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
