"""Searching by text in pictures: the filter `text:`, and words of the query that count if they stand in a picture."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InvalidQuery
from encoders.fake import FakeEncoder
from indexer.texts import read_texts
from search import Filters, Searcher, SearchOptions
from search.browse import browse
from search.filters import field_condition, parse_where
from search.query_language import parse
from store import Library
from store.filters.selection import matching_ids
from tests.support.frame_files import index_files
from tests.support.written import PixelTextRecognizer, write_picture, write_text_pages

SIGNS = {
    "kings.png": ("Platform", "9 3/4", "King's Cross"),
    "nine.png": ("Platform 9",),
    "ninety.png": ("platform 90",),
    "chinese.png": ("第九", "站台"),
    "czech.png": ("Nástupiště 9",),
    "plain.png": (),
}


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory, empty_library: Path) -> Iterator[tuple[Library, dict[str, int]]]:
    """A library of red pictures with signs, and a yellow one, with the content IDs by name. No test changes it."""
    folder = tmp_path_factory.mktemp("signs")
    shutil.copytree(empty_library, folder / "library")
    for name, lines in SIGNS.items():
        write_picture(folder / "album" / name, *lines, colour="red" if lines else "yellow")
    write_text_pages(folder / "album" / "scan.tif", ["cover"], ["Platform 9 is", "closed today"])
    with Library.open(folder / "library") as opened:
        found = index_files(opened, folder / "album", FakeEncoder())
        read_texts(opened, PixelTextRecognizer())
        yield opened, found


@pytest.fixture
def library(signs: tuple[Library, dict[str, int]]) -> Library:
    return signs[0]


@pytest.fixture
def ids(signs: tuple[Library, dict[str, int]]) -> dict[str, int]:
    return signs[1]


def names(ids: dict[str, int], found: list[int]) -> set[str]:
    return {name.partition(".")[0] for name, content_id in ids.items() if content_id in found}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('text:"platform 9"', {"kings", "nine", "ninety", "scan"}),
        ("text:PLATFORM", {"kings", "nine", "ninety", "scan"}),
        ("text:form", {"kings", "nine", "ninety", "scan"}),
        ("text:9", {"kings", "nine", "ninety", "czech", "scan"}),
        ("text:第九站台", {"chinese"}),
        ("text:九站", {"chinese"}),
        ("text:nastupiste", {"czech"}),
        ('text:"=platform 9"', {"nine"}),
        ('text:"platform ?"', {"nine"}),
        ("text:platform*", {"kings", "nine", "ninety", "scan"}),
        ("text:*today", {"scan"}),
        ('text:"is closed"', {"scan"}),
        ("text:platform -text:closed", {"kings", "nine", "ninety"}),
        ("text:closed or text:3/4", {"kings", "scan"}),
        ("has:text", {"kings", "nine", "ninety", "chinese", "czech", "scan"}),
        ("-has:text", {"plain"}),
        ("text:nowhere", set()),
        ('text:"\\" OR text_index MATCH \\""', set()),
        ("text:%", set()),
    ],
)
def test_the_filter_selects_exactly(library: Library, ids: dict[str, int], where: str, expected: set[str]) -> None:
    condition = parse(where).where
    assert condition is not None
    assert names(ids, matching_ids(library, condition)) == expected


def test_the_whole_text_is_compared_after_an_equals_sign() -> None:
    assert parse_where("text=Platform 9") == field_condition("text", "=Platform 9")


def test_hits_have_the_lines_that_a_filter_found(library: Library, ids: dict[str, int]) -> None:
    options = SearchOptions(filters=Filters(where=field_condition("text", "platform 9")))
    hits = {hit.id: hit for hit in Searcher(library, FakeEncoder()).search("red", options)}
    assert names(ids, list(hits)) == {"kings", "nine", "ninety", "scan"}
    assert [found.line.text for found in hits[ids["kings.png"]].texts] == ["Platform", "9 3/4"]
    (found,) = hits[ids["scan.tif"]].texts
    assert (found.frame, found.line.text) == (1, "Platform 9 is")
    assert hits[ids["nine.png"]].text_match is None


def test_lists_without_a_query_have_them_too(library: Library, ids: dict[str, int]) -> None:
    page = browse(library, filters=Filters(where=field_condition("text", "第九站台")))
    assert [[found.line.text for found in picture.texts] for picture in page.pictures] == [["第九", "站台"]]


def test_a_negated_filter_marks_nothing(library: Library, ids: dict[str, int]) -> None:
    options = SearchOptions(filters=Filters(where=parse("-text:closed has:text").where))
    assert all(hit.texts == () for hit in Searcher(library, FakeEncoder()).search("red", options))


def test_words_in_a_picture_count_where_requested(library: Library, ids: dict[str, int]) -> None:
    """All signs are equally red. `platform` and `9` are 9 of the 12 characters of the query's words."""
    searcher = Searcher(library, FakeEncoder())
    plain = searcher.search("red platform 9", SearchOptions(collapse_duplicates=False))
    assert all(hit.text_match is None for hit in plain)
    hits = searcher.search("red platform 9", SearchOptions(text_weight=0.2, collapse_duplicates=False))
    shares = {hit.id: hit.text_match for hit in hits}
    assert shares[ids["nine.png"]] == pytest.approx(9 / 12)
    assert shares[ids["kings.png"]] == pytest.approx(9 / 12)
    assert shares[ids["ninety.png"]] == pytest.approx(8 / 12)
    assert shares[ids["czech.png"]] == 0  # a word of one character alone is not looked up
    scores = {hit.frame_id: hit.score for hit in plain}
    stills = [hit for hit in hits if hit.id != ids["scan.tif"]]  # of the document, another page is found
    assert [hit.score for hit in stills] == [scores[hit.frame_id] for hit in stills]
    merits = [hit.score + 0.2 * (hit.text_match or 0) for hit in hits]
    assert merits == sorted(merits, reverse=True)


