"""Compile tests of people and of names of places to SQL.

Names of places in the file win: the place that a gazetteer knows at the position counts only where the file names none.
A city that a file names is also found by its other names, if a gazetteer knows it.
"""

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select, tuple_

from store.catalog.collation import fold
from store.catalog.id_sets import among
from store.catalog.tables import Content, ContentPlace, NamedPlace, PersonRow, PlaceName, PlaceRow
from store.catalog.tables.mapping import MappedColumn

__all__ = [
    "distinct_values",
    "has_own_place",
    "in_place",
    "in_some_place",
    "people_called",
    "with_person",
    "with_someone",
]

_PLACE = (Content.sublocation, Content.city, Content.region, Content.country)
_COLUMNS = {"place": _PLACE, "city": (Content.city,), "region": (Content.region,), "country": (Content.country,)}
"""The columns of `Content` that a field tests. `PlaceRow` has columns of the same names, except for sublocations."""


def with_someone() -> ColumnElement[bool]:
    """Contents with at least one person."""
    return Content.id.in_(select(PersonRow.content_id))


def with_person(connection: Connection, accepts: Callable[[str], bool]) -> ColumnElement[bool]:
    """Contents with a person whose name passes the test."""
    keys = people_called(connection, accepts)
    return Content.id.in_(select(PersonRow.content_id).where(among(PersonRow.key, keys)))


def people_called(connection: Connection, accepts: Callable[[str], bool]) -> list[str]:
    """Return the names, in comparable form, of people that pass the test."""
    return [key for key in distinct_values(connection, PersonRow.key) if accepts(key)]


def has_own_place() -> ColumnElement[bool]:
    """Contents whose file names a place."""
    return or_(*(column.is_not(None) for column in _PLACE))


def in_some_place(field: str) -> ColumnElement[bool]:
    """Contents with a place, as the file names it or a gazetteer."""
    columns = _COLUMNS[field]
    own = or_(*(column.is_not(None) for column in columns))
    known = or_(*(getattr(PlaceRow, column.key).is_not(None) for column in columns if hasattr(PlaceRow, column.key)))
    return or_(
        own, and_(not_(has_own_place()), _looked_up(ContentPlace.place_id.in_(select(PlaceRow.id).where(known))))
    )


def in_place(
    connection: Connection, field: str, accepts: Callable[[str], bool], keys: Collection[str] | None
) -> ColumnElement[bool]:
    """Contents with a place whose name passes the test. `keys` are the names in comparable form if it names them."""
    columns = _COLUMNS[field]
    own = [among(column, [name for name in distinct_values(connection, column) if accepts(name)]) for column in columns]
    names = [column.key for column in columns if hasattr(PlaceRow, column.key)]
    places = {
        row.id
        for row in connection.execute(select(PlaceRow.__table__))
        if any(accepts(name) for column in names if (name := getattr(row, column)) is not None)
    }
    if field == "place":
        places |= _places_called(connection, accepts, keys)
    chosen = sorted(places)
    return or_(
        *own,
        and_(not_(has_own_place()), _looked_up(among(ContentPlace.place_id, chosen))),
        _named(among(NamedPlace.place_id, chosen)),
    )


def distinct_values(connection: Connection, column: MappedColumn[str] | MappedColumn[str | None]) -> Sequence[str]:
    """Return the distinct values of `column`, the first of an index, in ascending order.

    This takes one step through the index per value (a skip scan), which SQLite does not do by itself here. For a
    hundred cameras in a million pictures it takes less than a millisecond; `SELECT DISTINCT` reads the whole index.
    """
    first = select(func.min(column).label("value")).cte("steps", recursive=True)
    next_value: ColumnElement[str | None] = (
        select(func.min(column)).where(column > first.c.value).correlate(first).scalar_subquery()
    )
    steps = first.union_all(select(next_value).where(first.c.value.is_not(None)))
    rows = connection.execute(select(steps.c.value).where(steps.c.value.is_not(None)))
    return list(rows.scalars())


def _places_called(connection: Connection, accepts: Callable[[str], bool], keys: Collection[str] | None) -> set[int]:
    """Return the places with such a name in any language."""
    if keys is not None:
        named = select(PlaceName.place_id).where(PlaceName.key.in_([fold(key) for key in keys]))
        return set(connection.execute(named).scalars())
    return {row.place_id for row in connection.execute(select(PlaceName.__table__)) if accepts(row.key)}


def _named(is_chosen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Contents whose file names a city by another name, such as that in another language."""
    names = tuple_(Content.city, func.coalesce(Content.country, ""))
    return and_(Content.city.is_not(None), names.in_(select(NamedPlace.city, NamedPlace.country).where(is_chosen)))


def _looked_up(is_chosen: ColumnElement[bool]) -> ColumnElement[bool]:
    return Content.id.in_(select(ContentPlace.content_id).where(is_chosen))
