"""The metadata of a picture: one type, from the readers in `pictures` to the catalogue in `store`.

A new field needs three changes: an attribute of `PhotoMetadata` (and a higher `METADATA_VERSION`), the reader that
fills it (`pictures.exif`, for EXIF), and a column of the table `contents` with its migration. Everything between copies
the fields generically.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

__all__ = [
    "MAX_DESCRIPTION_LENGTH",
    "MAX_KEYWORDS",
    "MAX_TITLE_LENGTH",
    "METADATA_VERSION",
    "ImageInfo",
    "PhotoMetadata",
    "merge_metadata",
]

METADATA_VERSION = 1
"""Version of the readers. Raise it when they find more than before: the headers of indexed files are then read again
by the next index run."""

MAX_KEYWORDS = 1_000
"""Keywords kept per file."""

MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH = 500, 5_000
"""Characters kept."""


@dataclass(frozen=True, kw_only=True)
class PhotoMetadata:
    """Metadata of a picture; None (or no keywords) where the source has no usable value.

    Except for `keywords`, each field is a column of the same name in the table `contents`.
    """

    taken_at: datetime | None = None
    """Local time where the picture was taken, without a time zone: most cameras record no zone."""
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


@dataclass(frozen=True)
class ImageInfo:
    """What decoding a file returns besides its pixels. `width` and `height` are those of the full upright picture."""

    format: str
    width: int
    height: int
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)


def merge_metadata(*sources: PhotoMetadata) -> PhotoMetadata:
    """Merge metadata of one picture from several sources, the most trusted source first.

    Each field is taken from the first source that has a value; keywords are those of all sources, in order, without
    repetitions. The order for a file is XMP, IPTC, EXIF. A sidecar takes precedence over all three: because it belongs
    to one file and the rest to the content that copies share, it is stored separately and applied in queries.
    """
    merged: dict[str, Any] = {}
    for name in (each.name for each in fields(PhotoMetadata)):
        values = (getattr(source, name) for source in sources)
        merged[name] = next((value for value in values if value is not None), None)
    keywords = dict.fromkeys(keyword for source in sources for keyword in source.keywords)
    merged["keywords"] = tuple(keywords)[:MAX_KEYWORDS]
    return PhotoMetadata(**merged)
