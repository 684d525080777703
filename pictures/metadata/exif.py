"""Read EXIF metadata: when, where and with what camera a picture was taken, and its texts.

The tags are those of Exif 2.32 (CIPA DC-008), and those of Windows for texts (XPTitle and others). Real files contain
arbitrary values in them, so each field is read independently, and is None if its value makes no sense. Nothing here
raises.
"""

import math
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_KEYWORDS, MAX_TITLE_LENGTH, DateSource, PhotoMetadata
from core.text_files import text_encoding
from pictures.metadata.boilerplate import meaningful, meaningful_lens
from pictures.metadata.dates import parse_date, parse_offset
from pictures.metadata.exposure import aperture_of_apex, exposure_of_apex, lens_of_specification, measure, number
from pictures.metadata.positions import Position, known_position, signed_degrees

__all__ = ["join_camera", "parse_rating", "read_exif"]

_MAX_NAME_LENGTH = 120
"""Characters kept of a name. The longest real lens names have about 60."""

_MAX_TEXT_BYTES = 1 << 20
"""Bytes of a text that are looked at."""

_XP_TITLE, _XP_COMMENT, _XP_KEYWORDS, _XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_SENSITIVITIES = (
    ExifTags.Base.ISOSpeedRatings,  # 16 bits; if it is 65535, the value is in one of the longer fields
    ExifTags.Base.RecommendedExposureIndex,
    ExifTags.Base.ISOSpeed,
    ExifTags.Base.StandardOutputSensitivity,
)

_ANGLE_OF_HTC = re.compile(",".join([r"([0-9]{1,3}),([0-9]{5})"] * 3))
"""Degrees, minutes and seconds with decimal commas, between commas: `52,00000,50,00000,34,01180` of an HTC One M8."""

_Tags = Mapping[int, object]


def read_exif(exif: Image.Exif) -> PhotoMetadata:
    """Return the metadata in an EXIF block (`image.getexif()`, even of a damaged file). Never raises."""
    details = ChainMap(_sub_block(exif, ExifTags.IFD.Exif), exif)  # TIFF/EP has the details in the first directory
    latitude, longitude = _position(_sub_block(exif, ExifTags.IFD.GPSInfo))
    title, description = _texts(exif, details)
    taken_at, utc_offset, date_source = _date(exif, details)
    return PhotoMetadata(
        taken_at=taken_at,
        utc_offset=utc_offset,
        date_source=date_source,
        camera=join_camera(_text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))),
        lens=_lens(details),
        latitude=latitude,
        longitude=longitude,
        focal_length=measure(details.get(ExifTags.Base.FocalLength), 0.01, 100_000),
        aperture=measure(details.get(ExifTags.Base.FNumber), 0.1, 1_000)
        or aperture_of_apex(number(details.get(ExifTags.Base.ApertureValue))),
        exposure=measure(details.get(ExifTags.Base.ExposureTime), 1e-6, 1e7)
        or exposure_of_apex(number(details.get(ExifTags.Base.ShutterSpeedValue))),
        iso=_iso(details),
        rating=parse_rating(exif.get(ExifTags.Base.Rating)),
        title=title,
        description=description,
        keywords=_keywords(exif.get(_XP_KEYWORDS)),
    )


def parse_rating(value: object) -> int | None:
    """Return `value` as a rating from -1 to 5, or None if it is none of these numbers."""
    stars = number(value)
    return int(stars) if stars in (-1, 0, 1, 2, 3, 4, 5) else None


def join_camera(make: str | None, model: str | None) -> str | None:
    """Return "Make Model", or only the model if it begins with the first word of the make ("NIKON D90")."""
    if not make or not model:
        return model or make
    maker = make.split()[0].casefold()
    return model if model.casefold().startswith(maker) else f"{make} {model}"[:_MAX_NAME_LENGTH]


def _sub_block(exif: Image.Exif, which: ExifTags.IFD) -> MutableMapping[int, Any]:
    try:
        return exif.get_ifd(which)
    except Exception:  # invalid offsets raise errors of many types
        return {}


def _text(value: object, length: int = _MAX_NAME_LENGTH) -> str | None:
    """Return `value` as a clean line: up to the first NUL, with control characters and whitespace as single spaces.

    Pillow decodes texts as Latin-1, although many programs write UTF-8.
    """
    if isinstance(value, bytes):
        value = value[:_MAX_TEXT_BYTES].decode("utf-8", errors="replace")
    elif isinstance(value, str):
        value = _as_utf8(value[:_MAX_TEXT_BYTES])
    if not isinstance(value, str):
        return None
    printable = "".join(sign if sign.isprintable() else " " for sign in value.partition("\0")[0])
    return " ".join(printable.split())[:length].rstrip() or None


