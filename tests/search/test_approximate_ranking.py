"""Ranking over inverted lists: paging, folding, filters, dates and diversity, compared with brute force."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from search.active_space import ActiveSpace
from search.options import SearchOptions
from search.pipeline import run_query
from search.query import Part, Query, VectorInput
from search.query_cache import QueryCache
from search.query_embedding import QueryEmbedder
from search.ranking import rank, rank_many
from search.ranking_request import RankingRequest
from search.results import Hit
from store import Library
from store.catalog.frame_ids import content_of, number_of
from store.catalog.id_sets import Ids
from store.spaces import layered_index
from store.spaces.flat_index import FlatIndex
from store.spaces.inverted_lists import InvertedLists
from store.spaces.layered_index import LayeredIndex
from tests.search.test_frame_ranking import DIM, START, add_contents, all_pages

CONTENTS = 240


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def rows() -> list[NDArray[np.float32]]:
    """Vectors in clusters; every fifth content has three frames, and some contents are equal."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, DIM))
    made = [unit(centres[n % 12] + 0.4 * rng.normal(size=(3 if n % 5 == 0 else 1, DIM))) for n in range(CONTENTS)]
    made[7:30:11] = [made[7]] * len(made[7:30:11])
    return made


@pytest.fixture
def space(library: Library, monkeypatch: pytest.MonkeyPatch) -> tuple[ActiveSpace, list[int]]:
    """An index that reads 3 of 16 lists, scores 40 candidates again, and is exact for more than 15 results.

    A tenth of its vectors have been added to the base.
    """
    monkeypatch.setattr(layered_index, "CANDIDATES", 40)
    monkeypatch.setattr(layered_index, "MAX_APPROXIMATE_RESULTS", 15)
    groups = [n - n % 3 if n % 4 < 2 else n for n in range(CONTENTS)]
    exact, ids = add_contents(library, rows(), [1 + n % 28 for n in range(CONTENTS)], groups)
    index = exact.current.index
    everything, vectors = index.ids(), index.vectors()
    is_new = np.arange(len(everything)) % 10 == 3
    base, added = FlatIndex(DIM), FlatIndex(DIM)
    gone = np.array([10**6, 10**6 + 1], np.int64)
    base.add(np.concatenate([gone, everything[~is_new]]), np.concatenate([vectors[:2], vectors[~is_new]]))
    added.add(everything[is_new], vectors[is_new])
    lists = InvertedLists.trained(base.vectors(), 16)
    lists.add(base.vectors())
    layers = LayeredIndex(base, added, np.array([0, 1], np.int64), lists, probes=3)
    return replace(exact, current=replace(exact.current, index=layers)), ids


def queries(number: int) -> NDArray[np.float32]:
    return unit(np.random.default_rng(5).normal(size=(number, DIM)))


def layers_of(space: ActiveSpace) -> LayeredIndex:
    assert isinstance(space.current.index, LayeredIndex)
    return space.current.index


def brute_force(space: ActiveSpace, query: NDArray[np.float32], among: Ids | None = None) -> list[tuple[int, float]]:
    """All frames with their scores, best first; only those of the contents `among` if given."""
    ids = layers_of(space).ids()
    scores = np.clip(layers_of(space).vectors() @ query, -1, 1)
    kept = np.ones(len(ids), bool) if among is None else np.isin(content_of(ids), among)
    order = np.lexsort((ids[kept], -scores[kept]))
    return list(zip(ids[kept][order].tolist(), scores[kept][order].tolist(), strict=True))


