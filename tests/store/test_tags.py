"""Tags of each source, and the comparison of names."""

import math
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidTag
from store import Library
from store.catalog.collation import clean_name, contains, fold, matches
from store.catalog.tables import PictureState, TagSource
from store.tags import (
    TagCount,
    Tagging,
    TagRecord,
    add_tags,
    list_tags,
    relabel,
    remove_tags,
    set_content_tags,
    set_picture_tags,
    tag_name,
    tags_of,
)

Put = Callable[..., list[int]]
USER, MODEL, FILE, SIDECAR = TagSource.USER, TagSource.MODEL, TagSource.FILE, TagSource.SIDECAR


def test_tags_of_each_source_are_independent(library: Library, put: Put) -> None:
    one, two = put(1, 2)
    assert add_tags(library, [Tagging(one, "Beach"), Tagging(two, "beach"), Tagging(one, "BEACH")]) == 2
    assert add_tags(library, [Tagging(one, "beach")]) == 0
    assert add_tags(library, [Tagging(one, "beach", 0.75), Tagging(two, "dog", 0.5)], MODEL) == 2
    with library.transaction() as connection:
        set_picture_tags(connection, 2, ["dog", "Trip/Rome"])
    assert list_tags(library) == [
        TagCount("Beach", 2, {USER: 2, MODEL: 1}),
        TagCount("dog", 1, {MODEL: 1, SIDECAR: 1}),
        TagCount("Trip/Rome", 1, {SIDECAR: 1}),
    ]
    assert tags_of(library, [one]) == {one: [TagRecord("Beach", MODEL, 0.75), TagRecord("Beach", USER)]}
    assert remove_tags(library, [one, two], ["bEACH", "dog"]) == 2
    assert list_tags(library)[0] == TagCount("Beach", 1, {MODEL: 1})
    with library.transaction() as connection:
        set_content_tags(connection, [one, two], [Tagging(two, "cat", 0.25)], MODEL)
    assert tags_of(library, [one, two])[two][0] == TagRecord("cat", MODEL, 0.25)
    assert one not in tags_of(library, [one, two])
    with library.transaction() as connection:
        set_picture_tags(connection, 2, [])
    assert [tag.name for tag in list_tags(library)] == ["cat"]


def test_relabel_replaces_only_the_labels_it_names(library: Library, put: Put) -> None:
    one, two = put(1, 2)
    add_tags(library, [Tagging(one, "dog", 0.5), Tagging(two, "cat", 0.6), Tagging(two, "indoors", 0.7)], MODEL)
    add_tags(library, [Tagging(one, "dog")])
    relabel(library, [one, two], ["dog", "cat"], [Tagging(one, "cat", 0.9)])
    assert tags_of(library, [one, two]) == {
        one: [TagRecord("cat", MODEL, 0.9), TagRecord("dog", USER)],
        two: [TagRecord("indoors", MODEL, 0.7)],
    }


def test_adding_a_tag_again_updates_its_probability(library: Library, put: Put) -> None:
    (one,) = put(1)
    add_tags(library, [Tagging(one, "dog", 0.5)], MODEL)
    add_tags(library, [Tagging(one, "dog", 0.9)], MODEL)
    assert tags_of(library, [one]) == {one: [TagRecord("dog", MODEL, 0.9)]}


def test_missing_pictures_are_not_counted(library: Library, put: Put) -> None:
    (present,), (missing,) = put(1), put(2, state=PictureState.MISSING)
    add_tags(library, [Tagging(present, "dog"), Tagging(missing, "dog"), Tagging(missing, "cat")])
    assert list_tags(library) == [TagCount("dog", 1, {USER: 1})]
    assert [tag.name for tag in tags_of(library, [missing])[missing]] == ["cat", "dog"]


def test_contents_that_were_forgotten_are_skipped(library: Library, put: Put) -> None:
    (one,) = put(1)
    assert add_tags(library, [Tagging(one, "dog"), Tagging(one + 1, "dog")]) == 1
    relabel(library, [one, one + 1], ["dog"], [Tagging(one + 1, "dog", 0.5)])
    assert list_tags(library) == [TagCount("dog", 1, {USER: 1})]
    add_tags(library, [Tagging(one + 1, "CAT")])
    add_tags(library, [Tagging(one, "cat")])
    assert [tag.name for tag in list_tags(library)] == ["cat", "dog"]  # not the spelling that no content has


def test_removing_the_last_use_of_a_tag_forgets_its_spelling(library: Library, put: Put) -> None:
    (one,) = put(1)
    add_tags(library, [Tagging(one, "DOG")])
    remove_tags(library, [one], ["dog"])
    add_tags(library, [Tagging(one, "Dog")])
    assert [tag.name for tag in list_tags(library)] == ["Dog"]


def test_tags_can_be_changed_while_another_process_writes(library: Library, put: Put) -> None:
    (one,) = put(1)
    with Library.open(library.path) as other, other.exclusive():
        assert add_tags(library, [Tagging(one, "dog")]) == 1
        assert remove_tags(library, [one], ["dog"]) == 1


def test_more_tags_than_one_statement_takes(library: Library, put: Put) -> None:
    (one,) = put(1)
    assert add_tags(library, [Tagging(one, f"tag {number}") for number in range(2_500)]) == 2_500
    assert remove_tags(library, [one], [f"Tag {number}" for number in range(2_500)]) == 2_500


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
def test_tag_names_are_cleaned(text: str, name: str) -> None:
    assert tag_name(text) == name


@pytest.mark.parametrize("text", ["", "  ", "\0", "///", "\u202e"])
def test_names_without_a_letter_are_rejected(text: str) -> None:
    with pytest.raises(InvalidTag, match="not a valid name"):
        tag_name(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Straße", "STRASSE", True), ("caf\xe9", "CAFE\u0301", True), ("café", "cafe", False), ("ΣΑΣ", "σας", True)],
)
def test_fold_ignores_case_and_normalization(one: str, other: str, same: bool) -> None:
    assert (fold(one) == fold(other)) is same


@given(st.text())
def test_fold_and_clean_name_are_idempotent(text: str) -> None:
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
        ("a" * 60, "*a" * 30 + "*b", False),  # no exponential backtracking
    ],
)
def test_matches_supports_star_and_question_mark_only(text: str, pattern: str, fits: bool) -> None:
    assert matches(text, pattern) is fits


def test_contains_ignores_case() -> None:
    assert contains("FUJIFILM X100V", "x100")
    assert not contains("FUJIFILM X-T3", "x100")


def test_any_number_of_tags_can_be_removed(library: Library, put: Put) -> None:
    (content_id,) = put(1)
    add_tags(library, [Tagging(content_id, "red"), Tagging(content_id, "kept")])
    names = [f"name {number}" for number in range(70_000)]
    assert remove_tags(library, [content_id], [*names, "RED"]) == 1
    assert [tag.name for tag in list_tags(library)] == ["kept"]


@pytest.mark.parametrize("probability", [math.nan, math.inf, -math.inf, 1.5, -0.5])
def test_probability_that_is_none_is_refused(library: Library, put: Put, probability: float) -> None:
    (content_id,) = put(1)
    add_tags(library, [Tagging(content_id, "red", 0.5)], TagSource.MODEL)
    wrong = [Tagging(content_id, "blue", 0.5), Tagging(content_id, "green", probability)]
    with pytest.raises(ValueError, match=r"The probability of the tag 'green' is .*, not from 0 to 1"):
        add_tags(library, wrong, TagSource.MODEL)
    with pytest.raises(ValueError, match="The probability of the tag 'green'"):
        relabel(library, [content_id], ["red"], wrong)
    assert [(tag.name, tag.probability) for tag in tags_of(library, [content_id])[content_id]] == [("red", 0.5)]
