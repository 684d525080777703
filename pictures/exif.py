"""What a camera wrote beside the pixels: when, with what, where. Knows nothing of pixels or of the catalogue.

Exif 2.32 (CIPA DC-008) names the tags. Files in the wild hold anything at all in them, so each field is read on its
own, and one that makes no sense is None; nothing here raises.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime

from PIL import ExifTags, Image

from core.metadata import PhotoMetadata

__all__ = ["parse_rating", "read_exif"]

_LONGEST_TEXT = 120
"""Characters kept of a name: the longest real lens names have about 60."""

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
    except Exception:  # offsets that lead nowhere surface as errors of many kinds
        return {}


def _text(value: object) -> str | None:
    """`value` as one clean line: cut at the first NUL, control signs and repeated blanks made one blank."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        return None
    printable = "".join(sign if sign.isprintable() else " " for sign in value.partition("\0")[0])
    return " ".join(printable.split())[:_LONGEST_TEXT].rstrip() or None


def _taken_at(exif: Image.Exif, details: Mapping[int, object]) -> datetime | None:
    """When the shutter opened, else when a scan was made, else when a camera or an editor wrote the file."""
    candidates = (
        details.get(ExifTags.Base.DateTimeOriginal),
        details.get(ExifTags.Base.DateTimeDigitized),
        exif.get(ExifTags.Base.DateTime),
    )
    return next((moment for value in candidates if (moment := _moment(_text(value)))), None)


def _moment(text: str | None) -> datetime | None:
    match = _DATE.match(text or "")
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  (local time, see PhotoMetadata)
    except ValueError:  # 0000:00:00, the 30th of February
        return None


def _camera(make: str | None, model: str | None) -> str | None:
    """ "Make Model", or the model alone where it already begins with the maker's first word ("NIKON D90")."""
    if not make or not model:
        return model or make
    maker = make.split()[0].casefold()
    return model if model.casefold().startswith(maker) else f"{make} {model}"[:_LONGEST_TEXT]


def _measure(value: object, least: float, most: float) -> float | None:
    """A number within the bounds of what cameras can do, to six digits: rationals have many more by accident."""
    number = _number(value)
    return float(f"{number:.6g}") if least <= number <= most else None


def _iso(details: Mapping[int, object]) -> int | None:
    """The sensitivity; where 16 bits are too few for it (they say 65535), the longer field that was made for that."""
    for tag in (ExifTags.Base.ISOSpeedRatings, ExifTags.Base.RecommendedExposureIndex, ExifTags.Base.ISOSpeed):
        value = details.get(tag)
        number = _number(value[0] if isinstance(value, tuple) and value else value)
        if 1 <= number < 2**31 and number != 65_535:
            return int(number)
    return None


def _position(gps: Mapping[int, object]) -> tuple[float, float] | tuple[None, None]:
    """Latitude and longitude in degrees. Exactly 0, 0 is what receivers write that have no fix."""
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), _text(gps.get(ExifTags.GPS.GPSLatitudeRef)), "NS", 90)
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), _text(gps.get(ExifTags.GPS.GPSLongitudeRef)), "EW", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _degrees(value: object, hemisphere: str | None, signs: str, limit: int) -> float | None:
    """Degrees, minutes and seconds as signed degrees. `signs` are the letters of the positive and negative half."""
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3 or not hemisphere or hemisphere[0].upper() not in signs:
        return None
    numbers = [_number(part) for part in value]
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        return None
    if any(number >= 60 + 1e-6 for number in numbers[1:]):
        return None
    degrees = math.fsum(number / 60.0**place for place, number in enumerate(numbers))
    if degrees > limit:
        return None
    return degrees if hemisphere[0].upper() == signs[0] else -degrees


def _number(value: object) -> float:
    """A float, NaN for anything that is not one (a rational over zero, text)."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan
