"""The metadata of a picture: one type, from the readers in `pictures` to the catalogue in `store`.

A new field needs three changes: an attribute of `PhotoMetadata` (and a higher `METADATA_VERSION`), the reader that
fills it (`pictures.metadata.exif`, for EXIF), and a column of the table `contents` with its migration. Everything
between copies the fields generically.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import StrEnum
from typing import Any

__all__ = [
    "MAX_DESCRIPTION_LENGTH",
    "MAX_KEYWORDS",
    "MAX_PEOPLE",
    "MAX_RATING",
    "MAX_TITLE_LENGTH",
    "METADATA_VERSION",
    "MIN_RATING",
    "PLACE_NAMES",
    "Area",
    "DateSource",
    "ImageInfo",
    "Person",
    "PhotoMetadata",
    "merge_metadata",
]

METADATA_VERSION = 3
"""Version of the readers. Raise it when they find more than before: the headers of indexed files are then read again
by the next index run."""

MAX_KEYWORDS = 1_000
"""Keywords kept per file."""

MAX_PEOPLE = 200
"""People kept per file."""

MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH = 500, 5_000
"""Characters kept."""

MIN_RATING, MAX_RATING = -1, 5
"""Rejected, and five stars."""


class DateSource(StrEnum):
    """What a date is, the most trusted kind first."""

    ORIGINAL = "original"
    """When the picture was taken."""
    DIGITIZED = "digitized"
    """When it was digitized. For a camera this is the same; for a scan it is not."""
    RECORDED = "recorded"
    """When a photo service says that the picture was taken."""
    MODIFIED = "modified"
    """When a camera or an editor wrote the file."""
    NAME = "name"
    """The date in the name of the file."""


@dataclass(frozen=True)
class Area:
    """A rectangle in the upright picture, as shares of its width and height in 0..1."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Person:
    """A person in the picture, with the area of the face if it is known."""

    name: str
    area: Area | None = None


@dataclass(frozen=True, kw_only=True)
class PhotoMetadata:
    """Metadata of a picture; None (or no keywords) where the source has no usable value.

    Except for `keywords` and `people`, each field is a column of the same name in the table `contents`.
    """

    taken_at: datetime | None = None
    """Local time where the picture was taken, without a time zone: most cameras record no zone."""
    utc_offset: int | None = None
    """Minutes that `taken_at` is ahead of UTC."""
    date_source: DateSource | None = None
    """What `taken_at` is; None if and only if that is None."""
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Degrees, north and east positive. Both are known, or neither is."""
    focal_length: float | None = None
    """Millimetres, of the lens itself."""
    aperture: float | None = None
    """The f-number."""
    exposure: float | None = None
    """Seconds."""
    iso: int | None = None
    rating: int | None = None
    """1 to 5 stars, -1 for rejected, 0 for unrated."""
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    """Levels of a hierarchical keyword are separated by `/`: `people/Anna`."""
    people: tuple[Person, ...] = ()
    """Each name occurs once."""
    sublocation: str | None = None
    """A part of a city, or a sight."""
    city: str | None = None
    region: str | None = None
    """State or province."""
    country: str | None = None
    duration: float | None = None
    """Seconds, of a video."""


@dataclass(frozen=True)
class ImageInfo:
    """What decoding a file returns besides its pixels. `width` and `height` are those of the full upright picture."""

    format: str
    width: int
    height: int
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)


_NOTHING = PhotoMetadata()
_DATE = ("taken_at", "utc_offset", "date_source")
PLACE_NAMES = ("sublocation", "city", "region", "country")
"""The fields with names of a place."""


def merge_metadata(*sources: PhotoMetadata) -> PhotoMetadata:
    """Merge metadata of one picture from several sources, the most trusted source first.

    Each field is taken from the first source that has a value, with these exceptions. A date is that of the most
    trusted kind (`DateSource`), and is taken with its time zone; where it lacks the time of day or the zone, another
    source may add these. Names of a place are taken from one source. Keywords and people are those of all sources, in
    order, without repetitions.
    """
    sources = tuple(source for source in sources if source != _NOTHING)
    if len(sources) < 2:
        return sources[0] if sources else _NOTHING
    merged: dict[str, Any] = {}
    for source in reversed(sources):
        merged |= {name: value for name, value in vars(source).items() if value is not None}
    merged |= _fields_of(_most_trusted_date(sources), _DATE)
    merged |= _fields_of(next((each for each in sources if _has_place_name(each)), None), PLACE_NAMES)
    keywords = dict.fromkeys(keyword for source in sources for keyword in source.keywords)
    merged["keywords"] = tuple(keywords)[:MAX_KEYWORDS]
    merged["people"] = _merged_people(sources)
    return PhotoMetadata(**merged)


def _fields_of(source: PhotoMetadata | None, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(source, name, None) for name in names}


def _has_place_name(source: PhotoMetadata) -> bool:
    return any(getattr(source, name) is not None for name in PLACE_NAMES)


def _most_trusted_date(sources: Sequence[PhotoMetadata]) -> PhotoMetadata | None:
    by_trust = [source for kind in DateSource for source in sources if source.date_source is kind]
    if not by_trust:
        return None
    first = by_trust[0]
    if _has_no_time(first):
        first = next((each for each in by_trust if _refines(each, first)), first)
    if first.utc_offset is None:  # the same clock, and one source knows its zone
        same = (each for each in by_trust if each.taken_at == first.taken_at and each.utc_offset is not None)
        offset = next((each.utc_offset for each in same), None)
        return replace(first, utc_offset=offset)
    return first


def _has_no_time(source: PhotoMetadata) -> bool:
    return source.taken_at is not None and source.taken_at.time() == time.min and source.utc_offset is None


def _refines(other: PhotoMetadata, date: PhotoMetadata) -> bool:
    """Return whether `other` adds the time of day to a mere `date`."""
    if other.taken_at is None or date.taken_at is None or other.taken_at.date() != date.taken_at.date():
        return False
    return other.date_source in (DateSource.ORIGINAL, DateSource.DIGITIZED) and not _has_no_time(other)


def _merged_people(sources: Sequence[PhotoMetadata]) -> tuple[Person, ...]:
    """Return the people of all sources; each with the first area that is known."""
    people: dict[str, Person] = {}
    for person in (person for source in sources for person in source.people):
        key = person.name.casefold()
        known = people.setdefault(key, person)
        if known.area is None:
            people[key] = Person(known.name, person.area)
    return tuple(people.values())[:MAX_PEOPLE]
