"""Find the date in the name of a file: the last resort for pictures of messengers and for screenshots.

    IMG-20201018-WA0007.jpg                        WhatsApp on Android
    WhatsApp Image 2021-01-02 at 10.11.12.jpeg     WhatsApp on computers
    signal-2018-08-21-100217.jpg, photo_2021-01-02_10-11-12.jpg
    Screenshot_20190201-212530_F.png, PXL_20210102_030405678.jpg, IMG20210102030405.jpg
    2011-07-19 11.36.39.jpg                        Dropbox

A number is a date only if it has a valid month and day in a plausible year, and if no other digits or letters adjoin
it. Names with the day first are ambiguous and have no date.
"""

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

from core.metadata import DateSource, PhotoMetadata

__all__ = ["date_of_name", "metadata_of_name"]

_FIRST_YEAR, _FIRST_COMPACT_YEAR = 1826, 1900
"""The year of the oldest photograph; of numbers without separators, fewer are dates."""

_TIME = r"([01][0-9]|2[0-3])[-.:_h]?([0-5][0-9])[-.:_m]?([0-5][0-9])"
_BEFORE = r"(?:^|(?<![0-9])[\W_]|[0-9](?=[_\s])[_\s])[^\W\d_]*"
"""A word may precede the date directly, as in IMG20210102."""

_COMPACT = re.compile(
    _BEFORE
    + r"([12][0-9]{3})([01][0-9])([0-3][0-9])(?:[-_T .]?"
    + _TIME
    + r"(?:[-_.]?[0-9]{3})?(?![0-9]))?(?![0-9a-z])",
    re.IGNORECASE,
)
_SEPARATED = re.compile(
    _BEFORE + r"([12][0-9]{3})([-_.])([01]?[0-9])\2([0-3]?[0-9])"
    r"(?:[-_T\s,]+(?:[^\W\d]{1,3}\s+)?" + _TIME + r"(?:\s?([ap])\.?m\b|(?![0-9])|[-_.]?[0-9]{3}(?![0-9])))?(?![0-9])",
    re.IGNORECASE,
)
_SHORT_HOUR = re.compile(r"(?<=[\s])([1-9])(?=[.:][0-5][0-9][.:][0-5][0-9]\s?[ap]\.?m\b)", re.IGNORECASE)
"""An hour with one digit, as in `at 3.04.05 PM`."""

_OTHER_NUMBERS = re.compile(r"\+[0-9]|(?:^|[^0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-", re.IGNORECASE)
"""Telephone numbers and UUIDs."""

_UTC_PREFIX = "PXL_"
"""Google's camera names files by the time in UTC."""


class NameDate(NamedTuple):
    """A date in a name, and the minutes that it is ahead of UTC if the kind of name tells."""

    taken_at: datetime
    utc_offset: int | None


def metadata_of_name(name: str, latest: date | None = None) -> PhotoMetadata:
    """Return the date in the name of a file as metadata, empty if there is none; arguments as of `date_of_name`."""
    found = date_of_name(name, latest)
    if found is None:
        return PhotoMetadata()
    return PhotoMetadata(taken_at=found.taken_at, utc_offset=found.utc_offset, date_source=DateSource.NAME)


def date_of_name(name: str, latest: date | None = None) -> NameDate | None:
    """Return the date in the name of a file, or None. Dates after `latest`, by default tomorrow, are other numbers."""
    last = latest or date.today() + timedelta(days=1)  # noqa: DTZ011  (local time, see PhotoMetadata)
    if _OTHER_NUMBERS.search(name):
        return None
    stem = _SHORT_HOUR.sub(r"0\1", name.rpartition(".")[0] or name)
    for match in sorted([*_SEPARATED.finditer(stem), *_COMPACT.finditer(stem)], key=lambda match: match.start(1)):
        found = _moment(match)
        if found is not None and found.date() <= last:
            has_time = match[match.re.groups - (1 if match.re is _SEPARATED else 0)] is not None
            return NameDate(found, 0 if has_time and name.startswith(_UTC_PREFIX) else None)
    return None


def _moment(match: re.Match[str]) -> datetime | None:
    parts = list(match.groups())
    half = None
    if match.re is _SEPARATED:
        half = parts.pop()
        del parts[1]  # the separator
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    if half:
        hour = hour % 12 + (12 if half in "pP" else 0)
    first_year = _FIRST_YEAR if match.re is _SEPARATED else _FIRST_COMPACT_YEAR
    try:
        return datetime(year, month, day, hour, minute, second) if year >= first_year else None  # noqa: DTZ001
    except ValueError:  # the 30th of February
        return None
