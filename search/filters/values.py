"""Values of filters: numbers with units, dates, times of day and places, as people write them, and ranges of them.

Examples are `f/2.8`, `1/250`, `35mm`, `10MB`, `2023-06`, `18:30`, `summer`, `48.137,11.575,10km`, and the ranges
`>800`, `<=2.8`, `100..800`, `2021..`.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from core.errors import InvalidQuery
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or

__all__ = [
    "box_condition",
    "date_condition",
    "near_condition",
    "number_condition",
    "parse_date",
    "season_condition",
    "time_condition",
]

Bound = TypeVar("Bound", float, datetime)

_COMPARISON = re.compile(r"\s*(<=|>=|<|>)(.*)", re.DOTALL)
_NUMBER = re.compile(r"(?:f/)?([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:/(\d+(?:\.\d+)?))?\s*([a-z]*)", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?", re.ASCII)

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

_TOLERANCES: Mapping[str, float] = MappingProxyType(
    {"aperture": 0.01, "focal_length": 0.01, "exposure": 0.05, "pixels": 0.05}
)
"""Relative tolerance of an equality test. Cameras write f/1.8 as 1.79 and 1/3 s as 0.3, and a picture of 12 megapixels
has 12.19 million pixels."""

_DEFAULT_RADIUS = "1km"

_SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "fall": (9, 10, 11), "winter": (12, 1, 2)}
"""Months of the meteorological seasons of the northern hemisphere; six months later in the southern."""


def number_condition(field: str, text: str, unit: str = "") -> Condition:
    """Parse a value or a range of the numeric `field`. `unit` is the default unit. Raises `InvalidQuery`."""

    def parse(part: str) -> tuple[float, float]:
        number = _number(field, part, unit)
        return number, math.nextafter(number, math.inf)

    if _is_range(text):
        return _range_condition(field, text, parse)
    number = _number(field, text, unit)
    slack = abs(number) * _TOLERANCES.get(field, 0.0)
    if not slack:
        return FieldTest(field, Op.EQ, number)
    return And((FieldTest(field, Op.GE, number - slack), FieldTest(field, Op.LE, number + slack)))


def near_condition(text: str) -> Condition:
    """Parse a place and an optional distance, 1 km by default: `48.137,11.575`, `48.137,11.575,200m`."""
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise InvalidQuery(f"Invalid place {text!r}. Use latitude, longitude and distance, as in 48.137,11.575,10km.")
    metres = _number("metres", parts[2] if len(parts) == 3 else _DEFAULT_RADIUS, "m")
    if metres < 0:
        raise InvalidQuery(f"The distance in {text!r} must not be negative.")
    return FieldTest("position", Op.IN, (Circle(*_point(parts[0], parts[1]), metres),))


def box_condition(text: str) -> Condition:
    """Parse south, west, north, east: `47.2,10.9,48.3,12.0`. A west larger than east crosses the date line."""
    parts = text.split(",")
    if len(parts) != 4:
        raise InvalidQuery(f"Invalid box {text!r}. Use south, west, north, east, as in 47.2,10.9,48.3,12.0.")
    (south, west), (north, east) = _point(parts[0], parts[1]), _point(parts[2], parts[3])
    if south > north:
        raise InvalidQuery(f"Invalid box {text!r}. The south ({south:g}) is larger than the north ({north:g}).")
    return FieldTest("position", Op.IN, (Box(south, west, north, east),))


def parse_date(text: str) -> datetime:
    """Return the start of a year (`2023`), a month (`2023-06`) or a day (`2023-06-15`). Raises `InvalidQuery`."""
    return _period(text)[0]


def date_condition(text: str) -> Condition:
    """Parse a year, month or day, or a range: `2023`, `2023-06..2023-08`, `2023..`, `>2023`, `<=2023-06`.

    Both ends of a range are included in full.
    """
    return _range_condition("taken_at", text, _period)


def time_condition(text: str) -> Condition:
    """Parse a time of day: `18` (that hour), `18:30` (that minute), `18..21` (6 to 9 pm), `22..5` (over midnight)."""
    first, dots, last = text.strip().partition("..")
    if not dots:
        return _minutes_between(*_minutes(first))
    start = _minutes(first)[0] if first.strip() else 0
    end = _minutes(last)[0] if last.strip() else 24 * 60
    if start < end:
        return _minutes_between(start, end)
    return Or((FieldTest("minute", Op.GE, start), FieldTest("minute", Op.LT, end)))


def season_condition(text: str) -> Condition:
    """Parse `spring`, `summer`, `autumn` or `winter`, local to the place; without a place, the northern season."""
    months = _SEASONS.get(text.strip().casefold())
    if months is None:
        raise InvalidQuery(f"Unknown season {text!r}. Choose from: spring, summer, autumn, winter.")
    opposite = tuple((month + 5) % 12 + 1 for month in months)
    is_southern = FieldTest("latitude", Op.LT, 0)
    return Or(
        (
            And((FieldTest("month", Op.IN, months), Not(is_southern))),
            And((FieldTest("month", Op.IN, opposite), is_southern)),
        )
    )


def _is_range(text: str) -> bool:
    return ".." in text or _COMPARISON.fullmatch(text) is not None


def _range_condition(field: str, text: str, parse: Callable[[str], tuple[Bound, Bound]]) -> Condition:
    """Parse a comparison, a range or a single value. `parse` returns the half-open interval that a value covers.

    Both ends of a range are included: `2021..2023` is three whole years.
    """
    comparison = _COMPARISON.fullmatch(text)
    if comparison is not None:
        start, end = parse(comparison[2])
        limits = {"<": (Op.LT, start), "<=": (Op.LT, end), ">": (Op.GE, end), ">=": (Op.GE, start)}
        return FieldTest(field, *limits[comparison[1]])
    first, dots, last = text.partition("..")
    if not dots:
        last = first
    parts = [FieldTest(field, Op.GE, parse(first)[0])] if first.strip() else []
    if last.strip() or not parts:
        parts.append(FieldTest(field, Op.LT, parse(last)[1]))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _number(field: str, text: str, unit: str = "") -> float:
    match = _NUMBER.fullmatch(text.strip().casefold())
    units = {"": 1.0, **_UNITS.get(field, {})}
    if match is None or match[3] not in units:
        hint = f" Units: {', '.join(list(units)[1:])}." if len(units) > 1 else ""
        raise InvalidQuery(f"{text!r} is not a number.{hint}")
    try:
        number = float(match[1]) / float(match[2] or 1) * units[match[3] or unit]
    except ZeroDivisionError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidQuery(f"{text!r} is not a finite number.")
    if field == "month" and not 1 <= number <= 12:
        raise InvalidQuery(f"{text!r} is not a month. Use a number from 1 to 12.")
    return number


def _point(latitude: str, longitude: str) -> tuple[float, float]:
    point = _number("latitude", latitude), _number("longitude", longitude)
    if abs(point[0]) > 90 or abs(point[1]) > 180:
        raise InvalidQuery(
            f"{point[0]:g}, {point[1]:g} is not a place. Latitudes are within ±90 degrees, longitudes within ±180."
        )
    return point


def _minutes_between(start: int, end: int) -> Condition:
    return And((FieldTest("minute", Op.GE, start), FieldTest("minute", Op.LT, end)))


def _minutes(text: str) -> tuple[int, int]:
    """Return the interval of minutes of the day that a time covers."""
    match = _CLOCK.fullmatch(text.strip())
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if match is None or hour > 23 or minute > 59:
        raise InvalidQuery(f"{text!r} is not a time of day. Use for example 18, 18:30 or 18..21.")
    start = hour * 60 + minute
    return start, start + (1 if match[2] else 60)


def _period(text: str) -> tuple[datetime, datetime]:
    """Return the interval that a year, a month or a day covers."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise InvalidQuery(f"{text!r} is not a date. Use a year, a month or a day: 2023, 2023-06, 2023-06-15.")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        first = datetime(year, month, day)  # noqa: DTZ001 (cameras know no time zone)
    except ValueError as exc:
        raise InvalidQuery(f"{text!r} is not a date: {exc}.") from exc
    return first, _next_period(first, match)


def _next_period(first: datetime, match: re.Match[str]) -> datetime:
    try:
        if match[3]:
            return first + timedelta(days=1)
        if match[2] and first.month < 12:
            return first.replace(month=first.month + 1)
        return first.replace(year=first.year + 1, month=1)
    except (ValueError, OverflowError):  # beyond the year 9999
        return datetime.max  # noqa: DTZ901
