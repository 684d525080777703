"""Parse dates as cameras and programs write them, including damaged ones.

A part of a date that is impossible costs that part and not the date: a time of day that does not exist is dropped, and
a month or day of zero counts as the first. Any year from 1 to 9999 is taken as written.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_tz
from typing import NamedTuple

__all__ = ["Moment", "parse_date", "parse_iptc_date", "parse_mail_date", "parse_offset"]

MAX_OFFSET = 14 * 60
"""Minutes; the largest offset from UTC that is in use, in Kiribati."""

_ZONE = re.compile(r"(?:(Z|UTC|GMT)|([+-])\s?([0-9]{1,2}):?([0-9]{2})?)(?![0-9])", re.IGNORECASE)

_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[T _-]*([0-9]{2}):?([0-9]{2}):?([0-9]{2})?)?(?![0-9])(.*)")

_SEPARATED = re.compile(
    r"([0-9]{4})"
    r"(?:\s?[:./-]\s?([0-9]{1,2}|)(?:\s?[:./-]\s?([0-9]{1,2}|))?)?"  # month and day; blanks stand for unknown digits
    r"(?![0-9]|[:./-][0-9]+[:./-])"
    r"(?::?[T_\s]+([0-9]{1,2})(?:\s?[:.h]\s?([0-9]{1,2})(?:\s?[:.m]\s?([0-9]{1,2})(?:[.,][0-9]+)?)?)?)?"
    r"(.*)",
    re.DOTALL,
)

_DASHES = re.compile(r"(?<=[T_\s])([0-9]{2})-([0-9]{2})-([0-9]{2})(?![0-9])")
"""A time of day whose parts are separated as those of the date are."""

_HALF = re.compile(r"\s*([ap])\.?m\b", re.IGNORECASE)


class Moment(NamedTuple):
    """A local time, and the minutes that it is ahead of UTC if they are known."""

    taken_at: datetime
    utc_offset: int | None = None


def parse_date(text: str | None) -> Moment | None:
    """Return the date in `text`, or None if there is none.

    Accepted are the forms of Exif (2019:10:08 06:59:43), of ISO 8601 and XMP (2019-10-08T06:59:43.5+02:00, 2019-10),
    and others that occur: with dots, slashes, or no separators at all, with single digits, and without a time of day.
    """
    text = _DASHES.sub(r"\1:\2:\3", (text or "").strip())
    match = _COMPACT.fullmatch(text) or _SEPARATED.fullmatch(text)
    if match is None:
        return None
    *parts, rest = match.groups()
    numbers = [int(part) if part else 0 for part in parts]
    if half := _HALF.match(rest):
        numbers[3] = numbers[3] % 12 + (12 if half[1] in "pP" else 0)
    taken_at = _moment(numbers)
    if taken_at is None:
        return None
    has_time = parts[3] is not None
    return Moment(taken_at, parse_offset(rest) if has_time else None)


def parse_iptc_date(date: str | None, time: str | None) -> Moment | None:
    """Return the moment of a date `CCYYMMDD` and a time `HHMMSS±HHMM` (IPTC IIM 4.2); the time may be missing."""
    moment = parse_date(date)
    if moment is None or not time:
        return moment
    return parse_date(f"{moment.taken_at:%Y%m%d}".zfill(8) + f"T{time.strip()}") or moment


def parse_mail_date(text: str) -> Moment | None:
    """Return a date with the names of months, as in RFC 1123, which PNG recommends: Tue, 08 Oct 2019 06:59:43 +0200."""
    try:
        parts = parsedate_tz(text)
    except (ValueError, IndexError, TypeError):
        return None
    taken_at = None if parts is None else _moment(parts[:6])
    if parts is None or taken_at is None:
        return None
    seconds = parts[9]
    return Moment(taken_at, None if seconds is None or abs(seconds) > MAX_OFFSET * 60 else seconds // 60)


def parse_offset(text: str | None) -> int | None:
    """Return the minutes of a time zone such as `+02:00`, `-5:00` or `Z`, or None if `text` begins with none."""
    match = _ZONE.match((text or "").strip())
    if match is None:
        return None
    utc, sign, hours, minutes = match.groups()
    if utc:
        return 0
    offset = int(hours) * 60 + int(minutes or 0)
    if offset > MAX_OFFSET or int(minutes or 0) > 59:
        return None
    return -offset if sign == "-" else offset


def _moment(parts: Sequence[int]) -> datetime | None:
    """Return the moment of year, month, day, hour, minute and second, where 0 also means unknown."""
    year, month, day, hour, minute, second = parts
    try:
        date = datetime(year, month or 1, day or 1)  # noqa: DTZ001  (local time, see PhotoMetadata)
    except ValueError:  # year 0, month 13, the 30th of February
        return None
    if hour == 24:  # phones that count hours from 1 to 24 write midnight of the same day like this
        hour = 0
    if hour > 24 or minute > 60 or second > 60:
        return date
    try:
        return date + timedelta(hours=hour, minutes=minute, seconds=second)  # 60 is the next minute, or hour
    except OverflowError:
        return date