def test_text_brings_up_a_picture_that_is_not_among_the_nearest(library: Library, ids: dict[str, int]) -> None:
    searcher = Searcher(library, FakeEncoder())
    assert searcher.search("yellow platform", k=1)[0].id == ids["plain.png"]
    best = searcher.search("yellow platform", SearchOptions(k=1, text_weight=1.0))[0]
    assert best.text_match == pytest.approx(8 / 14)
    assert best.score < 0.8


def test_the_page_of_a_document_with_the_words_is_found(library: Library, ids: dict[str, int]) -> None:
    hits = Searcher(library, FakeEncoder()).search("red closed today", SearchOptions(k=1, text_weight=0.5))
    assert (hits[0].id, hits[0].frame_number) == (ids["scan.tif"], 1)
    assert [found.line.text for found in hits[0].texts] == ["closed today"]


def test_filters_apply_before_text_counts(library: Library, ids: dict[str, int]) -> None:
    options = SearchOptions(text_weight=1.0, filters=Filters(where=parse("-has:text").where))
    assert [hit.id for hit in Searcher(library, FakeEncoder()).search("platform", options)] == [ids["plain.png"]]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_pages_show_every_picture_once_in_the_same_order(library: Library, ids: dict[str, int], k: int) -> None:
    searcher = Searcher(library, FakeEncoder())
    whole = SearchOptions(k=20, text_weight=0.3, collapse_duplicates=False)
    expected = [(hit.id, hit.rank) for hit in searcher.search("red platform 9", whole)]
    assert len(expected) == len(ids)
    found, cursor = [], None
    while True:
        options = SearchOptions(k=k, text_weight=0.3, collapse_duplicates=False, cursor=cursor)
        answer = searcher.search("red platform 9", options)
        found += [(hit.id, hit.rank) for hit in answer]
        if (cursor := answer.next_cursor) is None:
            break
    assert found == expected


def test_a_minimum_score_is_one_of_the_score(library: Library, ids: dict[str, int]) -> None:
    options = SearchOptions(min_score=0.9, text_weight=1.0)
    hits = Searcher(library, FakeEncoder()).search("yellow platform", options)
    assert all(hit.score >= 0.9 for hit in hits)
    assert ids["nine.png"] not in [hit.id for hit in hits]


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), float("inf")])
def test_invalid_weights_are_refused(weight: float) -> None:
    with pytest.raises(InvalidQuery, match="weight of text"):
        SearchOptions(text_weight=weight)
