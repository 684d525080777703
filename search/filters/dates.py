"""Dates as people write them: a year, a month, a day, and spans of these; hours of the day; seasons."""

import re
from datetime import datetime, timedelta

from core.errors import InvalidQuery
from search.filters.ranges import span
from store.filters.conditions import And, Condition, FieldTest, Not, Op, Or

__all__ = ["date_condition", "parse_date", "season_condition", "time_condition"]

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?", re.ASCII)

_SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "fall": (9, 10, 11), "winter": (12, 1, 2)}
"""Months of the meteorological seasons in the north; six months on in the south."""


def parse_date(text: str) -> datetime:
    """The first moment of a year (`2023`), a month (`2023-06`) or a day (`2023-06-15`). Raises `InvalidQuery`."""
    return _period(text)[0]


def date_condition(text: str) -> Condition:
    """`2023`, `2023-06`, `2023-06..2023-08` (both whole), `2023..`, `..2023`, `>2023`, `<=2023-06`."""
    return span("taken_at", text, _period)


def time_condition(text: str) -> Condition:
    """The time of day: `18` (that hour), `18:30` (that minute), `18..21` (from six to nine), `22..5` over midnight."""
    first, dots, last = text.strip().partition("..")
    if not dots:
        start, end = _minutes(first)
        return _between(start, end)
    start = _minutes(first)[0] if first.strip() else 0
    end = _minutes(last)[0] if last.strip() else 24 * 60
    if start < end:
        return _between(start, end)
    return Or((FieldTest("minute", Op.GE, start), FieldTest("minute", Op.LT, end)))


def season_condition(text: str) -> Condition:
    """`spring`, `summer`, `autumn` or `winter`, where it was taken; the north is meant where nobody knows."""
    months = _SEASONS.get(text.strip().casefold())
    if months is None:
        raise InvalidQuery(f"{text!r} is no season; there are: spring, summer, autumn, winter")
    opposite = tuple((month + 5) % 12 + 1 for month in months)
    south = FieldTest("latitude", Op.LT, 0)
    return Or(
        (
            And((FieldTest("month", Op.IN, months), Not(south))),
            And((FieldTest("month", Op.IN, opposite), south)),
        )
    )


def _between(start: int, end: int) -> Condition:
    return And((FieldTest("minute", Op.GE, start), FieldTest("minute", Op.LT, end)))


def _minutes(text: str) -> tuple[int, int]:
    """The first minute of the day that a time means, and the first that it does not."""
    match = _CLOCK.fullmatch(text.strip())
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if match is None or hour > 23 or minute > 59:
        raise InvalidQuery(f"{text!r} is no time of day; write 18, 18:30 or 18..21")
    start = hour * 60 + minute
    return start, start + (1 if match[2] else 60)


def _period(text: str) -> tuple[datetime, datetime]:
    """The first moment of a year, a month or a day, and the first after it."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise InvalidQuery(f"{text!r} is no date; write a year, a month or a day: 2023, 2023-06, 2023-06-15")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        first = datetime(year, month, day)  # noqa: DTZ001 (cameras know no time zone)
    except ValueError as exc:
        raise InvalidQuery(f"{text!r} is no date: {exc}") from exc
    return first, _next(first, match)


def _next(first: datetime, match: re.Match[str]) -> datetime:
    try:
        if match[3]:
            return first + timedelta(days=1)
        if match[2] and first.month < 12:
            return first.replace(month=first.month + 1)
        return first.replace(year=first.year + 1, month=1)
    except (ValueError, OverflowError):  # after the year 9999 there is none
        return datetime.max  # noqa: DTZ901
