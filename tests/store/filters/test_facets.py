"""Facets compared with counting in Python."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from sqlalchemy import delete

from encoders.fake import FakeEncoder
from indexer import index
from search.filters import field_condition
from store import Library
from store.catalog.tables import Picture, TagSource
from store.filters.conditions import Not
from store.filters.facets import FACETS, Facet, count_facets
from store.kept_counts import selected
from store.tags import Tagging, add_tags

CAMERAS = ("Leica Q", "Canon R5", None)


@pytest.fixture(params=["rows", "columns"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a condition keeps is counted in the database, or, as where it keeps much, from kept columns."""
    monkeypatch.setattr(selected, "MIN_EACH", 0 if request.param == "columns" else 10**9)


@pytest.fixture
def photos(library: Library, tmp_path: Path, encoder: FakeEncoder) -> Path:
    """Twelve pictures of three cameras and two months, in two folders; one picture has a copy."""
    folder = tmp_path / "all"
    for number in range(12):
        exif = Image.Exif()
        if CAMERAS[number % 3]:
            exif[ExifTags.Base.Model] = CAMERAS[number % 3]
        if number % 4:
            exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: f"202{number % 2}:0{number % 2 + 1}:01 00:00:00"}
        path = folder / ("a" if number < 4 else "b/c") / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8 + number % 2, 8), (number * 20, 0, 0)).save(path, exif=exif)
    (folder / "b" / "copy.jpg").write_bytes((folder / "a" / "0.jpg").read_bytes())
    index(library, folder, encoder)
    return folder


def counted(*values: object) -> list[tuple[object, int]]:
    return sorted(Counter(values).items(), key=lambda item: (item[0] is None, -item[1], str(item[0])))


def test_facets_of_the_whole_library(library: Library, photos: Path) -> None:
    facets = count_facets(library)
    assert facets.pictures == 12
    assert list(facets.counts) == list(FACETS)
    plain = {name: [(each.value, each.pictures) for each in found] for name, found in facets.counts.items()}
    assert plain["camera"] == counted(*(CAMERAS[number % 3] for number in range(12)))
    assert plain["year"] == [("2020", 3), ("2021", 6), (None, 3)]
    assert plain["month"] == [("2020-01", 3), ("2021-02", 6), (None, 3)]
    assert plain["orientation"] == [("landscape", 6), ("square", 6)]
    assert plain["format"] == [("JPEG", 12)]
    assert plain["lens"] == [(None, 12)]
    assert plain["tag"] == []
    assert plain["folder"] == [(str(photos / "b" / "c"), 8), (str(photos / "a"), 4), (str(photos / "b"), 1)]


def test_facets_count_only_matching_pictures(library: Library, photos: Path) -> None:
    add_tags(library, [Tagging(1, "dog"), Tagging(2, "Dog"), Tagging(2, "cat")])
    add_tags(library, [Tagging(1, "dog", 0.5)], TagSource.MODEL)
    facets = count_facets(library, field_condition("tag", "dog"), ["tag", "camera"])
    assert facets.pictures == 2
    assert facets.counts["tag"] == (Facet("dog", 2), Facet("cat", 1))
    assert sum(each.pictures for each in facets.counts["camera"]) == 2
    nothing = count_facets(library, field_condition("iso", "1"))
    assert (nothing.pictures, set(nothing.counts.values())) == (0, {()})


def test_folder_names_need_not_be_utf8(
    library: Library, tmp_path: Path, paint: Callable[..., Path], encoder: FakeEncoder
) -> None:
    import os

    folder = tmp_path / os.fsdecode(b"n\xfcl")
    paint(folder / "deep" / "red.png")
    index(library, folder, encoder)
    assert count_facets(library).counts["folder"] == (Facet(str(folder / "deep"), 1),)


def test_facets_of_all_pictures_equal_those_of_a_condition_that_keeps_all(
    library: Library, photos: Path, encoder: FakeEncoder
) -> None:
    """They are counted in another way. Contents whose only file is missing or was forgotten are not counted."""
    (photos / "a" / "1.jpg").unlink()
    (photos / "b" / "c" / "5.jpg").unlink()
    index(library, photos, encoder)
    with library.transaction() as connection:
        connection.execute(delete(Picture).where(Picture.relpath == b"b/c/7.jpg"))
    every = count_facets(library, Not(field_condition("iso", "1")))
    assert count_facets(library) == every
    assert every.pictures == 9
