"""Invented EXIF data of the gallery: a date, a camera, and sometimes a position."""

from datetime import datetime, timedelta
from random import Random

from PIL import ExifTags, Image

from examples.curated import Entry

__all__ = ["photo_metadata"]

_CAMERAS = (
    ("Lumora", "Lumora Fieldbird 24"),
    ("Lumora", "Lumora Pocket S"),
    ("Kestrel", "Kestrel K3 II"),
    ("Aurelis", "Aurelis N10 Pro"),
    ("Pinewood", "Pinewood Rangefinder 6"),
)
_HOURS = {"sunset": (18, 20), "night": (21, 23)}
_MONTHS = {"snow": (12, 1, 2), "snowfield": (1, 2, 3), "autumn": (10, 11), "lavender": (7,), "meadow": (5, 6)}
_AREAS = {  # degrees north and east, near which a folder's pictures claim to be taken
    "sea": (54.2, 10.9),
    "reef": (-16.5, 146.1),
    "lakes": (47.6, 12.4),
    "mountains": (46.5, 8.1),
    "woods": (49.1, 13.4),
    "country": (44.0, 5.3),
    "town": (50.1, 14.4),
    "far": (-2.4, 34.9),
    "winter": (61.8, 9.6),
    "home": (48.2, 16.4),
}


def photo_metadata(entry: Entry) -> Image.Exif:
    """Return EXIF with a date for every picture, a camera for most, and a position for some. It is deterministic."""
    rng = Random(entry.image)
    exif = Image.Exif()
    taken = _date(entry, rng).strftime("%Y:%m:%d %H:%M:%S")
    exif[ExifTags.Base.DateTime] = taken
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    if rng.random() < 0.7:
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = rng.choice(_CAMERAS)
    if rng.random() < 0.4:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_position(entry, rng))
    return exif


def _date(entry: Entry, rng: Random) -> datetime:
    scene = entry.scene
    months = _MONTHS.get(scene.setting) or _MONTHS.get(scene.time) or (4, 5, 6, 7, 8, 9)
    first, last = _HOURS.get(scene.time, (9, 16))
    month = rng.choice(months)
    year = rng.randint(2019, 2026 if month < 10 else 2025)
    day = datetime(year, month, rng.randint(1, 28))  # noqa: DTZ001 - EXIF has no time zone
    return day + timedelta(hours=rng.randint(first, last), minutes=rng.randrange(60), seconds=rng.randrange(60))


def _position(entry: Entry, rng: Random) -> dict[int, object]:
    north, east = _AREAS[entry.image.partition("/")[0]]
    north, east = north + rng.uniform(-0.4, 0.4), east + rng.uniform(-0.4, 0.4)
    return {
        ExifTags.GPS.GPSLatitudeRef: "N" if north >= 0 else "S",
        ExifTags.GPS.GPSLatitude: _sexagesimal(north),
        ExifTags.GPS.GPSLongitudeRef: "E" if east >= 0 else "W",
        ExifTags.GPS.GPSLongitude: _sexagesimal(east),
    }


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    whole, rest = divmod(abs(degrees) * 60, 60)
    return whole, float(int(rest)), round((rest - int(rest)) * 60, 2)
