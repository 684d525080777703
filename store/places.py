"""The named places where pictures were taken: storing them, and finding pictures that have not been looked up.

A place has many names, in many languages and scripts. All of them are stored with the places of the library, so that a
search needs no gazetteer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update

from store.catalog.bulk_insert import insert_rows
from store.catalog.collation import clean_name, fold
from store.catalog.tables import Content, ContentPlace, NamedPlace, PlaceName, PlaceRow
from store.library import Library, Writer

__all__ = [
    "CityName",
    "Place",
    "UnplacedContent",
    "record_named_places",
    "record_places",
    "unknown_cities",
    "unplaced_contents",
]

PLACES_PAGE_SIZE = 5_000
"""Contents per page."""

NAMES_PAGE_SIZE = 10_000
"""Names of cities that are looked up in a run."""


@dataclass(frozen=True)
class Place:
    """A populated place."""

    id: int
    """Of GeoNames."""
    city: str
    region: str | None
    """State or province."""
    country: str
    country_code: str
    """ISO 3166-1, two letters."""
    names: frozenset[str]
    """Every name of the city, the region and the country that can be searched for."""


class UnplacedContent(NamedTuple):
    """A content with a position that has not been looked up."""

    content_id: int
    latitude: float
    longitude: float


class CityName(NamedTuple):
    """The names of a city and a country in files; that of the country is empty if they name none."""

    city: str
    country: str


def unplaced_contents(library: Library, gazetteer: str) -> Iterator[list[UnplacedContent]]:
    """Yield pages of contents whose position has not been looked up in this gazetteer, or has changed since."""
    after = 0
    while page := _page(library, gazetteer, after):
        yield page
        after = page[-1].content_id


def _page(library: Library, gazetteer: str, after: int) -> list[UnplacedContent]:
    is_current = and_(
        ContentPlace.gazetteer == gazetteer,
        ContentPlace.latitude == Content.latitude,
        ContentPlace.longitude == Content.longitude,
    )
    statement = (
        select(Content.id, Content.latitude, Content.longitude)
        .outerjoin(ContentPlace, ContentPlace.content_id == Content.id)
        .where(Content.id > after, Content.latitude.is_not(None), Content.longitude.is_not(None))
        .where(or_(ContentPlace.content_id.is_(None), ~is_current))
        .order_by(Content.id)
        .limit(PLACES_PAGE_SIZE)
    )
    with library.read() as connection:
        return [UnplacedContent(row.id, row.latitude, row.longitude) for row in connection.execute(statement)]


def unknown_cities(library: Library, gazetteer: str) -> list[CityName]:
    """Return the names of cities in files that have not been looked up in this gazetteer."""
    country = func.coalesce(Content.country, "")
    is_known = and_(NamedPlace.city == Content.city, NamedPlace.country == country, NamedPlace.gazetteer == gazetteer)
    is_unknown = (Content.city.is_not(None), ~exists().where(is_known))
    statement = select(Content.city, country).where(*is_unknown).distinct().limit(NAMES_PAGE_SIZE)
    with library.read() as connection:
        return [CityName(city or "", name) for city, name in connection.execute(statement)]


def record_named_places(writer: Writer, gazetteer: str, named: Mapping[CityName, Place | None]) -> None:
    """Store which place each name means; None where the gazetteer knows none."""
    rows = [
        {**name._asdict(), "place_id": place.id if place else None, "gazetteer": gazetteer}
        for name, place in named.items()
    ]
    with writer.transaction() as connection:
        _write_places(connection, {place.id: place for place in named.values() if place is not None})
        for name in named:
            is_name = (NamedPlace.city == name.city, NamedPlace.country == name.country)
            connection.execute(delete(NamedPlace).where(*is_name))
        if rows:
            connection.execute(insert(NamedPlace), rows)


def record_places(
    writer: Writer, gazetteer: str, page: list[UnplacedContent], places: Mapping[int, Place | None]
) -> None:
    """Store the places of contents, by content ID; None where no place is near. Contents removed since are left out."""
    rows = [
        {
            "content_id": content.content_id,
            "place_id": place.id if (place := places[content.content_id]) else None,
            "latitude": content.latitude,
            "longitude": content.longitude,
            "gazetteer": gazetteer,
        }
        for content in page
    ]
    distinct = {place.id: place for place in places.values() if place is not None}
    with writer.transaction() as connection:
        connection.execute(delete(ContentPlace).where(ContentPlace.content_id.in_([row["content_id"] for row in rows])))
        _write_places(connection, distinct)
        existing = set(connection.execute(select(Content.id).where(Content.id.in_([*places]))).scalars())
        rows = [row for row in rows if row["content_id"] in existing]
        insert_rows(connection, ContentPlace, rows)


def _write_places(connection: Connection, places: Mapping[int, Place]) -> None:
    """Insert these places, or replace what the catalogue knows about them."""
    known = set(connection.execute(select(PlaceRow.id).where(PlaceRow.id.in_(list(places)))).scalars())
    connection.execute(delete(PlaceName).where(PlaceName.place_id.in_(known)))
    names = list[dict[str, object]]()
    for place in places.values():
        values = {
            "city": place.city,
            "region": place.region,
            "country": place.country,
            "country_code": place.country_code,
        }
        if place.id in known:
            connection.execute(update(PlaceRow).where(PlaceRow.id == place.id).values(values))
        else:
            connection.execute(insert(PlaceRow).values(id=place.id, **values))
        keys = {fold(name) for name in map(clean_name, place.names) if name}
        names += [{"place_id": place.id, "key": key} for key in sorted(keys)]
    if names:
        connection.execute(insert(PlaceName), names)
