"""Inverted lists of a library: built, kept in step with it, and never published with a low recall."""

import numpy as np
import pytest

from store import Library
from store.check import verify
from store.spaces import approximation, index_cache
from store.spaces.approximation import update_approximation
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.recall import MeasuredRecall
from store.spaces.registry import StoredSpace
from tests.support.inverted_lists import Fill, N, exact_index, layered, queries, suffixes
from tests.support.writers import lose, publish


@pytest.mark.usefixtures("built")
def test_lists_are_built_and_measured_from_the_given_size(library: Library, stored: StoredSpace) -> None:
    index = layered(library, stored)
    assert len(index) == N
    assert index.lists is not None
    manifest = index_cache.published_manifest(library, stored)
    assert manifest is not None
    assert manifest.recall.lowest >= 0.95
    assert manifest.recall.generated
    assert suffixes(library) == {".json", ".faiss", ".lists", ".added", ".removed"}
    assert verify(library) == []
    assert not update_approximation(library, stored)


def test_small_libraries_stay_exact(library: Library, stored: StoredSpace, fill: Fill) -> None:
    fill(399)
    publish(library, stored)
    assert not update_approximation(library, stored)
    assert suffixes(library) - {".json"} == {".faiss"}


def test_scores_are_those_of_exact_search(library: Library, stored: StoredSpace, built: list[int]) -> None:
    index, flat = layered(library, stored), exact_index(library, stored)
    found = index.search(queries(stored), 10)
    assert not found.complete
    assert found.ids.shape == (20, 10)
    for query, scores, ids in zip(queries(stored), found.scores, found.ids, strict=True):
        alone = flat.search(query[None], 10, ids)
        np.testing.assert_array_equal(alone.scores[0], scores)
    many = index.search(queries(stored), 201)
    assert many.complete
    np.testing.assert_array_equal(many.ids, flat.search(queries(stored), 201).ids)
    np.testing.assert_array_equal(index.exact.search(queries(stored), 10).ids, flat.search(queries(stored), 10).ids)
    assert index.exact.search(queries(stored), 10).complete
    among = np.array(built[::3], np.int64)
    few = index.search(queries(stored), 7, among)
    assert few.complete
    np.testing.assert_array_equal(few.ids, flat.search(queries(stored), 7, among).ids)


def test_changes_are_published_without_the_base(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill
) -> None:
    base = next(library.indexes.glob("*.faiss")).stat()
    new = fill(15)
    lose(library, [*built[:10], *new[:5]])
    publish(library, stored)
    after = next(library.indexes.glob("*.faiss")).stat()
    assert (base.st_ino, base.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    index, flat = layered(library, stored), exact_index(library, stored)
    assert sorted(index.ids().tolist()) == sorted([*built[10:], *new[5:]])
    assert len(index) == N
    order, other = np.argsort(index.ids()), np.argsort(flat.ids())
    np.testing.assert_array_equal(index.vectors()[order], flat.vectors()[other])
    parts = [index.vectors(start, start + 250) for start in range(0, len(index), 250)]
    np.testing.assert_array_equal(np.concatenate(parts), index.vectors())
    for k in (5, 300):
        found, expected = index.search(queries(stored), k), flat.search(queries(stored), k)
        assert not np.isin(found.ids, built[:10]).any()
        if found.complete:
            np.testing.assert_array_equal(found.scores, expected.scores)
    scores, ids = index.search_range(queries(stored)[0], 0.2)
    expected_scores, expected_ids = flat.search_range(queries(stored)[0], 0.2)
    assert dict(zip(ids.tolist(), scores.tolist(), strict=True)) == dict(
        zip(expected_ids.tolist(), expected_scores.tolist(), strict=True)
    )
    assert verify(library) == []
    assert not update_approximation(library, stored)  # 20 changes are below 5 %


def test_many_changes_are_merged_with_the_same_centroids(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill
) -> None:
    before = index_cache.published_manifest(library, stored)
    new = fill(60)
    lose(library, built[:30])
    publish(library, stored)
    assert update_approximation(library, stored)
    after = index_cache.published_manifest(library, stored)
    assert before is not None
    assert after is not None
    assert (after.trained_on, after.trained_fit) == (before.trained_on, before.trained_fit)
    index = layered(library, stored)
    assert (len(index.base), index.changes) == (N + 30, 0)
    assert sorted(index.ids().tolist()) == sorted([*built[30:], *new])
    assert index.lists is not None
    again = index.lists.emptied()
    again.add(index.base.vectors())
    found, expected = (lists.propose(queries(stored), 10, 10**6, None) for lists in (index.lists, again))
    np.testing.assert_array_equal(found, expected)  # each code still belongs to its row
    assert verify(library) == []
    assert len(list(library.indexes.glob("*.lists"))) == 1


def test_centroids_are_computed_again_when_pictures_have_changed(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximation, "RETRAIN_DISTANCE", 0.5)
    fill(100)
    publish(library, stored)
    assert update_approximation(library, stored)
    manifest = index_cache.published_manifest(library, stored)
    assert manifest is not None
    assert manifest.trained_on == N + 100


def test_lists_are_dropped_when_the_library_has_shrunk(library: Library, stored: StoredSpace, built: list[int]) -> None:
    lose(library, built[: N - 300])
    publish(library, stored)
    assert update_approximation(library, stored)  # merged: 300 are above 70 % of 400
    assert len(layered(library, stored)) == 300
    lose(library, built[N - 300 : N - 270])
    publish(library, stored)
    assert update_approximation(library, stored)
    assert isinstance(index_cache.load(library, stored).index, FlatIndex)
    assert suffixes(library) == {".faiss"}
    assert verify(library) == []


def test_lists_are_dropped_when_every_picture_is_gone(
    library: Library, stored: StoredSpace, built: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:0")
    lose(library, built)
    publish(library, stored)
    assert update_approximation(library, stored)
    assert suffixes(library) == {".faiss"}
    assert not update_approximation(library, stored)


def test_low_recall_keeps_search_exact_and_is_remembered(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(N)
    publish(library, stored)
    low = MeasuredRecall(text=0.94, pictures=1.0, text_queries=100, generated=True)
    monkeypatch.setattr(approximation, "measure_recall", lambda *_: (16, low))
    assert update_approximation(library, stored)
    assert layered(library, stored).search(queries(stored), 10).complete
    assert suffixes(library) == {".json", ".faiss", ".added", ".removed"}
    manifest = index_cache.published_manifest(library, stored)
    assert manifest is not None
    assert manifest.recall == low
    assert verify(library) == []
    fill(50)
    publish(library, stored)
    assert not update_approximation(library, stored)
    monkeypatch.undo()
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:400")
    fill(150)
    publish(library, stored)
    assert update_approximation(library, stored)  # more than a fifth has changed
    assert layered(library, stored).lists is not None


@pytest.mark.usefixtures("built")
def test_another_engine_ignores_the_layers(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "flat")
    current = index_cache.load(library, stored)
    assert isinstance(current.index, FlatIndex)
    assert len(current.index) == N
    assert not update_approximation(library, stored)
    publish(library, stored)
    assert suffixes(library) == {".faiss"}
