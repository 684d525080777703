"""Dates of filters: a year, a month or a day, written with the year first."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from core.errors import InvalidQuery
from search.filters.signs import plain_signs

__all__ = ["MONTHS", "parse_date", "period"]

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

_DATE = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})()(\d{2})(\d{2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}([-/.]\d{1,2}){0,2}", re.ASCII)
_WEEK = re.compile(r"(\d{4})-?w(\d{1,2})", re.ASCII)
_NAMED_MONTH = re.compile(r"(?:(\d{4})\W*)?([a-z]{3,9})\W*(\d{4})?", re.ASCII)


def parse_date(text: str) -> datetime:
    """Return the start of a year (`2023`), a month (`2023-06`) or a day (`2023-06-15`). Raises `InvalidQuery`."""
    plain = plain_signs(text).strip()
    if ".." in plain:
        raise InvalidQuery(f"{text!r} is a range, and one date is expected here. date: takes ranges.")
    if plain.startswith(("<", ">", "=")):
        raise InvalidQuery(f"{text!r} needs no sign: write the date alone, or use date:{plain} instead.")
    return period(text)[0]


def period(text: str) -> tuple[datetime, datetime]:
    """Return the interval that a year, a month or a day covers. Raises `InvalidQuery`."""
    plain = plain_signs(text).strip()
    match = _DATE.fullmatch(plain) or _COMPACT.fullmatch(plain)
    if match is None:
        raise InvalidQuery(f"{text!r} is not a date. {_remedy(plain.casefold())}")
    year, month, day = int(match[1]), int(match[3] or 1), int(match[4] or 1)
    try:
        first = datetime(year, month, day)  # noqa: DTZ001 (cameras know no time zone)
    except ValueError as exc:
        raise InvalidQuery(f"{text!r} is not a date: {_fault(year, month, day)}.") from exc
    return first, _end(first, has_month=bool(match[3]), has_day=bool(match[4]))


def _end(first: datetime, *, has_month: bool, has_day: bool) -> datetime:
    try:
        if has_day:
            return first + timedelta(days=1)
        if has_month and first.month < 12:
            return first.replace(month=first.month + 1)
        return first.replace(year=first.year + 1, month=1)
    except (ValueError, OverflowError):  # beyond the year 9999
        return datetime.max  # noqa: DTZ901


def _fault(year: int, month: int, day: int) -> str:
    if not year:
        return "years begin at 0001"
    if not 1 <= month <= 12:
        return f"there is no month {month}"
    return f"{MONTHS[month - 1].capitalize()} {year} has no day {day}"


def _remedy(text: str) -> str:
    """Return how to write a date that cannot be read."""
    day, week, named = _YEAR_LAST.fullmatch(text), _WEEK.fullmatch(text), _NAMED_MONTH.fullmatch(text)
    if day is not None:
        orders = [(day[3], day[1])] if day[2] == "." else [(day[3], day[1]), (day[1], day[3])]
        return _suggestion(f"{day[4]}-{int(month):02}-{int(number):02}" for month, number in orders)
    if week is not None:
        return _week_remedy(int(week[1]), int(week[2]))
    month = next((number for number, name in enumerate(MONTHS, 1) if named and name.startswith(named[2])), None)
    if named is not None and month is not None:
        year = named[1] or named[3]
        return f"Write {year}-{month:02}." if year else f"month:{month} selects this month of any year."
    if _SHORT_YEAR.fullmatch(text):
        return "Write the year first, with four digits: 2023, 2023-06, 2023-06-15."
    if "," in text:
        return f"Join several with or: date:{text.replace(',', ' or date:')}."
    if re.match(r"\d{4}-\d{1,2}-\d{1,2}[t ]\d", text):
        return f"Write the day alone, {text[:10].rstrip('t ')}; time:18 selects an hour of any day."
    return "Use a year, a month or a day: 2023, 2023-06, 2023-06-15."


def _week_remedy(year: int, week: int) -> str:
    try:
        first = date.fromisocalendar(year, week, 1)
        return f"Write the days of a week: {first}..{first + timedelta(days=6)}."
    except (ValueError, OverflowError):
        return f"The year {year} has no week {week}."


def _suggestion(dates: Iterable[str]) -> str:
    valid = [text for text in dict.fromkeys(dates) if _is_date(text)]
    return f"Write the year first: {' or '.join(valid) or '2023-06-15'}."


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
