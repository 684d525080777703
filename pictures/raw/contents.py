"""What a RAW file of any kind has besides its sensor data."""

from dataclasses import dataclass, field

from PIL import ExifTags, Image

from pictures.raw.directories import Directory

__all__ = ["JpegPlace", "RawContents", "TiffPlace", "add_tags", "exif_of"]

EXIF_DIRECTORY, GPS_DIRECTORY = 34665, 34853
XMP, IPTC = 700, 33723

_STRUCTURE = frozenset({*range(254, 260), 262, 266, 273, 277, 278, 279, 330, 347, 513, 514, XMP, IPTC, 34377, 34675})
"""Tags that describe how pixels are stored, or hold other metadata, and are no facts about the picture."""

MAX_TAGS_BYTES = 1 << 20
"""Bytes of all values of a directory that are read. Several tags can name the same bytes of a small file."""


@dataclass(frozen=True)
class JpegPlace:
    """Where a JPEG is in the file; `end` is that of the file if it is not known."""

    start: int
    end: int


@dataclass(frozen=True)
class TiffPlace:
    """A picture that is stored as in a TIFF file: the signature and the place of its directory."""

    signature: bytes
    directory: int
    width: int
    height: int


@dataclass
class RawContents:
    """The parts of a RAW file. `width` and `height` are those of the full picture before it is made upright, or 0."""

    format: str
    width: int = 0
    height: int = 0
    exif: Image.Exif = field(default_factory=Image.Exif)
    xmp: bytes = b""
    iptc: bytes = b""
    jpegs: list[JpegPlace] = field(default_factory=list)
    pictures: list[TiffPlace] = field(default_factory=list)
    sensor_end: int = 0
    """Where the sensor data ends; 0 if it is not known."""


def exif_of(main: Directory, details: Directory | None, gps: Directory | None) -> Image.Exif:
    """Return the metadata of three directories as Pillow's type. Values that are too long are left out."""
    exif = Image.Exif()
    add_tags(exif, main)
    for which, directory in ((ExifTags.IFD.Exif, details), (ExifTags.IFD.GPSInfo, gps)):
        if directory is not None:
            add_tags(exif.get_ifd(which), directory)
    return exif


def add_tags(target: "Image.Exif | dict[int, object]", directory: Directory) -> None:
    """Add the tags of a directory, except those about how pixels are stored, as long as they are not too many bytes."""
    left = MAX_TAGS_BYTES
    for tag in directory:
        start, end = directory.extent(tag)
        if tag not in _STRUCTURE and tag not in (EXIF_DIRECTORY, GPS_DIRECTORY) and end - start <= left:
            left -= end - start
            value = directory.value(tag)
            if value is not None:
                target[tag] = value
