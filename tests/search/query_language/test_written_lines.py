"""Lines that are put together from pieces: they are read as they were meant."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidQuery
from search.filters import And, FieldTest, Not, Op, Or, parse_where, where_term
from search.query_language import ParsedQuery, line_that_reads_as, parse
from search.query_language.written_lines import same_meaning

TEXTS = st.text(st.sampled_from("ab \"'“”«»\\():=<>*?-.#，：") | st.characters(), min_size=1, max_size=12)
CONDITIONS = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "-", "–"]),
        st.sampled_from(["album", "tag", "camera", "title", "path", "place", "text"]),
        st.sampled_from([":", "=", "!=", "："]),
        TEXTS,
    ),
    st.sampled_from(
        ["iso>800", "-iso!=800", "rating>=4", "date:2020..2021", "time: 9:00-17:30", "has:place", "in:/a b"]
    ),
)


@given(CONDITIONS)
def test_condition_is_read_as_the_same_in_a_query(text: str) -> None:
    try:
        condition = parse_where(text)
        line = where_term(text)
    except InvalidQuery:
        assume(False)
    read = parse(f"a dog {line} by night")
    assert read.query == parse("a dog by night").query
    assert read.where == condition


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("album:a b", 'album:"a b"'),
        ("album:=a", "album:=a"),
        ("camera=X 100", 'camera:"=X 100"'),
        ("-tag!=sea", "tag:=sea"),
        ("iso>800", "iso:>800"),
    ],
)
def test_conditions_are_written_with_quotation_marks_where_needed(text: str, line: str) -> None:
    assert where_term(text) == line


A, B, C = (FieldTest("album", Op.EQ, name) for name in "abc")


def test_nesting_and_order_do_not_change_the_meaning() -> None:
    assert same_meaning(And((A, And((B, C)))), And((C, And((A,)), B)))
    assert same_meaning(Not(Not(Or((A, Or((B, C)))))), Or((A, B, C)))
    assert not same_meaning(And((A, B)), Or((A, B)))
    assert not same_meaning(Not(A), A)
    assert not same_meaning(None, A)


def test_first_line_with_the_meaning_is_chosen() -> None:
    meant = ParsedQuery(parse("“a").query, FieldTest("album", Op.EQ, "x y"))
    lines = ['“a album:"x y"', 'album:"x y" “a', 'album:"x y" “a album:"x y"']
    assert line_that_reads_as(meant, lines) == lines[1]
    assert line_that_reads_as(meant, ["(", "a"]) is None
