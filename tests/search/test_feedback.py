"""Relevance feedback."""

import pytest

from core.errors import InvalidQuery
from search import Part, Query, Searcher, StoredInput
from search.feedback import refine_query
from search.query_language import parse


def test_rocchio_weights() -> None:
    query = refine_query(Query.of(["a", "b"]), [StoredInput(1), StoredInput(2), StoredInput(3)], [StoredInput(4)])
    assert [part.weight for part in query.parts] == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.25, -0.15])
    assert refine_query(None, [StoredInput(1)]) == Query((Part(StoredInput(1), 0.75),))
    with pytest.raises(InvalidQuery):
        refine_query(None, less=[StoredInput(1)])


def test_feedback_moves_query_towards_right_hits(searcher: Searcher) -> None:
    scores = {hit.path.stem: hit.score for hit in searcher.search("red")}
    ids = {hit.path.stem: hit.id for hit in searcher.search("red")}
    moved = refine_query(Query.of("red"), [StoredInput(ids["blue"])], [StoredInput(ids["yellow"])])
    after = {hit.path.stem: hit.score for hit in searcher.search(moved)}
    assert after["blue"] > scores["blue"]
    assert after["yellow"] < scores["yellow"]
    assert parse(str(moved)).query == moved
