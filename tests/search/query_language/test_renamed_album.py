"""Queries that use an album as a filter, when that album is renamed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidQuery
from search.filters import FieldTest, Not, Op, Or
from search.query_language import parse, with_album_renamed

ROMA = 'album:"Roma trip"'


@pytest.mark.parametrize(
    ("query", "renamed"),
    [
        ("album:Rome", ROMA),
        ("a beach album:rome by night", f"a beach {ROMA} by night"),
        ("(ALBUM:rome or album:Paris) sea", '(ALBUM:"Roma trip" or album:Paris) sea'),
        ("((album:rome iso:100) or -(iso:200 -album:rome))", f"(({ROMA} iso:100) or -(iso:200 -{ROMA}))"),
        ("-album:rome or album:ROME", f"-{ROMA} or {ROMA}"),
        ("–album：Rome", '–album："Roma trip"'),
        ("ａｌｂｕｍ：rome", 'ａｌｂｕｍ："Roma trip"'),
        ("（album﹕rome）", '（album﹕"Roma trip"）'),
        ("album:“rome” sea", f"{ROMA} sea"),
        ("album:„ rome“", ROMA),
        ("album:«rome»", ROMA),
        ("album:'rome'", ROMA),
        ('album:"ro\\me"', ROMA),
        ('2:"sea" + "hills" album:"rome"', f'2:"sea" + "hills" {ROMA}'),
        ('"old album:rome shots" album:rome', f'"old album:rome shots" {ROMA}'),
        ("“old album:rome shots” -album:rome", f"“old album:rome shots” -{ROMA}"),
        ('tag:"my album:rome" album:rome', f'tag:"my album:rome" {ROMA}'),
        ("myalbum:rome album:rome2 tag:rome", "myalbum:rome album:rome2 tag:rome"),
        ("(a dog album:rome", f"(a dog {ROMA}"),
        ("(iso:100 album:rome", "(iso:100 album:rome"),
        ("“a sea album:rome", f"{ROMA} “a sea"),
        ("„a album:rome or album:Paris „ sea", f"{ROMA} or album:Paris „a „ sea"),
        ("", ""),
    ],
)
def test_filters_are_renamed_and_phrases_are_not(query: str, renamed: str) -> None:
    assert with_album_renamed(query, "Rome", "Roma trip") == renamed


@pytest.mark.parametrize("old", ["A b", "a  b ", "a/b", "Été"])
def test_any_spelling_of_the_old_name_is_found(old: str) -> None:
    query = {"a/b": "album:a//b", "Été": 'album:"e\u0301te\u0301"'}.get(old, 'album:" a   B"')
    assert with_album_renamed(query, old, "c") == 'album:"c"'


@given(st.text(min_size=1))
def test_any_new_name_is_read_as_it_is(new: str) -> None:
    assume(new.strip())
    query = 'a beach "at album:old" (album:“old” or -album:old) by night'
    renamed = parse(with_album_renamed(query, "old", new))
    assert renamed.query == parse(query).query
    test = FieldTest("album", Op.EQ, new.strip())
    assert renamed.where == Or((test, Not(test)))


@given(
    st.lists(
        st.sampled_from(
            [
                "album:old",
                "-album：“old”",
                '"x y"',
                "(",
                ")",
                "or",
                "x",
                "tag:'old'",
                "+",
                "2:",
                "“x",
                "«x",
                "‘x",
                "x”",
                "„",
            ]
        )
    )
)
def test_renaming_and_renaming_back_keeps_the_meaning(words: list[str]) -> None:
    query = " ".join(words)
    try:
        before = parse(query)
    except InvalidQuery:
        return
    assert parse(with_album_renamed(with_album_renamed(query, "old", 'n"e\\w'), 'n"e\\w', "old")) == before
