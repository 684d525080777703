"""Runs and judgements as other tools write them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError
from search.evaluate.run_files import RunFile, open_qrels, open_run, unmatched_notices

Write = Callable[..., Path]

TREC = ("q1 Q0 a 1 0.9 x", "q1 Q0 b 2 0.5 x", "q2 Q0 b 1 0.25 x")
RUN = {"q1": {"a": 0.9, "b": 0.5}, "q2": {"b": 0.25}}


def test_trec_and_json_contain_the_same_run(write: Write) -> None:
    assert open_run(write("a.run", *TREC)).run == RUN
    assert open_run(write("a.json", json.dumps(RUN, indent=1))).run == RUN
    assert open_run(write("a.txt", RUN)).run == RUN  # JSON without the suffix
    assert all(not open_run(path).notices for path in (write("b.run", *TREC), write("b.json", RUN)))


def test_trec_and_json_contain_the_same_judgements(write: Write) -> None:
    expected = {"q1": {"a": 2, "b": 0}}
    assert open_qrels(write("q.qrels", "q1 0 a 2", "q1 0 b 0")) == expected
    assert open_qrels(write("q.json", {"q1": {"a": 2, "b": 0.0}})) == expected


def test_runs_without_scores_are_ranked_in_their_order(write: Write) -> None:
    by_rank = open_run(write("a.run", "q1 Q0 b 2 0 x", "q1 Q0 a 1 0 x", "q2 Q0 c 1 0 x"))
    assert by_rank.run == {"q1": {"b": -2, "a": -1}, "q2": {"c": -1}}
    assert by_rank.notices == ("All scores of each query are equal, so the ranks in the file are used.",)
    listed = open_run(write("a.json", {"q1": ["a", "b"], "q2": {"c": 1}}))
    assert listed.run == {"q1": {"a": 0, "b": -1}, "q2": {"c": 1}}
    assert listed.notices == ("1 queries have no scores; their documents are ranked in the order of the file.",)


@pytest.mark.parametrize(
    "lines",
    [
        ("q1 Q0 a 1 0 x", "q1 Q0 b 1 0 x"),  # equal ranks, too
        ("q1 Q0 a 1 0 x", "q1 Q0 b 2 0 x", "q2 Q0 a 1 1 x", "q2 Q0 b 2 0 x"),  # one query with scores
        ("q1 Q0 a 1 0 x", "q2 Q0 b 1 0 x"),  # nothing to order
        ("q1 Q0 a 1 0 x", "q2 Q0 a 1 0 x", "q1 Q0 b 2 1 x", "q2 Q0 b 2 1 x"),  # queries in turns
        ("q1 Q0 a - 0 x", "q1 Q0 b - 0 x"),
    ],
)
def test_scores_that_tie_are_used_as_they_are(write: Write, lines: tuple[str, ...]) -> None:
    found = open_run(write("a.run", *lines))
    assert {score for of_query in found.run.values() for score in of_query.values()} <= {0, 1}
    assert not found.notices


def test_scores_that_look_like_distances_are_reported(write: Write) -> None:
    found = open_run(write("a.run", "q1 Q0 a 1 0.1 x", "q1 Q0 b 2 0.2 x", "q1 Q0 c 3 0.4 x"))
    assert found.run["q1"] == {"a": 0.1, "b": 0.2, "c": 0.4}
    assert "Negate them if they are distances" in found.notices[0]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.run", "q1 Q0 a 1 high x", "a.run, line 1: the score 'high' is not a number"),
        ("a.run", "q1 a 0.5", "a.run, line 1: expected 6 fields"),
        ("a.json", "[1]", "a.json: an object was expected"),
        ("a.json", "{}", "a.json: an object was expected"),
        ("a.json", '{"q1": 3}', "a.json: query q1: an object was expected"),
        ("a.json", '{"q1": {"a": "high"}}', "query q1: 'high' of the document a: a score is a finite number"),
        ("a.json", '{"q1": {"a": true}}', "query q1: True of the document a: a score is a finite number"),
        ("a.json", '{"q1": {"a": NaN}}', "query q1: nan of the document a: a score is a finite number"),
        ("a.json", '{"q1": ["a", "b", "a"]}', "query q1: the document a is ranked twice"),
        ("a.json", '{"q1": [["a", 0.5]]}', "query q1: a list of document ids was expected"),
        ("a.json", '{"q1": {"a": 1}', "a.json: not JSON at line"),
    ],
)
def test_mistakes_in_runs_are_named(write: Write, name: str, content: str, complaint: str) -> None:
    with pytest.raises(DatasetError) as caught:
        open_run(write(name, content))
    assert complaint in str(caught.value)


@pytest.mark.parametrize("grade", ["0.5", '"1"', "null", "Infinity", "true"])
def test_grades_are_whole_numbers(write: Write, grade: str) -> None:
    with pytest.raises(DatasetError, match="of the document a: a grade is a whole number"):
        open_qrels(write("q.json", f'{{"q1": {{"a": {grade}}}}}'))


def test_judgements_without_grades_are_rejected(write: Write) -> None:
    with pytest.raises(DatasetError, match="query q1: the documents have no grades"):
        open_qrels(write("q.json", {"q1": ["a"]}))


def test_queries_that_do_not_match_are_named() -> None:
    file = RunFile(Path("a.run"), {"q1": {"a": 1.0}, "q3": {"a": 1.0}})
    notices = unmatched_notices(file, {"q1": {"a": 1}, "q2": {"a": 1}}, "q.qrels")
    assert notices == (
        "1 judged queries are not in the run and count as 0: q2",
        "1 queries are not judged and not evaluated: q3",
    )
    with pytest.raises(DatasetError, match=r"a\.run: no query is judged in q\.qrels\. Queries of the run: q1, q3"):
        unmatched_notices(file, {"1": {"a": 1}}, "q.qrels")
    with pytest.raises(
        DatasetError, match=r"no document is judged in q\.qrels\. Documents of the query q1: a; judged: 1"
    ):
        unmatched_notices(file, {"q1": {"1": 1}}, "q.qrels")
