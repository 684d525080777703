"""What every engine promises: the same tests for index files and for servers."""

import os
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.catalog.frame_ids import frame_id
from store.check import verify
from store.spaces.ranker import Ranker
from store.spaces.server_engines.server_index import ServerIndex
from tests.support.engines import Clusters, N, Setup

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]
EXAMPLES = 15 * int(os.environ.get("SIGHTLINE_EXAMPLES", "1"))


@pytest.fixture
def filled(setup: Setup, clusters: Clusters) -> list[int]:
    """The IDs of the pictures of a library that is indexed."""
    ids = clusters.add(N)
    setup.update()
    return ids


def uses_engine(setup: Setup, index: Ranker) -> bool:
    return isinstance(index, ServerIndex) and index.connect() is not None


def test_the_best_of_all_are_found_with_exact_scores(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    index = setup.load().index
    assert uses_engine(setup, index) == setup.is_server
    agrees(index, exact=setup.name == "flat")
    agrees(index.exact, exact=True)


def test_scores_are_the_same_numbers_as_those_of_exact_search(
    setup: Setup, filled: list[int], clusters: Clusters
) -> None:
    index = setup.load().index
    for seed in range(10):
        query = clusters.query(seed)[None]
        found, exact = index.search(query, 10), index.exact.search(query, N)
        scores = dict(zip(exact.ids[0].tolist(), exact.scores[0].tolist(), strict=True))
        assert found.scores[0].tolist() == [scores[frame] for frame in found.ids[0].tolist()]


def test_a_longer_ranking_begins_with_the_shorter_one(setup: Setup, filled: list[int], clusters: Clusters) -> None:
    index = setup.load().index
    for seed in range(5):
        query = clusters.query(seed)[None]
        assert index.search(query, 40).ids[0, :12].tolist() == index.search(query, 12).ids[0].tolist()


def test_many_results_and_ranges_are_exact(setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees) -> None:
    index = setup.load().index
    agrees(index, 250, exact=True)
    agrees(index, 10 * N, exact=True)
    scores, ids = index.search_range(clusters.query(1), 0.3)
    best = [(frame, score) for frame, score in clusters.best(clusters.query(1), N) if score >= 0.3]
    assert sorted(ids.tolist()) == sorted(frame for frame, _ in best)
    assert sorted(scores.tolist()) == pytest.approx(sorted(score for _, score in best), abs=1e-5)


def test_a_random_filter_loses_nothing(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    index = setup.load().index
    for kept in (1, 15, 60, 149, 250, 390):
        among = np.sort(np.random.default_rng(kept).choice(filled, kept, replace=False))
        agrees(index, among=among, exact=True)


def test_a_filter_of_pictures_that_lie_together_loses_nothing(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    index = setup.load().index
    for kept in (1, 3, 9, 15):
        among = np.array([frame for row, frame in enumerate(filled) if row % 20 < kept])
        agrees(index, among=among, exact=True, queries=10)


def test_a_filter_by_unknown_ids_finds_nothing_else(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    agrees(setup.load().index, among=np.array([10**6, 10**7]), exact=True)
    agrees(setup.load().index, among=np.array([], np.int64), exact=True)
    agrees(setup.load().index, among=np.array([*filled[:30], 10**6, *filled[:30]]), exact=True)


def test_added_pictures_are_found_before_the_engine_has_them(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    before = setup.load()
    added = clusters.add(25)
    current = setup.load(before)
    assert uses_engine(setup, current.index) == setup.is_server
    assert set(added) <= set(current.index.ids().tolist())
    agrees(current.index, exact=setup.name == "flat", queries=20)
    agrees(current.index, among=np.array([*added, *filled[:200]]), exact=True, queries=20)
    vector = clusters.everything()[added[3]]
    assert current.index.search(vector[None], 1).ids.tolist() == [[added[3]]]


def test_removed_pictures_are_not_found_while_the_engine_still_has_them(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    before = setup.load()
    clusters.lose(filled[::20])  # a whole cluster
    current = setup.load(before)
    agrees(current.index, exact=setup.name == "flat", queries=20)
    agrees(current.index, among=np.array(filled[:200]), exact=True, queries=20)


def test_replaced_vectors_are_ranked_by_the_new_ones(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    before = setup.load()
    clusters.replace(filled[:30])
    current = setup.load(before)
    agrees(current.index, exact=setup.name == "flat", queries=20)
    agrees(current.index, among=np.array(filled[:200]), exact=True, queries=20)
    vector = clusters.everything()[filled[7]]
    assert current.index.search(vector[None], 1).ids.tolist() == [[filled[7]]]


def test_an_updated_engine_has_all_changes(setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees) -> None:
    added = clusters.add(30)
    clusters.lose(filled[:25])
    clusters.replace(filled[25:50])
    setup.update()
    if setup.is_server:
        engine = setup.engine()
        state = engine.state(fresh=True)
        assert state is not None
        held = {
            frame: vector
            for ids, part in engine.stored_vectors(state)
            for frame, vector in zip(ids.tolist(), part, strict=True)
        }
        engine.close()
        assert state.vectors == len(held) == N + 30 - 25
        expected = clusters.everything()
        assert held.keys() == expected.keys()
        assert all((held[frame] == expected[frame]).all() for frame in expected)
    index = setup.load().index
    assert uses_engine(setup, index) == setup.is_server
    agrees(index, exact=setup.name == "flat", queries=20)
    agrees(index, among=np.array([*added, *filled[:200]]), exact=True, queries=20)
    assert verify(setup.library) == []


def test_an_index_from_before_an_update_still_answers_for_its_time(
    setup: Setup, filled: list[int], clusters: Clusters
) -> None:
    index = setup.load().index
    before = clusters.everything()
    added = clusters.add(30)
    setup.update()
    for seed in range(10):
        found = index.search(clusters.query(seed)[None], 10).ids[0].tolist()
        assert len(found) == 10
        assert set(found) <= before.keys()
        kept = np.array([*filled[:100], *added])
        found = index.search(clusters.query(seed)[None], 10, kept).ids[0].tolist()
        best = clusters.best(clusters.query(seed), 10, kept[:100])
        assert found == [frame for frame, _ in best]


def test_all_frames_of_a_content_are_found(setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees) -> None:
    pages = clusters.add(10, frames=4)
    setup.update()
    current = setup.load()
    assert len(current.index) == N + 40
    assert current.has_further_frames
    assert current.content_count == N + 10
    agrees(current.index, exact=setup.name == "flat", queries=20)
    frames = current.frames_of(np.array(pages))
    assert len(frames) == 40
    agrees(current.index, 12, frames, exact=True)
    third = frame_id(pages[2], 3)
    assert current.index.search(clusters.everything()[third][None], 1).ids.tolist() == [[third]]
    clusters.lose(pages[:4])
    agrees(setup.load(current).index, exact=setup.name == "flat", queries=20)
    setup.update()
    current = setup.load()
    assert len(current.index) == N + 24
    agrees(current.index, exact=setup.name == "flat", queries=20)
    assert verify(setup.library) == []


def test_a_small_library_is_searched(setup: Setup, clusters: Clusters, agrees: Agrees) -> None:
    ids = clusters.add(3)
    setup.update()
    agrees(setup.load().index, 2, exact=not setup.name.startswith("milvus"))
    clusters.lose(ids)
    setup.update()
    assert len(setup.load().index) == 0
    assert setup.load().index.search(clusters.query(0)[None], 5).ids.shape == (1, 0)


def test_any_filter_equals_brute_force(setup: Setup, filled: list[int], clusters: Clusters) -> None:
    before = setup.load()
    clusters.lose(filled[100:110])
    clusters.replace(filled[110:120])
    filled += clusters.add(15)
    index = setup.load(before).index
    everything = clusters.everything()
    frames = np.array(list(everything))
    vectors = np.stack(list(everything.values()))

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(
        st.one_of(
            st.sets(st.sampled_from(filled)),
            st.builds(lambda start, size: set(filled[start : start + size]), st.integers(0, N), st.integers(0, N)),
            st.builds(
                lambda kept: {frame for row, frame in enumerate(filled) if row % 20 in kept},
                st.sets(st.integers(0, 19)),
            ),
        ),
        st.integers(0, 50),
        st.integers(1, 60),
    )
    def check(among: set[int], seed: int, k: int) -> None:
        query = clusters.query(seed)
        found = index.search(query[None], k, np.array(sorted(among), np.int64))
        assert found.complete
        kept = np.isin(frames, np.array(sorted(among), np.int64))
        scores = np.sort(vectors[kept] @ query)[::-1][:k]
        assert found.scores[0] == pytest.approx(scores, abs=1e-5)
        assert set(found.ids[0].tolist()) <= among

    check()
