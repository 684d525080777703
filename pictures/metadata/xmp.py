"""Read XMP (ISO 16684-1), which cataloguing programs write into pictures and sidecar files.

The properties are those of Adobe (XMP specification, part 2), of Exif for XMP (CIPA DC-010), and of the IPTC Photo
Metadata Standard. Each field is read independently, and is None if its value makes no sense.
"""

from collections.abc import Iterator, Mapping

from core.errors import PictureUndecodable
from core.metadata import (
    MAX_DESCRIPTION_LENGTH,
    MAX_KEYWORDS,
    MAX_TITLE_LENGTH,
    DateSource,
    PhotoMetadata,
    merge_metadata,
)
from core.text_files import decode_text
from pictures.metadata.boilerplate import meaningful, meaningful_lens
from pictures.metadata.dates import parse_date, parse_offset
from pictures.metadata.exif import join_camera, parse_rating
from pictures.metadata.exposure import aperture_of_apex, exposure_of_apex, lens_of_specification, measure, number
from pictures.metadata.face_regions import PEOPLE_PROPERTIES, Orientation, read_people
from pictures.metadata.positions import known_position, parse_xmp_angle
from pictures.metadata.rdf import Value, items, parse_rdf, structures, text

__all__ = ["HIERARCHICAL", "LAST_LEVELS", "MAX_XMP_BYTES", "RATING", "SUBJECT", "TAG_PATHS", "read_xmp"]

MAX_XMP_BYTES = 16 * 1024 * 1024
"""Limit on a packet. Programs that store masks and edit histories in it write a few million bytes."""

_MAX_NAME_LENGTH = 120

_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

SUBJECT = f"{_DC} subject"
HIERARCHICAL = "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject"
"""Keywords with `|` between levels."""
TAG_PATHS = ("http://www.digikam.org/ns/1.0/ TagsList", "http://ns.microsoft.com/photo/1.0/ LastKeywordXMP")
"""Keywords with `/` between levels."""
LAST_LEVELS = "urn:sightline:xmp:1.0/ lastLevels"
"""Keywords that stand in `SUBJECT` only for the hierarchical one that ends in them; Sightline wrote both."""
_LEVELS = {HIERARCHICAL: "|", **dict.fromkeys(TAG_PATHS, "/")}
_TITLES = (f"{_DC} title", f"{_PHOTOSHOP} Headline")
_DESCRIPTIONS = (f"{_DC} description", f"{_TIFF} ImageDescription", f"{_EXIF} UserComment")
RATING = f"{_XMP} Rating"
_DATES = (
    (f"{_EXIF} DateTimeOriginal", f"{_EXIF} OffsetTimeOriginal", DateSource.ORIGINAL),
    (f"{_PHOTOSHOP} DateCreated", None, DateSource.ORIGINAL),
    (f"{_EXIF} DateTimeDigitized", f"{_EXIF} OffsetTimeDigitized", DateSource.DIGITIZED),
    (f"{_XMP} CreateDate", None, DateSource.DIGITIZED),
    (f"{_XMP} ModifyDate", None, DateSource.MODIFIED),
    (f"{_TIFF} DateTime", f"{_EXIF} OffsetTime", DateSource.MODIFIED),
)
_LATITUDE, _LONGITUDE = f"{_EXIF} GPSLatitude", f"{_EXIF} GPSLongitude"
_MAKE, _MODEL = f"{_TIFF} Make", f"{_TIFF} Model"
_LENSES = (f"{_EXIF_EX} LensModel", f"{_AUX} Lens")
_LENS_NUMBERS = (f"{_EXIF_EX} LensSpecification", f"{_AUX} LensInfo")
_SENSITIVITIES = (
    f"{_EXIF_EX} PhotographicSensitivity",
    f"{_EXIF} PhotographicSensitivity",
    f"{_EXIF} ISOSpeedRatings",
    f"{_EXIF_EX} RecommendedExposureIndex",
    f"{_EXIF_EX} ISOSpeed",
    f"{_EXIF_EX} StandardOutputSensitivity",
)
_F_NUMBER, _APERTURE = f"{_EXIF} FNumber", f"{_EXIF} ApertureValue"
_EXPOSURE, _SHUTTER_SPEED = f"{_EXIF} ExposureTime", f"{_EXIF} ShutterSpeedValue"
_FOCAL_LENGTH = f"{_EXIF} FocalLength"
_PLACE = (f"{_IPTC} Location", f"{_PHOTOSHOP} City", f"{_PHOTOSHOP} State", f"{_PHOTOSHOP} Country")
_LOCATIONS = (f"{_IPTC_EXT} LocationCreated", f"{_IPTC_EXT} LocationShown")
_LOCATION_FIELDS = tuple(f"{_IPTC_EXT} {name}" for name in ("Sublocation", "City", "ProvinceState", "CountryName"))

_PROPERTIES = frozenset(
    {
        SUBJECT,
        LAST_LEVELS,
        *_LEVELS,
        *_TITLES,
        *_DESCRIPTIONS,
        RATING,
        *(name for names in _DATES for name in names[:2] if name is not None),
        *(_LATITUDE, f"{_LATITUDE}Ref", _LONGITUDE, f"{_LONGITUDE}Ref"),
        *(_MAKE, _MODEL, *_LENSES, *_LENS_NUMBERS, *_SENSITIVITIES),
        *(_F_NUMBER, _APERTURE, _EXPOSURE, _SHUTTER_SPEED, _FOCAL_LENGTH),
        *_PLACE,
        *_LOCATIONS,
        *PEOPLE_PROPERTIES,
    }
)

