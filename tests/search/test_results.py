"""Answers behave like a sequence of hits; exported text is safe in a spreadsheet."""

from pathlib import Path

import pytest

from search import Answer, Searcher, SearchOptions
from search.results import escape_formula


def test_answer_is_a_sequence_of_hits(searcher: Searcher) -> None:
    answer = searcher.search("red", k=3)
    assert len(answer) == 3
    assert list(answer) == list(answer.hits)
    assert answer[0] == answer.hits[0]
    assert answer[1:] == answer.hits[1:]
    assert answer.next_cursor is not None


def test_empty_answer_is_false(searcher: Searcher) -> None:
    assert not Answer()
    assert not searcher.search("white", SearchOptions(min_score=0.999))
    assert searcher.search("red")


def test_hit_lists_files_in_preferred_folders_first(searcher: Searcher, album: Path) -> None:
    (hit,) = searcher.search("yellow", k=1)
    assert hit.prefer_folders([album / "more"]).path == hit.path == album / "more" / "yellow.png"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_formulas_are_escaped(text: str) -> None:
    assert escape_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", " =1", "'=1", "1-1", "é"])
def test_other_text_is_unchanged(text: str) -> None:
    assert escape_formula(text) == text
