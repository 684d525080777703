"""Read the JSON that Google Takeout writes beside each picture.

Google does not document it. The keys are those in exports of 2018 to 2025, as users report them (immich-go#329,
memories#430, photoprism#2133). The time is UTC, and a position of 0, 0 means that there is none. Texts are escaped as
for HTML.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from core.errors import PictureUndecodable
from core.metadata import (
    MAX_DESCRIPTION_LENGTH,
    MAX_PEOPLE,
    MAX_TITLE_LENGTH,
    DateSource,
    Person,
    PhotoMetadata,
)
from core.text_files import decode_text
from pictures.metadata.exposure import number
from pictures.metadata.positions import Position, known_position

__all__ = ["MAX_TAKEOUT_BYTES", "read_takeout"]

MAX_TAKEOUT_BYTES = 4 * 1024 * 1024
"""Limit on a file. Real ones have about a thousand bytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEYS = ("photoTakenTime", "geoData", "geoDataExif")
"""At least one is in every file of Google Photos. JSON of other programs has none."""

_MAX_SUFFIX_LENGTH = 5

_CUT_LENGTH = 40
"""Characters of the shortest name of a picture that Google cuts, without its suffix."""

_REPLACED = re.compile(r"[^\w.() -]")
_ADDED = re.compile(r"(?:-\D.*)?(?:\([0-9]+\))?", re.DOTALL)
"""What follows the title in the name of a file: the word for an edited picture, and its number."""


def read_takeout(data: bytes, picture: str | None = None) -> PhotoMetadata:
    """Return the metadata in a JSON file of Google Takeout. Raises `PictureUndecodable` if it is none.

    The title is that of the picture's file nearly always, and is left out then. If the name of a `picture` is given, a
    JSON file with the title of another one is refused.
    """
    if len(data) > MAX_TAKEOUT_BYTES:
        raise PictureUndecodable(f"JSON of {len(data):,} bytes exceeds the limit of {MAX_TAKEOUT_BYTES:,} bytes")
    try:
        record = json.loads(decode_text(data))
    except (ValueError, RecursionError) as error:  # bytes that are no text are a ValueError, too
        raise PictureUndecodable(f"invalid JSON: {error}") from error
    if not isinstance(record, dict) or not any(isinstance(record.get(key), dict) for key in _KEYS):
        raise PictureUndecodable("JSON, but not of Google Takeout")
    title = record.get("title")
    if picture is not None and isinstance(title, str) and not _names_picture(unescape(title), picture):
        raise PictureUndecodable("JSON of another picture")
    taken_at = _taken_at(record.get("photoTakenTime"))
    latitude, longitude = _position(record)
    return PhotoMetadata(
        taken_at=taken_at,
        utc_offset=None if taken_at is None else 0,
        date_source=None if taken_at is None else DateSource.RECORDED,
        latitude=latitude,
        longitude=longitude,
        title=_title(title),
        description=_text(record.get("description"), MAX_DESCRIPTION_LENGTH),
        people=tuple(_people(record.get("people"))),
    )


def _taken_at(value: object) -> datetime | None:
    seconds = number(value.get("timestamp")) if isinstance(value, dict) else 0.0
    try:
        return None if not seconds else (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    except (ValueError, OverflowError):  # not a number, or beyond the years 1 to 9999
        return None


def _position(record: Mapping[str, Any]) -> Position:
    for key in ("geoData", "geoDataExif"):
        place = record.get(key)
        if isinstance(place, dict):
            found = known_position(*(_degrees(place.get(axis)) for axis in ("latitude", "longitude")))
            if found[0] is not None:
                return found
    return None, None


def _degrees(value: object) -> float | None:
    return None if value is None or isinstance(value, bool) else number(value)


def _people(value: object) -> Iterator[Person]:
    for person in value[:MAX_PEOPLE] if isinstance(value, list) else ():
        if isinstance(person, dict) and (name := _text(person.get("name"), MAX_TITLE_LENGTH)):
            yield Person(name)


def _names_picture(title: str, picture: str) -> bool:
    """Return whether `title`, the name that a picture had in Google Photos, is that of the file `picture`.

    The name of the file can have a number, the word for edited ones, underscores for other characters, and be cut.
    """
    (original, kind), (name, other_kind) = _comparable_name(title), _comparable_name(picture)
    if name.startswith(original):
        is_same_kind = not kind or kind == other_kind
        return is_same_kind and _ADDED.fullmatch(name[len(original) :]) is not None
    return original.startswith(name) and len(name) >= _CUT_LENGTH


def _comparable_name(name: str) -> tuple[str, str]:
    """Return the name of a file without its suffix, and the suffix, in a comparable form."""
    folded = unicodedata.normalize("NFC", name).casefold()
    stem, _, suffix = folded.rpartition(".") if "." in folded else (folded, "", "")
    return _REPLACED.sub("_", stem), "jpg" if suffix == "jpeg" else suffix


def _title(value: object) -> str | None:
    """Return a title unless it is the name of a file."""
    title = _text(value, MAX_TITLE_LENGTH)
    _, dot, suffix = (title or "").rpartition(".")
    is_name = bool(dot) and suffix.isalnum() and len(suffix) <= _MAX_SUFFIX_LENGTH
    return None if is_name else title


def _text(value: object, length: int) -> str | None:
    return (unescape(value).strip()[:length] or None) if isinstance(value, str) else None