_Properties = Mapping[str, Value]


def read_xmp(data: bytes, orientation: Orientation = Orientation()) -> PhotoMetadata:  # noqa: B008  (frozen)
    """Return the metadata in an XMP packet. Raises `PictureUndecodable` if it is not XMP or might be an attack.

    `orientation` is that of the picture, so that areas of faces are those in the upright picture.
    """
    if len(data) > MAX_XMP_BYTES:
        raise PictureUndecodable(f"XMP of {len(data):,} bytes exceeds the limit of {MAX_XMP_BYTES:,} bytes")
    encoding = None
    if b"\0" in data[:4]:  # UTF-16, which expat knows by a byte order mark only
        data, encoding = decode_text(data, "replace").encode(), "utf-8"  # even if its declaration names another
    known = parse_rdf(data, _PROPERTIES, encoding)
    latitude, longitude = known_position(_angle(known, _LATITUDE, "NS"), _angle(known, _LONGITUDE, "EW"))
    facts = PhotoMetadata(
        camera=join_camera(_name(known, _MAKE), _name(known, _MODEL)),
        lens=_lens(known),
        latitude=latitude,
        longitude=longitude,
        focal_length=measure(_rational(text(known.get(_FOCAL_LENGTH))), 0.01, 100_000),
        aperture=measure(_rational(text(known.get(_F_NUMBER))), 0.1, 1_000)
        or aperture_of_apex(_rational(text(known.get(_APERTURE)))),
        exposure=measure(_rational(text(known.get(_EXPOSURE))), 1e-6, 1e7)
        or exposure_of_apex(_rational(text(known.get(_SHUTTER_SPEED)))),
        iso=_iso(known),
        rating=parse_rating(text(known.get(RATING))),
        title=_meaningful(known, _TITLES, MAX_TITLE_LENGTH),
        description=_meaningful(known, _DESCRIPTIONS, MAX_DESCRIPTION_LENGTH),
        keywords=tuple(dict.fromkeys(_keywords(known)))[:MAX_KEYWORDS],
        people=read_people(known, orientation),
    )
    return merge_metadata(facts, *_dates(known), *_places(known))


def _name(known: _Properties, *properties: str) -> str | None:
    """Return the first of these properties that has a text, as one line."""
    for name in properties:
        if line := " ".join((text(known.get(name)) or "").split())[:_MAX_NAME_LENGTH].rstrip():
            return line
    return None


def _meaningful(known: _Properties, properties: tuple[str, ...], length: int) -> str | None:
    texts = (meaningful(text(known.get(name))) for name in properties)
    return next((each[:length] for each in texts if each is not None), None)


def _keywords(known: _Properties) -> Iterator[str]:
    for name, separator in _LEVELS.items():
        for item in items(known.get(name)):
            yield from filter(
                None, ["/".join(each.strip() for each in (text(item) or "").split(separator) if each.strip())]
            )
    last_levels = set(map(text, items(known.get(LAST_LEVELS))))
    for keyword in map(text, items(known.get(SUBJECT))):
        if keyword and keyword not in last_levels:
            yield keyword


def _dates(known: _Properties) -> Iterator[PhotoMetadata]:
    for name, offset_name, source in _DATES:
        if moment := parse_date(text(known.get(name))):
            offset = moment.utc_offset
            if offset is None and offset_name is not None:
                offset = parse_offset(text(known.get(offset_name)))
            yield PhotoMetadata(taken_at=moment.taken_at, utc_offset=offset, date_source=source)


def _angle(known: _Properties, name: str, signs: str) -> float | None:
    angle = text(known.get(name))
    hemisphere = text(known.get(f"{name}Ref")) or ""
    found = parse_xmp_angle(angle, signs)
    return found if found is not None or not angle else parse_xmp_angle(angle + hemisphere[:1], signs)


def _lens(known: _Properties) -> str | None:
    for name in _LENSES:
        if lens := meaningful_lens(_name(known, name)):
            return lens
    for name in _LENS_NUMBERS:
        parts = [part for item in items(known.get(name)) for part in (text(item) or "").split()]
        if lens := lens_of_specification([_rational(part) for part in parts]):
            return lens
    return None


def _iso(known: _Properties) -> int | None:
    for name in _SENSITIVITIES:
        sensitivity = number(text(known.get(name)))
        if 1 <= sensitivity < 2**31 and sensitivity != 65_535:
            return int(sensitivity)
    return None


def _rational(value: str | None) -> float:
    """Return a number such as `28/10` or `2.8`, or NaN."""
    above, slash, below = (value or "").partition("/")
    divisor = number(below) if slash else 1.0
    return number(above) / divisor if divisor else number(None)


def _places(known: _Properties) -> Iterator[PhotoMetadata]:
    """Yield the names of places, those of the place where the picture was taken before those that it shows."""
    yield _place(known, _PLACE)
    for name in _LOCATIONS:
        for location in structures(known.get(name)):
            yield _place(location, _LOCATION_FIELDS)


def _place(known: _Properties, names: tuple[str, ...]) -> PhotoMetadata:
    sublocation, city, region, country = (_name(known, name) for name in names)
    return PhotoMetadata(sublocation=sublocation, city=city, region=region, country=country)