def _as_utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _utf16(value: object) -> str | None:
    """Return a text of Windows: UTF-16, little-endian."""
    if isinstance(value, (tuple, list)) and all(isinstance(each, int) and 0 <= each < 256 for each in value):
        value = bytes(value)
    if not isinstance(value, bytes):
        return None
    return value[:_MAX_TEXT_BYTES].decode("utf-16-le", "replace").partition("\0")[0]


def _user_comment(value: object) -> str | None:
    """Return the text of a UserComment, whose first eight bytes name its character set."""
    if not isinstance(value, bytes):
        return value if isinstance(value, str) else None
    charset, raw = value[:8].rstrip(b"\0 ").upper(), value[8:_MAX_TEXT_BYTES]
    if charset == b"UNICODE":
        encoding = text_encoding(raw)  # programs disagree on the byte order
        return raw.decode(encoding, "replace").strip("\ufeff\0 ")
    if charset == b"JIS":
        return raw.decode("iso2022_jp", "replace")
    if charset in (b"ASCII", b""):
        return _as_utf8(raw.decode("latin-1"))
    return _as_utf8(value.decode("latin-1"))  # without the prefix


def _texts(exif: Image.Exif, details: _Tags) -> tuple[str | None, str | None]:
    """Return the title and the description. Windows writes its title into both XPTitle and ImageDescription."""
    title = meaningful(_text(_utf16(exif.get(_XP_TITLE)), MAX_TITLE_LENGTH))
    candidates = (
        exif.get(ExifTags.Base.ImageDescription),
        _user_comment(details.get(ExifTags.Base.UserComment)),
        _utf16(exif.get(_XP_COMMENT)),
        _utf16(exif.get(_XP_SUBJECT)),
    )
    names = {title, *(_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))}
    for candidate in candidates:
        text = meaningful(_text(candidate, MAX_DESCRIPTION_LENGTH))
        if text is not None and text not in names:
            return title, text
    return title, None


def _keywords(value: object) -> tuple[str, ...]:
    """Return the keywords of Windows, which separates them by semicolons."""
    words = (_text(word) for word in (_utf16(value) or "").split(";"))
    return tuple(dict.fromkeys(word for word in words if word))[:MAX_KEYWORDS]


def _date(exif: Image.Exif, details: _Tags) -> tuple[datetime | None, int | None, DateSource | None]:
    """Return when the picture was taken, else digitized, else when a camera or an editor wrote the file.

    With it are the minutes that it is ahead of UTC, if they are known, and its kind.
    """
    for value, offset, source in _dates(exif, details):
        text = _text(value)
        if moment := parse_date(text):
            same_clock = (each[1] for each in _dates(exif, details) if _text(each[0]) == text)
            offsets = (parse_offset(_text(each)) for each in (offset, *same_clock))
            zone = next((each for each in offsets if each is not None), moment.utc_offset)
            return moment.taken_at, zone, source
    return None, None, None


def _dates(exif: Image.Exif, details: _Tags) -> Iterator[tuple[object, object, DateSource]]:
    """Yield each date with its time zone and kind."""
    yield details.get(ExifTags.Base.DateTimeOriginal), details.get(_OFFSET_ORIGINAL), DateSource.ORIGINAL
    yield details.get(ExifTags.Base.DateTimeDigitized), details.get(_OFFSET_DIGITIZED), DateSource.DIGITIZED
    yield exif.get(ExifTags.Base.DateTime), details.get(_OFFSET), DateSource.MODIFIED


def _lens(details: _Tags) -> str | None:
    """Return the model of the lens, or else its maker with its focal lengths and apertures."""
    model = meaningful_lens(_text(details.get(ExifTags.Base.LensModel)))
    if model is not None:
        return model
    value = details.get(ExifTags.Base.LensSpecification)
    specification = lens_of_specification(tuple(map(number, value)) if isinstance(value, tuple) else ())
    maker = meaningful_lens(_text(details.get(ExifTags.Base.LensMake)))
    return specification and (f"{maker} {specification}" if maker else specification)[:_MAX_NAME_LENGTH]


def _iso(details: _Tags) -> int | None:
    """Return the sensitivity."""
    for tag in _SENSITIVITIES:
        value = details.get(tag)
        sensitivity = number(value[0] if isinstance(value, tuple) and value else value)
        if 1 <= sensitivity < 2**31 and sensitivity != 65_535:
            return int(sensitivity)
    return None


def _position(gps: _Tags) -> Position:
    latitude = _angle(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "NS")
    longitude = _angle(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "EW")
    return known_position(latitude, longitude)


def _angle(value: object, hemisphere: object, signs: str) -> float | None:
    if isinstance(value, str) and (match := _ANGLE_OF_HTC.fullmatch(value.strip("\0 "))):
        value = tuple(
            float(f"{whole}.{part}") for whole, part in zip(match.groups()[::2], match.groups()[1::2], strict=True)
        )
    components = value if isinstance(value, tuple) else (value,)
    if not components or math.isnan(number(components[0])):
        return None
    return signed_degrees([number(part) for part in components], _text(hemisphere), signs)
