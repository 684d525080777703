"""The positions of all pictures and the places they are in, as arrays: a map groups them for each section and zoom."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, not_, select

from store.catalog.id_sets import Ids, read_ids
from store.catalog.portable_sql import joined, mostly
from store.catalog.tables import Content, ContentPlace, Picture, PictureState, PlaceRow
from store.filters.conditions import Condition
from store.filters.people_and_places import has_own_place
from store.filters.selection import select_matching
from store.library import Library

__all__ = ["NO_PLACE", "PlaceNames", "Positions", "load_positions", "positioned_ids"]

NO_PLACE = 0
"""The index of a place without names."""


class PlaceNames(NamedTuple):
    """The names of a place, from the narrowest to the widest. All are None for `NO_PLACE`."""

    city: str | None
    """Or a part of a city or a sight, if no city is known."""
    region: str | None
    country: str | None


@dataclass(frozen=True)
class Positions:
    """Contents with a position, in ascending order of their IDs. The arrays have the shape (contents,)."""

    ids: Ids
    latitudes: NDArray[np.float64]
    longitudes: NDArray[np.float64]
    """Degrees."""
    places: NDArray[np.int32]
    """Indices into `names`."""
    names: tuple[PlaceNames, ...]

    def among(self, ids: Ids) -> "Positions":
        """Return the positions of those contents that are among `ids`."""
        kept = np.isin(self.ids, ids, assume_unique=True)
        return Positions(self.ids[kept], self.latitudes[kept], self.longitudes[kept], self.places[kept], self.names)


def load_positions(library: Library) -> Positions:
    """Return the positions of all contents of the library, also of those whose files are missing."""
    columns = (Content.id, Content.latitude, Content.longitude)
    statement = select(*map(joined, columns)).where(Content.latitude.is_not(None), Content.longitude.is_not(None))
    with library.read() as connection:
        # As texts, which is faster than a Python object for each value. They have 15 digits: 0.1 micrometres.
        ids, latitudes, longitudes = (
            np.fromstring(text or "", sep=",") for text in connection.execute(statement).one()
        )
        order = np.argsort(ids)
        sorted_ids = ids[order].astype(np.int64)  # exact: IDs have 40 bits
        places, names = _places(connection, sorted_ids)
    return Positions(sorted_ids, latitudes[order], longitudes[order], places, names)


def positioned_ids(library: Library, condition: Condition | None) -> Ids:
    """Return the contents with a present file that `condition` keeps, ascending, with a position or without.

    Raises `InvalidQuery` for an invalid condition and `PathNotIndexed` for a folder that the library does not cover.
    """
    with library.read() as connection:
        if condition is not None:
            return read_ids(connection, select_matching(connection, condition))
        present = mostly(Picture.state, PictureState.PRESENT)
        return read_ids(connection, select(Picture.content_id).where(present, Picture.content_id.is_not(None)))


def _places(connection: Connection, ids: Ids) -> tuple[NDArray[np.int32], tuple[PlaceNames, ...]]:
    """Return the place of each of `ids` (ascending), as an index into the names that come with them.

    The place that a file names counts before the one that a gazetteer knows at its position.
    """
    names = [PlaceNames(None, None, None)]
    places = np.full(len(ids), NO_PLACE, np.int32)
    for place, contents in [*_looked_up(connection), *_named(connection)]:
        members = np.fromstring(contents, np.int64, sep=",")
        at = np.minimum(np.searchsorted(ids, members), max(0, len(ids) - 1))
        found = at[ids[at] == members] if len(ids) else at[:0]
        if len(found):
            places[found] = len(names)
            names.append(place)
    return places, tuple(names)


def _looked_up(connection: Connection) -> list[tuple[PlaceNames, str]]:
    """Return the places of a gazetteer, each with the IDs of the contents there, separated by commas."""
    statement = (
        select(PlaceRow.city, PlaceRow.region, PlaceRow.country, joined(ContentPlace.content_id))
        .join(ContentPlace, ContentPlace.place_id == PlaceRow.id)
        .group_by(PlaceRow.id)
    )
    return [(PlaceNames(city, region, country), ids) for city, region, country, ids in connection.execute(statement)]


def _named(connection: Connection) -> list[tuple[PlaceNames, str]]:
    """Return the places that files name, as `_looked_up` does."""
    city = func.coalesce(Content.city, Content.sublocation)
    columns = (city, Content.region, Content.country)
    statement = (
        select(*columns, joined(Content.id)).where(has_own_place(), not_(Content.latitude.is_(None))).group_by(*columns)
    )
    return [(PlaceNames(*place), ids) for *place, ids in connection.execute(statement)]
