"""Ratings by users, beside those in files and sidecars."""

import math
from collections.abc import Callable

import pytest
from sqlalchemy import insert, select, update

from core.metadata import PhotoMetadata
from store import Library
from store.catalog.tables import Content, Picture, Sidecar, TagSource
from store.details import RatingSource, load_details
from store.filters.conditions import FieldTest, Op
from store.filters.selection import matching_ids
from store.ingest.metadata import content_columns
from store.ratings import rate
from store.tags import Tagging, add_tags

Put = Callable[..., list[int]]


def rated(library: Library, stars: int) -> list[int]:
    return sorted(matching_ids(library, FieldTest("rating", Op.EQ, float(stars))))


def put_rating(library: Library, content_id: int, *, file: int | None = None, sidecar: int | None = None) -> None:
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == content_id).values(rating=file))
        if sidecar is not None:
            picture = connection.scalar(select(Picture.id).where(Picture.content_id == content_id))
            values = {"picture_id": picture, "rating": sidecar, "title": "A title", "description": None}
            connection.execute(insert(Sidecar).values(values))


def test_rating_of_the_user_outranks_sidecar_and_file(library: Library, put: Put) -> None:
    one, two, three = put(1, 2, 3)
    put_rating(library, one, file=2, sidecar=3)
    put_rating(library, two, file=2)
    assert (rated(library, 3), rated(library, 2)) == ([one], [two])
    assert rate(library, [one, two, three, 999], 5) == {one: None, two: None, three: None}
    assert (rated(library, 5), rated(library, 3), rated(library, 2)) == ([one, two, three], [], [])
    assert rate(library, [one, two], 0) == {one: 5, two: 5}  # hides the rating of the file
    assert (rated(library, 5), rated(library, 3), rated(library, 2)) == ([three], [], [])
    assert rate(library, [one, two], 0) == {}
    assert rate(library, [one, two, three], None) == {one: 0, two: 0, three: 5}
    assert (rated(library, 5), rated(library, 3), rated(library, 2)) == ([], [one], [two])


def test_indexing_again_keeps_the_rating_of_the_user(library: Library, put: Put) -> None:
    (one,) = put(1)
    rate(library, [one], 4)
    with library.transaction() as connection:  # as a run does that reads the header again
        columns = content_columns(PhotoMetadata(rating=1))
        connection.execute(update(Content).where(Content.id == one).values(columns))
    assert rated(library, 4) == [one]
    rate(library, [one], None)
    assert rated(library, 1) == [one]


@pytest.mark.parametrize("rating", [-2, 6, 100, 2.5, math.nan, math.inf])
def test_rating_has_limits(library: Library, put: Put, rating: float) -> None:
    (one,) = put(1)
    with pytest.raises(ValueError, match="is not a rating from -1 to 5"):
        rate(library, [one], rating)  # type: ignore[arg-type]


def test_details_say_where_the_rating_comes_from(library: Library, put: Put) -> None:
    one, two, three = put(1, 2, 3)
    put_rating(library, one, file=2, sidecar=3)
    put_rating(library, two, file=2)
    add_tags(library, [Tagging(two, "beach")])
    ratings = {}
    for number in (one, two, three):
        details = load_details(library, number)
        assert details is not None
        ratings[number] = (details.rating, details.rating_source)
    assert ratings == {one: (3, RatingSource.SIDECAR), two: (2, RatingSource.FILE), three: (None, None)}
    rate(library, [one], 0)
    details = load_details(library, one)
    assert details is not None
    assert (details.title, details.rating, details.rating_source, details.failures) == ("A title", None, None, ())
    details = load_details(library, two)
    assert details is not None
    assert [(tag.name, tag.source) for tag in details.tags] == [("beach", TagSource.USER)]
    assert load_details(library, 999) is None
