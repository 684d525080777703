"""Tags: what each source says, and how names are compared."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidTag
from store import Library
from store.catalog.annotations import TagSource
from store.catalog.collation import clean_name, contains, fold, matches
from store.catalog.tables import State
from store.tags import (
    TagCount,
    Tagging,
    TagRecord,
    add_tags,
    list_tags,
    remove_tags,
    replace_picture_tags,
    replace_tags,
    tag_name,
    tags_of,
)

Put = Callable[..., list[int]]
USER, MODEL, FILE, SIDECAR = TagSource.USER, TagSource.MODEL, TagSource.FILE, TagSource.SIDECAR


def test_each_source_speaks_for_itself(library: Library, put: Put) -> None:
    one, two = put(1, 2)
    with library.write() as connection:
        assert add_tags(connection, [Tagging(one, "Beach"), Tagging(two, "beach"), Tagging(one, "BEACH")]) == 2
        assert add_tags(connection, [Tagging(one, "beach")]) == 0
        assert add_tags(connection, [Tagging(one, "beach", 0.75), Tagging(two, "dog", 0.5)], MODEL) == 2
        replace_picture_tags(connection, 2, ["dog", "Trip/Rome"])
        assert list_tags(connection) == [
            TagCount("Beach", 2, {USER: 2, MODEL: 1}),
            TagCount("dog", 1, {MODEL: 1, SIDECAR: 1}),
            TagCount("Trip/Rome", 1, {SIDECAR: 1}),
        ]
        assert tags_of(connection, [one]) == {one: [TagRecord("Beach", MODEL, 0.75), TagRecord("Beach", USER)]}
        assert remove_tags(connection, [one, two], ["bEACH", "dog"]) == 2
        assert list_tags(connection)[0] == TagCount("Beach", 1, {MODEL: 1})
        replace_tags(connection, [one, two], [Tagging(two, "cat", 0.25)], MODEL)
        assert tags_of(connection, [one, two])[two][0] == TagRecord("cat", MODEL, 0.25)
        assert one not in tags_of(connection, [one, two])
        replace_picture_tags(connection, 2, [])
        assert [each.name for each in list_tags(connection)] == ["cat"]


def test_a_probability_is_renewed(library: Library, put: Put) -> None:
    (one,) = put(1)
    with library.write() as connection:
        add_tags(connection, [Tagging(one, "dog", 0.5)], MODEL)
        add_tags(connection, [Tagging(one, "dog", 0.9)], MODEL)
        assert tags_of(connection, [one]) == {one: [TagRecord("dog", MODEL, 0.9)]}


def test_what_is_missing_is_not_counted(library: Library, put: Put) -> None:
    (here,), (gone,) = put(1), put(2, state=State.MISSING)
    with library.write() as connection:
        add_tags(connection, [Tagging(here, "dog"), Tagging(gone, "dog"), Tagging(gone, "cat")])
        assert list_tags(connection) == [TagCount("dog", 1, {USER: 1})]
        assert [each.name for each in tags_of(connection, [gone])[gone]] == ["cat", "dog"]


def test_many_at_once(library: Library, put: Put) -> None:
    (one,) = put(1)
    with library.write() as connection:
        assert add_tags(connection, [Tagging(one, f"tag {number}") for number in range(2_500)]) == 2_500
        assert remove_tags(connection, [one], [f"Tag {number}" for number in range(2_500)]) == 2_500


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  a \t b\n", "a b"),
        ("a,b \"c\" 'd'", "a,b \"c\" 'd'"),
        ("nul\0here", "nul here"),
        ("/people//Anna/ ", "people/Anna"),
        ("\u202etxt.gpj\u202c", "txt.gpj"),
        ("שלום", "שלום"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("cafe\u0301", "caf\xe9"),
        ("x" * 500, "x" * 200),
        ("\udcff!", "!"),
    ],
)
def test_names_are_made_clean(text: str, name: str) -> None:
    assert tag_name(text) == name


@pytest.mark.parametrize("text", ["", "  ", "\0", "///", "\u202e"])
def test_no_name(text: str) -> None:
    with pytest.raises(InvalidTag, match="is no name"):
        tag_name(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Straße", "STRASSE", True), ("caf\xe9", "CAFE\u0301", True), ("café", "cafe", False), ("ΣΑΣ", "σας", True)],
)
def test_how_names_are_compared(one: str, other: str, same: bool) -> None:
    assert (fold(one) == fold(other)) is same


@given(st.text())
def test_folding_is_stable(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
    assert fold(fold(text)) == fold(text)
    assert clean_name(clean_name(text)) == clean_name(text)


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("100%_sure", "100%_*", True),
        ("100 sure", "100%_*", False),
        ("[a]", "[a]", True),
        ("a", "[a]", False),
        ("Straße", "str?sse*", True),
        ("two\nlines", "two*", True),
        ("a" * 60, "*a" * 30 + "*b", False),  # without backtracking for ever
    ],
)
def test_patterns(text: str, pattern: str, fits: bool) -> None:
    assert matches(text, pattern) is fits


def test_a_part_of_a_text() -> None:
    assert contains("FUJIFILM X100V", "x100")
    assert not contains("FUJIFILM X-T3", "x100")