def best_frames(ranking: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Only the best frame of each content."""
    first: dict[int, tuple[int, float]] = {}
    for frame, score in ranking:
        first.setdefault(int(content_of(frame)), (frame, score))
    return list(first.values())


def assert_same(hits: list[Hit], expected: list[tuple[int, float]]) -> None:
    """Compare contents with a tolerance of ties: NumPy adds up in another order than FAISS."""
    np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in expected], atol=1e-6)
    scores = {int(content_of(frame)): score for frame, score in expected}
    assert len({hit.id for hit in hits}) == len(hits)
    for hit in hits:
        assert abs(scores[hit.id] - hit.score) < 1e-6


def candidates(space: ActiveSpace, query: NDArray[np.float32]) -> set[int]:
    """The contents of one frame that the lists propose, or that were added to the base.

    Of a content with several frames, and of a group, the best can be missed while others are proposed. Its place is
    then on a page that is past when every picture is compared.
    """
    layers = layers_of(space)
    assert layers.lists is not None
    found = layers.lists.propose(query[None], 40, 3, layers._live_bits)[0]
    proposed = content_of(np.concatenate([layers.base.ids()[found[found >= 0]], layers.added.ids()]))
    several = content_of(layers.ids()[number_of(layers.ids()) > 0])
    return set(proposed[~np.isin(proposed, several)].tolist())


def test_pages_repeat_nothing_and_show_all_candidates(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, _ = space
    is_missing_any = False
    for query in queries(12):
        hits = all_pages(library, active, query, RankingRequest(k=4, digest=""))
        assert len({hit.id for hit in hits}) == len(hits)
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        expected = dict(best_frames(brute_force(active, query)))
        assert all(abs(expected.get(hit.frame_id, -2) - hit.score) < 1e-6 or hit.frame is not None for hit in hits)
        missing = {int(content_of(frame)) for frame in expected} - {hit.id for hit in hits}
        assert not missing & candidates(active, query)
        # What is missing was passed over by the approximate pages; the exact ones after them are complete.
        switch = hits[15].score if len(hits) > 15 else -1.0
        late = {int(content_of(frame)) for frame, score in expected.items() if score < switch - 1e-6}
        assert late <= {hit.id for hit in hits}
        is_missing_any |= bool(missing)
    assert is_missing_any  # otherwise this test would say nothing


def test_folded_pages_show_each_group_once(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, ids = space
    group = {ids[n]: n - n % 3 if n % 4 < 2 else n for n in range(CONTENTS)}
    for query in queries(6):
        hits = all_pages(library, active, query, RankingRequest(k=4, digest="", collapse_duplicates=True))
        groups = [group[hit.id] for hit in hits]
        assert len(set(groups)) == len(groups)
        first = {group[int(content_of(frame))]: score for frame, score in reversed(brute_force(active, query))}
        late = {name for name, score in first.items() if len(hits) > 15 and score < hits[15].score - 1e-6}
        assert late
        assert late <= set(groups)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_filters_lose_nothing(library: Library, space: tuple[ActiveSpace, list[int]], share: float) -> None:
    active, ids = space
    rng = np.random.default_rng(int(100 * share))
    for query in queries(6):
        together = np.array(ids[: max(2, int(share * CONTENTS))], np.int64)
        scattered = np.sort(rng.choice(ids, max(2, int(share * CONTENTS)), replace=False))
        for among in (together, scattered):
            request = RankingRequest(k=5, digest="", candidates=among)
            first = rank(library, active, query, request)
            assert first.complete
            expected = best_frames(brute_force(active, query, among))
            assert_same(first[:5], expected[:5])
            assert_same(all_pages(library, active, query, request), expected)


def test_exact_ranking_compares_every_picture(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, _ = space
    request = RankingRequest(k=10, digest="", exact=True)
    many = rank_many(library, active, queries(6), [request] * 6)
    for query, hits in zip(queries(6), many, strict=True):
        assert hits.complete
        assert_same(hits[:10], best_frames(brute_force(active, query))[:10])
        assert rank(library, active, query, request) == hits
    near = rank_many(library, active, queries(6), [replace(request, exact=False)] * 6)
    assert not all(hits.complete for hits in near)


def test_dates_and_minimum_scores_lose_nothing_by_date(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, _ = space
    for query in queries(4):
        request = RankingRequest(k=6, digest="", sort="date", min_score=0.1)
        assert rank(library, active, query, request).complete
        hits = all_pages(library, active, query, request)
        expected = {int(content_of(frame)) for frame, score in brute_force(active, query) if score >= 0.1}
        assert {hit.id for hit in hits} == expected
        days = [(hit.taken_at - START).days for hit in hits if hit.taken_at is not None]
        assert days == sorted(days, reverse=True)
        assert len(hits) == len(expected)


def test_a_minimum_score_ends_the_list(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, _ = space
    for query in queries(6):
        hits = all_pages(library, active, query, RankingRequest(k=5, digest="", min_score=0.2))
        expected = {int(content_of(frame)) for frame, score in brute_force(active, query) if score >= 0.2}
        assert {hit.id for hit in hits} <= expected
        assert candidates(active, query) & expected <= {hit.id for hit in hits}


def test_diverse_answers_repeat_nothing(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, _ = space
    hits = rank(library, active, queries(1)[0], RankingRequest(k=3, digest="", diverse=0.5))
    assert len({hit.id for hit in hits}) == 3
    assert hits.complete  # 15 candidates and one more are an exact search here


def test_an_incomplete_answer_has_a_notice(library: Library, space: tuple[ActiveSpace, list[int]]) -> None:
    active, _ = space
    embedder = QueryEmbedder(library, active.stored, active.require_encoder, QueryCache())
    query = Query((Part(VectorInput(tuple(queries(1)[0].tolist()))),))
    answer = run_query(library, active, embedder, query, SearchOptions(k=5, collapse_duplicates=False))
    assert not answer.complete
    assert [notice.name for notice in answer.notices] == ["approximate"]
    exact = run_query(library, active, embedder, query, SearchOptions(k=5, collapse_duplicates=False, exact=True))
    assert (exact.complete, exact.notices) == (True, ())
