"""Conditions from the values of filters: numbers, dates, times of day and ratings, and ranges of them.

Examples are `>800`, `<=2.8`, `100..800`, `2021..`, `18:30`, `summer` and `★★★`. Look-alike signs are read as plain ones
(`search.filters.signs`). A range that ends before it begins is an error.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from core.errors import InvalidQuery
from search.filters.dates import MONTHS, period
from search.filters.numbers import parse_number
from search.filters.signs import plain_signs, range_reading
from store.filters.conditions import And, Condition, FieldTest, Not, Op, Or

__all__ = ["date_condition", "number_condition", "rating_condition", "season_condition", "time_condition"]

Bound = TypeVar("Bound", float, datetime)

_COMPARISON = re.compile(r"\s*(<=|>=|=<|=>|<|>)(.*)", re.DOTALL)
_DOTS = re.compile(r"\.{2,}")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2})?(?::\d{2})?)?\s*([ap]m)?", re.ASCII)
_STARS = re.compile(r"([★⭐✭✮✯*])(?:\1|\ufe0f)*☆*")
_UNRATED = frozenset(("unrated", "none", "no"))

_TOLERANCES: Mapping[str, float] = MappingProxyType(
    {"aperture": 0.01, "focal_length": 0.01, "exposure": 0.05, "pixels": 0.05}
)
"""Relative tolerance of an equality test. Cameras write f/1.8 as 1.79 and 1/3 s as 0.3, and a picture of 12 megapixels
has 12.19 million pixels."""

_DAY = 24 * 60
"""Minutes."""

_SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "fall": (9, 10, 11), "winter": (12, 1, 2)}
"""Months of the meteorological seasons of the northern hemisphere; six months later in the southern."""


def number_condition(field: str, text: str, unit: str = "") -> Condition:
    """Parse a value or a range of the numeric `field`. `unit` is the default unit. Raises `InvalidQuery`.

    A range of months can go over the new year: `11..2`.
    """

    def parse(part: str) -> tuple[float, float]:
        number = _month(part) if field == "month" else parse_number(field, part, unit)
        return number, math.nextafter(number, math.inf)

    def read(plain: str) -> Condition:
        plain = plain.removeprefix("=") if _COMPARISON.fullmatch(plain) is None else plain
        if ".." in plain or _COMPARISON.fullmatch(plain):
            return _range_condition(field, plain, parse, cyclic=field == "month")
        number = parse(plain)[0]
        slack = abs(number) * _TOLERANCES.get(field, 0.0)
        if not slack:
            return FieldTest(field, Op.EQ, number)
        return And((FieldTest(field, Op.GE, number - slack), FieldTest(field, Op.LE, number + slack)))

    return _either_reading(text, read)


def rating_condition(text: str) -> Condition:
    """Parse a rating: a number or a range, stars (`★★★`, `***`), `unrated` or `0`, or `rejected`."""
    word = text.strip().casefold()
    if word == "*":
        raise InvalidQuery("A single * is not a rating. Use has:rating for all rated pictures, rating:1 for one star.")
    stars = _STARS.fullmatch(word)
    if stars is not None:
        return number_condition("rating", str(word.count(stars[1])))
    if word in _UNRATED:
        return Not(FieldTest("rating", Op.EXISTS))
    if word == "rejected":
        return FieldTest("rating", Op.EQ, -1.0)
    condition = number_condition("rating", text)
    return Not(FieldTest("rating", Op.EXISTS)) if condition == FieldTest("rating", Op.EQ, 0.0) else condition


def date_condition(text: str) -> Condition:
    """Parse a year, month or day, or a range: `2023`, `2023-06..2023-08`, `2023..`, `>2023`, `<=2023-06`.

    Both ends of a range are included in full.
    """
    return _either_reading(text, lambda plain: _range_condition("taken_at", plain.removeprefix("="), period))


def time_condition(text: str) -> Condition:
    """Parse a time of day: `18` (that hour), `18:30` (that minute), `18..21` (6 to 9 pm), `22..5` (over midnight).

    `6pm`, `18h30`, `18.30` and `18:30:59` are read, too.
    """
    return _either_reading(text, _time_condition)


def season_condition(text: str) -> Condition:
    """Parse `spring`, `summer`, `autumn` or `winter`, local to the place; without a place, the northern season."""
    months = _SEASONS.get(plain_signs(text).strip().casefold())
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


def _either_reading(text: str, read: Callable[[str], Condition]) -> Condition:
    """Read a value with its look-alike signs as plain ones: a dash is a hyphen, or else stands between two values."""
    span = range_reading(text)
    try:
        return read(_DOTS.sub("..", plain_signs(text)))
    except InvalidQuery:
        if span is None:
            raise
    return read(_DOTS.sub("..", span))


def _range_condition(
    field: str, text: str, parse: Callable[[str], tuple[Bound, Bound]], *, cyclic: bool = False
) -> Condition:
    """Parse a comparison, a range or a single value. `parse` returns the half-open interval that a value covers.

    Both ends of a range are included: `2021..2023` is three whole years. A `cyclic` range can go over its end.
    """
    comparison = _COMPARISON.fullmatch(text)
    if comparison is not None:
        if ".." in comparison[2]:
            raise InvalidQuery(f"{text!r} has both a comparison and a range. Use one of them.")
        start, end = parse(comparison[2])
        limits = {"<": (Op.LT, start), "<=": (Op.LT, end), ">": (Op.GE, end), ">=": (Op.GE, start)}
        sign = {"=<": "<=", "=>": ">="}.get(comparison[1], comparison[1])
        return FieldTest(field, *limits[sign])
    first, dots, last = text.partition("..")
    if not dots:
        last = first
    parts = [FieldTest(field, Op.GE, parse(first)[0])] if first.strip() else []
    if last.strip() or not parts:
        parts.append(FieldTest(field, Op.LT, parse(last)[1]))
    if len(parts) == 1:
        return parts[0]
    if parse(first)[0] < parse(last)[1]:
        return And(tuple(parts))
    if cyclic:
        return Or(tuple(parts))
    raise InvalidQuery(f"The range {text!r} ends before it begins. Write {last.strip()}..{first.strip()}.")


def _month(text: str) -> float:
    word = text.strip().casefold()
    named = [number for number, name in enumerate(MONTHS, 1) if len(word) > 2 and name.startswith(word)]
    return float(named[0]) if named else parse_number("month", text)


def _time_condition(text: str) -> Condition:
    first, dots, last = text.strip().partition("..")
    if not dots:
        return _minutes_between(*_minutes(first))
    start = _minutes(first)[0] if first.strip() else 0
    end = _DAY if last.strip() in ("", "24", "24:00") else _minutes(last)[0]
    if start < end:
        return _minutes_between(start, end)
    if start == end:
        raise InvalidQuery(f"The range {text!r} ends when it begins. Write {first.strip()} for this time alone.")
    return Or((FieldTest("minute", Op.GE, start), FieldTest("minute", Op.LT, end)))


def _minutes_between(start: int, end: int) -> Condition:
    return And((FieldTest("minute", Op.GE, start), FieldTest("minute", Op.LT, end)))


def _minutes(text: str) -> tuple[int, int]:
    """Return the interval of minutes of the day that a time covers."""
    match = _CLOCK.fullmatch(text.strip().casefold())
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if match is not None and match[3]:
        hour = hour % 12 + (12 if match[3] == "pm" else 0) if 1 <= hour <= 12 else 99
    if match is None or hour > 23 or minute > 59:
        raise InvalidQuery(f"{text!r} is not a time of day. Use for example 18, 18:30 or 18..21.")
    start = hour * 60 + minute
    return start, start + (1 if match[2] else 60)
