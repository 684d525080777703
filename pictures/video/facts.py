"""The metadata of a video: when, where and with what it was recorded.

Sources: QuickTime File Format (Apple) for the keys `com.apple.quicktime.*` and the user data `©xyz`; ISO/IEC 14496-12
for `mvhd`; ISO 6709, annex H, for positions; the list of Matroska tags.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import PictureError
from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, DateSource, PhotoMetadata, merge_metadata
from pictures.metadata.dates import Moment, parse_date
from pictures.metadata.exif import join_camera
from pictures.metadata.positions import known_position
from pictures.metadata.xmp import read_xmp

__all__ = ["read_facts"]

_ZONED = ("com.apple.quicktime.creationdate", "com.android.capture.date")
"""When the recording began, in local time with its zone."""
_OTHER_DATES = ("date", "DATE_RECORDED", "date_recorded", "DateTimeOriginal", "IDIT")
_PLACES = ("com.apple.quicktime.location.ISO6709", "location", "location-eng", "LOCATION")
_TITLES = ("com.apple.quicktime.title", "com.apple.quicktime.displayname", "title")
_DESCRIPTIONS = ("com.apple.quicktime.description", "description", "comment", "synopsis")
_ISO_6709 = re.compile(r"([+-])(\d{2,6}(?:\.\d+)?)([+-])(\d{3,7}(?:\.\d+)?)")
_LEAST_YEAR = 1971
"""Dates before are those of clocks that were never set: 1904 (QuickTime) and 1970 (Unix)."""


def read_facts(tags: Mapping[str, str], duration: float | None) -> PhotoMetadata:
    """Return the metadata in the tags of a container, as FFmpeg names them.

    `creation_time` is UTC by its standard. Cameras without a time zone write their local time instead, which cannot be
    told apart, so that it is trusted less than a date with a zone.
    """
    latitude, longitude = _position(_first(tags, _PLACES))
    facts = PhotoMetadata(
        camera=join_camera(_either(tags, "make"), _either(tags, "model")),
        latitude=latitude,
        longitude=longitude,
        title=(_first(tags, _TITLES) or "")[:MAX_TITLE_LENGTH] or None,
        description=(_first(tags, _DESCRIPTIONS) or "")[:MAX_DESCRIPTION_LENGTH] or None,
        duration=duration,
    )
    return merge_metadata(_xmp(tags), _dated(facts, tags))


def _dated(facts: PhotoMetadata, tags: Mapping[str, str]) -> PhotoMetadata:
    for names, source in ((_ZONED, DateSource.ORIGINAL), (("creation_time",), DateSource.DIGITIZED)):
        if (moment := _moment(_first(tags, names))) is not None:
            return replace(facts, taken_at=moment.taken_at, utc_offset=moment.utc_offset, date_source=source)
    moment = _moment(_first(tags, _OTHER_DATES))
    if moment is None:
        return facts
    return replace(facts, taken_at=moment.taken_at, utc_offset=moment.utc_offset, date_source=DateSource.DIGITIZED)


def _moment(text: str | None) -> Moment | None:
    moment = parse_date(text)
    return None if moment is None or moment.taken_at.year < _LEAST_YEAR else moment


def _position(text: str | None) -> tuple[float, float] | tuple[None, None]:
    """Return the position in a text such as `+27.5916+086.5640+8850/`: degrees, or with minutes and seconds."""
    match = _ISO_6709.match((text or "").strip())
    if match is None:
        return None, None
    latitude, longitude = _angle(match[1], match[2], 2), _angle(match[3], match[4], 3)
    return known_position(latitude, longitude)


def _angle(sign: str, digits: str, degree_digits: int) -> float:
    """Return an angle of `DD`, `DDMM` or `DDMMSS`, each with decimals; `degree_digits` is the number of D."""
    whole, _, decimals = digits.partition(".")
    fraction = float(f"0.{decimals or 0}")
    parts = [whole[:degree_digits], whole[degree_digits : degree_digits + 2], whole[degree_digits + 2 :]]
    numbers = [float(part) for part in parts if part]
    numbers[-1] += fraction
    degrees = sum(number / 60.0**power for power, number in enumerate(numbers))
    return -degrees if sign == "-" else degrees


def _xmp(tags: Mapping[str, str]) -> PhotoMetadata:
    packet = tags.get("xmp")
    try:
        return read_xmp(packet.encode("utf-8", "replace")) if packet else PhotoMetadata()
    except PictureError:
        return PhotoMetadata()


def _either(tags: Mapping[str, str], name: str) -> str | None:
    return _first(tags, (f"com.apple.quicktime.{name}", name, f"com.android.{name}"))


def _first(tags: Mapping[str, str], names: Any) -> str | None:
    values = (" ".join(tags.get(name, "").split()) for name in names)
    return next((value for value in values if value), None)
