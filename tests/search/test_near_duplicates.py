"""Collapsing near-duplicates keeps the best hit of each group, and the order of all others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher, SearchOptions
from search.filters import Filters
from search.near_duplicates import best_first, first_of_each_group, why_best
from search.results import Hit
from store import Library
from store.queries import ContentRecord
from tests.support.photos import photo


@given(st.lists(st.integers(0, 60), unique=True), st.dictionaries(st.integers(0, 60), st.integers(0, 9)))
def test_first_of_each_group_keeps_order(ranked: list[int], groups: dict[int, int]) -> None:
    places = first_of_each_group(ranked, groups)
    assert places == sorted(places)
    for place, content in enumerate(ranked):
        group = groups.get(content)
        before = group is not None and group in [groups.get(other) for other in ranked[:place]]
        assert (place in places) == (not before)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures; the first four exist in three versions, in one folder per version. Tests must not change it."""
    base = tmp_path_factory.mktemp("photos")
    for seed in range(12):
        picture = photo(seed)
        forms = {"png": picture, "jpg": picture, "half": picture.resize((80, 80))} if seed < 4 else {"png": picture}
        for form, image in forms.items():
            (base / form).mkdir(exist_ok=True)
            image.save(base / form / f"{seed:02}.{form.replace('half', 'png')}")
    return base


@pytest.fixture(scope="module")
def searcher(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """A searcher of the folder for tests that change nothing."""
    with Library.open(tmp_path_factory.mktemp("grouped") / "library", create=True) as library:
        index(library, [photos], FakeEncoder())
        yield Searcher(library, FakeEncoder())


def names(hits: Sequence[Hit]) -> list[str]:
    return [f"{hit.path.parent.name}/{hit.path.stem}" for hit in hits]


def first_of_each(everything: Sequence[Hit]) -> list[int]:
    seen, ids = set[str](), []
    for hit in everything:
        if hit.path.stem not in seen:
            ids.append(hit.id)
        seen.add(hit.path.stem)
    return ids


@pytest.mark.parametrize("text", ["red", "blue and green", "yellow"])
@pytest.mark.parametrize("k", [1, 3, 50])
def test_collapsed_hits_are_first_of_each_group(searcher: Searcher, text: str, k: int) -> None:
    everything = searcher.search(text, SearchOptions(k=50, collapse_duplicates=False))
    assert len(everything) == 20
    assert [hit.stack for hit in everything] == [()] * 20
    hits = searcher.search(text, k=k)
    assert [hit.id for hit in hits] == first_of_each(everything)[:k]
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    scores = {hit.id: hit.score for hit in everything}
    assert [hit.score for hit in hits] == [scores[hit.id] for hit in hits]
    for hit in hits:
        assert sorted([hit.id, *(other.id for other in hit.stack)]) == sorted(
            other.id for other in everything if other.path.stem == hit.path.stem
        )


@pytest.mark.parametrize("sort", ["relevance", "date"])
def test_pages_neither_repeat_nor_skip_groups(searcher: Searcher, sort: str) -> None:
    whole = searcher.search("red", SearchOptions(k=50, min_score=-1, sort=sort))  # type: ignore[arg-type]
    found, cursor = list[Hit](), None
    for _ in range(20):
        page = searcher.search("red", SearchOptions(k=2, min_score=-1, sort=sort, cursor=cursor))  # type: ignore[arg-type]
        found += page
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [hit.id for hit in found] == [hit.id for hit in whole]
    assert len(found) == 12


def test_filtered_search_shows_filtered_group_members(searcher: Searcher, photos: Path) -> None:
    filters = Filters(within=(photos / "half", photos / "jpg"))
    hits = searcher.search("red", SearchOptions(k=50, filters=filters))
    assert len(hits) == 4
    for hit in hits:
        assert {path.parent.name for path in [hit.path, *(other.paths[0] for other in hit.stack)]} == {"half", "jpg"}


def test_similar_includes_near_duplicates_of_the_picture(searcher: Searcher, photos: Path) -> None:
    hits = searcher.similar(photos / "png" / "00.png", k=50)
    assert hits[0].path.stem == "00"
    assert len(hits[0].stack) == 2  # including the query picture, which is no hit itself
    assert len(hits) == 12


def record(number: int, **facts: object) -> ContentRecord:
    plain = ContentRecord(
        id=number,
        paths=(Path(f"/{number}"),),
        width=10,
        height=10,
        format="JPEG",
        size=100,
        taken_at=None,
        camera=None,
        lens=None,
        latitude=None,
        longitude=None,
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("better", "reason"),
    [
        ({"width": 11}, "most pixels"),
        ({"size": 101}, "largest file"),
        ({"format": "PNG"}, "lossless"),
        ({"taken_at": datetime(2020, 1, 1)}, "taken first"),  # noqa: DTZ001
        ({}, "known first"),
    ],
)
def test_best_first_and_reason(better: dict[str, object], reason: str) -> None:
    found = best_first([record(2), record(1 if not better else 3, **better)])
    assert found[0].id == (1 if not better else 3)
    assert why_best(found) == reason
