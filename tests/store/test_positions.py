"""Positions and places of contents."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert, update

from store import Library
from store.catalog.tables import Content, ContentPlace, PictureState, PlaceRow
from store.filters.conditions import FieldTest, Op
from store.positions import NO_PLACE, PlaceNames, load_positions, positioned_ids

Put = Callable[..., list[int]]


def locate(library: Library, content_id: int, **values: Any) -> None:
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == content_id).values(values))


def look_up(library: Library, content_id: int, place_id: int, city: str) -> None:
    """Record what a gazetteer would find."""
    with library.transaction() as connection:
        place = {"id": place_id, "city": city, "region": "Lazio", "country": "Italy", "country_code": "IT"}
        connection.execute(insert(PlaceRow).values(place))
        found = {"content_id": content_id, "place_id": place_id, "latitude": 1, "longitude": 2, "gazetteer": "test"}
        connection.execute(insert(ContentPlace).values(found))


def test_positions_are_in_the_order_of_ids(library: Library, put: Put) -> None:
    first, second, without, half = put(1, 2, 3, 4)
    locate(library, second, latitude=-12.25, longitude=170.5)
    locate(library, first, latitude=50.123456789, longitude=-0.5)
    locate(library, half, latitude=1.0)
    found = load_positions(library)
    assert found.ids.tolist() == [first, second]
    assert found.latitudes.tolist() == [50.123456789, -12.25]
    assert found.longitudes.tolist() == [-0.5, 170.5]
    assert found.places.tolist() == [NO_PLACE, NO_PLACE]
    assert found.among(positioned_ids(library, FieldTest("latitude", Op.LT, 0))).ids.tolist() == [second]
    assert without in positioned_ids(library, None)


def test_missing_files_are_not_kept(library: Library, put: Put) -> None:
    (present,), (missing,) = put(1), put(2, state=PictureState.MISSING)
    for each in (present, missing):
        locate(library, each, latitude=1.0, longitude=2.0)
    assert load_positions(library).ids.tolist() == [present, missing]
    assert load_positions(library).among(positioned_ids(library, None)).ids.tolist() == [present]


def test_place_in_the_file_counts_before_the_gazetteer(library: Library, put: Put) -> None:
    both, looked_up, sight = put(1, 2, 3)
    for each in (both, looked_up, sight):
        locate(library, each, latitude=1.0, longitude=2.0)
    locate(library, both, city="Roma")
    locate(library, sight, sublocation="Colosseum", country="Italy")
    look_up(library, both, 10, "Rome")
    look_up(library, looked_up, 11, "Ostia")
    found = load_positions(library)
    assert [found.names[place] for place in found.places] == [
        PlaceNames("Roma", None, None),
        PlaceNames("Ostia", "Lazio", "Italy"),
        PlaceNames("Colosseum", None, "Italy"),
    ]


def test_library_without_positions(library: Library, put: Put) -> None:
    assert load_positions(library).ids.tolist() == []
    (only,) = put(1)
    look_up(library, only, 10, "Rome")  # the position has been removed since
    assert load_positions(library).among(positioned_ids(library, None)).ids.tolist() == []
