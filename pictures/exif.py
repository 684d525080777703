"""Read EXIF metadata: when, where and with what camera a picture was taken.

The tags are those of Exif 2.32 (CIPA DC-008). Real files contain arbitrary values in them, so each field is read
independently, and is None if its value makes no sense. Nothing here raises.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime

from PIL import ExifTags, Image

from core.metadata import PhotoMetadata

__all__ = ["parse_rating", "read_exif"]

_MAX_NAME_LENGTH = 120
"""Characters kept of a name. The longest real lens names have about 60."""

_DATE = re.compile(r"([0-9]{4})[:/-]([0-9]{2})[:/-]([0-9]{2})[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")


def read_exif(exif: Image.Exif) -> PhotoMetadata:
    """Return the metadata in an EXIF block (`image.getexif()`, even of a damaged file). Never raises."""
    details = _sub_block(exif, ExifTags.IFD.Exif)
    latitude, longitude = _position(_sub_block(exif, ExifTags.IFD.GPSInfo))
    return PhotoMetadata(
        taken_at=_taken_at(exif, details),
        camera=_camera(_text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))),
        lens=_text(details.get(ExifTags.Base.LensModel)),
        latitude=latitude,
        longitude=longitude,
        focal_length=_measure(details.get(ExifTags.Base.FocalLength), 0.01, 100_000),
        aperture=_measure(details.get(ExifTags.Base.FNumber), 0.1, 1_000),
        exposure=_measure(details.get(ExifTags.Base.ExposureTime), 1e-6, 1e7),
        iso=_iso(details),
        rating=parse_rating(exif.get(ExifTags.Base.Rating)),
    )


def parse_rating(value: object) -> int | None:
    """Return `value` as a rating from -1 to 5, or None if it is none of these numbers."""
    number = _number(value)
    return int(number) if number in (-1, 0, 1, 2, 3, 4, 5) else None


def _sub_block(exif: Image.Exif, which: ExifTags.IFD) -> Mapping[int, object]:
    try:
        return exif.get_ifd(which)
    except Exception:  # invalid offsets raise errors of many types
        return {}


def _text(value: object) -> str | None:
    """Return `value` as a clean line: up to the first NUL, with control characters and whitespace as single spaces."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        return None
    printable = "".join(sign if sign.isprintable() else " " for sign in value.partition("\0")[0])
    return " ".join(printable.split())[:_MAX_NAME_LENGTH].rstrip() or None


def _taken_at(exif: Image.Exif, details: Mapping[int, object]) -> datetime | None:
    """Return when the picture was taken, else digitized, else when a camera or an editor wrote the file."""
    candidates = (
        details.get(ExifTags.Base.DateTimeOriginal),
        details.get(ExifTags.Base.DateTimeDigitized),
        exif.get(ExifTags.Base.DateTime),
    )
    return next((moment for value in candidates if (moment := _parse_date(_text(value)))), None)


def _parse_date(text: str | None) -> datetime | None:
    match = _DATE.match(text or "")
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  (local time, see PhotoMetadata)
    except ValueError:  # 0000:00:00, the 30th of February
        return None


def _camera(make: str | None, model: str | None) -> str | None:
    """Return "Make Model", or only the model if it begins with the first word of the make ("NIKON D90")."""
    if not make or not model:
        return model or make
    maker = make.split()[0].casefold()
    return model if model.casefold().startswith(maker) else f"{make} {model}"[:_MAX_NAME_LENGTH]


def _measure(value: object, least: float, most: float) -> float | None:
    """Return a number within the bounds of real cameras, rounded to six digits; rationals have more by accident."""
    number = _number(value)
    return float(f"{number:.6g}") if least <= number <= most else None


def _iso(details: Mapping[int, object]) -> int | None:
    """Return the sensitivity. If it exceeds 16 bits (the value is then 65535), it is in one of the longer fields."""
    for tag in (ExifTags.Base.ISOSpeedRatings, ExifTags.Base.RecommendedExposureIndex, ExifTags.Base.ISOSpeed):
        value = details.get(tag)
        number = _number(value[0] if isinstance(value, tuple) and value else value)
        if 1 <= number < 2**31 and number != 65_535:
            return int(number)
    return None


def _position(gps: Mapping[int, object]) -> tuple[float, float] | tuple[None, None]:
    """Return latitude and longitude in degrees. Receivers without a fix write exactly 0, 0."""
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), _text(gps.get(ExifTags.GPS.GPSLatitudeRef)), "NS", 90)
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), _text(gps.get(ExifTags.GPS.GPSLongitudeRef)), "EW", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _degrees(value: object, hemisphere: str | None, signs: str, limit: int) -> float | None:
    """Convert degrees, minutes and seconds to signed degrees. `signs` are the hemispheres' letters, positive first."""
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3 or not hemisphere or hemisphere[0].upper() not in signs:
        return None
    numbers = [_number(part) for part in value]
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        return None
    if any(number >= 60 + 1e-6 for number in numbers[1:]):
        return None
    degrees = math.fsum(number / 60.0**power for power, number in enumerate(numbers))
    if degrees > limit:
        return None
    return degrees if hemisphere[0].upper() == signs[0] else -degrees


def _number(value: object) -> float:
    """Return `value` as a float, or NaN if it is not a number (such as text or a rational with denominator 0)."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan
