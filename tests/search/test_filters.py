"""Filtered searches, compared with brute force over the files."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from core.errors import InvalidQuery, PathNotIndexed
from encoders.fake import FakeEncoder
from indexer import index
from search import Filters, Query, Searcher, SearchOptions
from search.filters import parse_date
from search.ranking import newest_first
from store import Library

Paint = Callable[..., Path]


def taken(path: Path, colour: tuple[int, int, int], when: str | None) -> None:
    """Write a picture of one colour with a capture date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if when is not None:
        exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: when}
    Image.new("RGB", (8, 8), colour).save(path, exif=exif)


DATES = (None, "2022:12:31 23:59:59", "2023:01:01 00:00:00", "2023:06:15 12:00:00", "2024:01:01 00:00:00")
FOLDERS = ("", "sea", "sea/deep", "seaside")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of forty pictures of forty colours, in four folders and with five dates. Tests must not change it."""
    base = tmp_path_factory.mktemp("photos")
    colours = np.random.default_rng(3).integers(0, 256, (40, 3))
    for number, colour in enumerate(colours):
        name = Path(FOLDERS[number % 4]) / f"{number:02}.png"
        taken(base / name, (int(colour[0]), int(colour[1]), int(colour[2])), DATES[number % 5])
    return base


@pytest.fixture(scope="module")
def searcher(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """A searcher of the folder for tests that change nothing."""
    with Library.open(tmp_path_factory.mktemp("filters") / "library", create=True) as library:
        index(library, photos, FakeEncoder())
        yield Searcher(library, FakeEncoder())


@pytest.mark.parametrize("folder", [None, *FOLDERS])
@pytest.mark.parametrize(
    ("after", "before"),
    [(None, None), ("2023", None), (None, "2023"), ("2023", "2024"), ("2023-06-15", "2023-06-16"), ("2025", None)],
)
def test_filtered_search_equals_brute_force(
    searcher: Searcher, photos: Path, folder: str | None, after: str | None, before: str | None
) -> None:
    filters = Filters(
        within=() if folder is None else (photos / folder,),
        after=parse_date(after) if after else None,
        before=parse_date(before) if before else None,
    )
    kept = [
        hit.path
        for hit in searcher.search("red", k=40)
        if (folder is None or hit.path.is_relative_to(photos / folder))
        and (filters.after is None or (hit.taken_at is not None and hit.taken_at >= filters.after))
        and (filters.before is None or (hit.taken_at is not None and hit.taken_at < filters.before))
    ]
    hits = searcher.search("red", SearchOptions(k=40, filters=filters))
    assert [hit.path for hit in hits] == kept
    assert [hit.rank for hit in hits] == list(range(1, len(kept) + 1))
    assert [hit.path for hit in searcher.search("red", SearchOptions(k=3, filters=filters))] == kept[:3]


def test_several_folders_are_alternatives(searcher: Searcher, photos: Path) -> None:
    folders = (photos / "sea" / "deep", photos / "seaside")
    hits = searcher.search("red", SearchOptions(k=40, filters=Filters(within=folders)))
    assert {hit.path.parent for hit in hits} == set(folders)
    assert len(hits) == 20
    one = hits[0].path
    assert {hit.path for hit in searcher.similar(one, SearchOptions(k=40, filters=Filters(within=folders)))} == {
        hit.path for hit in hits[1:]
    }


def test_folder_above_roots_includes_all_roots(
    library: Library, tmp_path: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(tmp_path / "here" / "a" / "red.png", "red")
    paint(tmp_path / "here" / "b" / "blue.png", "blue")
    paint(tmp_path / "there" / "lime.png", "lime")
    index(library, [tmp_path / "here" / "a", tmp_path / "here" / "b", tmp_path / "there"], encoder)
    hits = Searcher(library, encoder).search("red", SearchOptions(filters=Filters(within=(tmp_path / "here",))))
    assert [hit.path.name for hit in hits] == ["red.png", "blue.png"]


def test_hit_path_is_the_copy_in_the_filtered_folder(
    library: Library, tmp_path: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(tmp_path / "all" / "a" / "red.png", "red")
    paint(tmp_path / "all" / "b" / "red.png", "red")
    index(library, tmp_path / "all", encoder)
    for folder in ("a", "b"):
        (hit,) = Searcher(library, encoder).search(
            "red", SearchOptions(filters=Filters(within=(tmp_path / "all" / folder,)))
        )
        assert hit.path == tmp_path / "all" / folder / "red.png"
        assert len(hit.copies) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"after": "2023"}, "after must be a datetime"),
        ({"before": 2023}, "before must be a datetime"),
        ({"within": "holidays"}, "within must be a tuple of folders"),
        ({"where": "iso>800"}, "where must be a condition"),
    ],
)
def test_filters_refuse_texts_when_they_are_made(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        Filters(**values)


def test_options_refuse_unknown_orders() -> None:
    with pytest.raises(InvalidQuery, match="sort must be 'relevance' or 'date', not 'newest'"):
        SearchOptions(sort="newest")  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="long_texts must be 'split' or 'truncate'"):
        SearchOptions(long_texts="cut")  # type: ignore[arg-type]


def test_folder_outside_library_raises(searcher: Searcher, tmp_path: Path) -> None:
    with pytest.raises(PathNotIndexed):
        searcher.search("red", SearchOptions(filters=Filters(within=(tmp_path / "elsewhere",))))


def test_newest_first_sorts_undated_last(searcher: Searcher) -> None:
    hits = searcher.search("red", k=40)
    ordered = newest_first(hits)
    dates = [hit.taken_at for hit in ordered if hit.taken_at is not None]
    assert dates == sorted(dates, reverse=True)
    assert [hit.taken_at for hit in ordered[len(dates) :]] == [None] * 8
    assert sorted(hit.rank for hit in ordered) == [hit.rank for hit in hits]
    same_day = [hit.rank for hit in ordered if hit.taken_at == datetime(2024, 1, 1)]  # noqa: DTZ001
    assert same_day == sorted(same_day)


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2023", (2023, 1, 1)), ("2023-6", (2023, 6, 1)), (" 2023-06-15 ", (2023, 6, 15)), ("2024-02-29", (2024, 2, 29))],
)
def test_parse_date(text: str, moment: tuple[int, int, int]) -> None:
    assert parse_date(text) == datetime(*moment)  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2023-13", "2023-02-29", "06-2023", "2023-", "2023-06-15T10", "0000"]
)
def test_invalid_date_raises(text: str) -> None:
    with pytest.raises(InvalidQuery, match="is not a date"):
        parse_date(text)


def test_negative_text_moves_query_away(library: Library, tmp_path: Path, paint: Paint, encoder: FakeEncoder) -> None:
    for name, colour in {"red": "red", "yellow": "yellow", "magenta": "magenta"}.items():
        paint(tmp_path / "all" / f"{name}.png", colour)
    index(library, tmp_path / "all", encoder)
    searcher = Searcher(library, encoder)
    hits = searcher.search(Query.of("red", without="green"))
    assert [hit.path.stem for hit in hits] == ["red", "magenta", "yellow"]
    # By hand: red is (1,0,0), green (0,1,0), each in four quadrants beside a floor of 0.1, of length sqrt(4.01).
    red, green = np.array([1, 0, 0] * 4 + [0.1]), np.array([0, 1, 0] * 4 + [0.1])
    wanted = (red - green / 2) / np.linalg.norm(red - green / 2)
    np.testing.assert_allclose(searcher.embed(Query.of("red", without="green")), wanted, atol=1e-6)
    assert Query.of("red", without=["green", "blue"]).title == "red - green - blue"


def test_query_without_positive_part_raises() -> None:
    with pytest.raises(InvalidQuery):
        Query.of(without="green")
    with pytest.raises(InvalidQuery):
        Query.of("red", without=" ")
