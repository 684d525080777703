"""Numbers as people write them beside pictures: `f/2.8`, `1/250`, `35mm`, `10MB`; spans and areas of these."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from core.errors import InvalidQuery
from search.filters.ranges import is_span, span
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Op

__all__ = ["box_condition", "near_condition", "number_condition"]

_KILO, _MEGA, _GIGA = 1e3, 1e6, 1e9

_UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "bytes": {"b": 1, "kb": _KILO, "mb": _MEGA, "gb": _GIGA, "kib": 2**10, "mib": 2**20, "gib": 2**30},
        "pixels": {"mp": _MEGA},
        "focal_length": {"mm": 1},
        "exposure": {"s": 1},
        "metres": {"m": 1, "km": _KILO, "mi": 1609.344},
    }
)

_LOOSE: Mapping[str, float] = MappingProxyType(
    {"aperture": 0.01, "focal_length": 0.01, "exposure": 0.05, "pixels": 0.05}
)
"""Share by which a measured number may differ and still be the one that was meant: cameras write f/1.8 as 1.79, 1/3 s
as 0.3, and a picture of 12 megapixels has 12.19 million."""

_NUMBER = re.compile(r"(?:f/)?([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:/(\d+(?:\.\d+)?))?\s*([a-z]*)", re.ASCII)

_NEARBY = "1km"


def number_condition(field: str, text: str, unit: str = "") -> Condition:
    """What `text` says about the number `field`: a value, or a span as `search.filters.ranges` has it.

    `unit` is meant where `text` gives none.
    """

    def parse(part: str) -> tuple[float, float]:
        number = _number(field, part, unit)
        return number, math.nextafter(number, math.inf)

    if is_span(text):
        return span(field, text, parse)
    number, share = _number(field, text, unit), _LOOSE.get(field, 0.0)
    slack = abs(number) * share
    if not slack:
        return FieldTest(field, Op.EQ, number)
    return And((FieldTest(field, Op.GE, number - slack), FieldTest(field, Op.LE, number + slack)))


def near_condition(text: str) -> Condition:
    """`48.137,11.575` within a kilometre, `48.137,11.575,200m` or `...,10km` within another distance."""
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise InvalidQuery(f"{text!r} is no place; write latitude, longitude and a distance: 48.137,11.575,10km")
    metres = _number("metres", parts[2] if len(parts) == 3 else _NEARBY, "m")
    if metres < 0:
        raise InvalidQuery(f"{text!r}: a distance is not below zero")
    return FieldTest("position", Op.IN, (Circle(*_point(parts[0], parts[1]), metres),))


def box_condition(text: str) -> Condition:
    """`47.2,10.9,48.3,12.0`: south, west, north, east; from west eastwards, over the date line where west is larger."""
    parts = text.split(",")
    if len(parts) != 4:
        raise InvalidQuery(f"{text!r} is no box; write south, west, north, east: 47.2,10.9,48.3,12.0")
    (south, west), (north, east) = _point(parts[0], parts[1]), _point(parts[2], parts[3])
    if south > north:
        raise InvalidQuery(f"{text!r}: the south ({south:g}) lies north of the north ({north:g})")
    return FieldTest("position", Op.IN, (Box(south, west, north, east),))


def _point(latitude: str, longitude: str) -> tuple[float, float]:
    point = _number("latitude", latitude), _number("longitude", longitude)
    if abs(point[0]) > 90 or abs(point[1]) > 180:
        raise InvalidQuery(f"{point[0]:g}, {point[1]:g} is no place: latitudes reach to 90, longitudes to 180 degrees")
    return point


def _number(field: str, text: str, unit: str = "") -> float:
    match = _NUMBER.fullmatch(text.strip().casefold())
    units = {"": 1.0, **_UNITS.get(field, {})}
    if match is None or match[3] not in units:
        known = f" (units: {', '.join(list(units)[1:])})" if len(units) > 1 else ""
        raise InvalidQuery(f"{text!r} is no number{known}")
    try:
        number = float(match[1]) / float(match[2] or 1) * units[match[3] or unit]
    except ZeroDivisionError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidQuery(f"{text!r} is no number that anything can be compared with")
    return number
