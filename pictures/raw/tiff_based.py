"""RAW files with the structure of TIFF: DNG, CR2, NEF, ARW, ORF, RW2, PEF, SRW and others.

Sources: TIFF/EP (ISO 12234-2), the DNG specification 1.7, and the tables of tags of ExifTool.
"""

from typing import BinaryIO

from PIL import ExifTags

from pictures.raw.contents import (
    EXIF_DIRECTORY,
    GPS_DIRECTORY,
    IPTC,
    XMP,
    JpegPlace,
    RawContents,
    TiffPlace,
    exif_of,
)
from pictures.raw.directories import Directory, byte_order, read_directory, walk_directories
from pictures.raw.kinds import is_raw_head, tiff_format
from pictures.raw.sections import read_at

__all__ = ["read_tiff_based"]

NEW_SUBFILE_TYPE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, MAKE = 254, 256, 257, 259, 262, 271
STRIP_OFFSETS, STRIP_BYTES, JPEG_OFFSET, JPEG_BYTES = 273, 279, 513, 514
DNG_VERSION, DEFAULT_CROP_SIZE = 50706, 50720
TILE_OFFSETS, TILE_BYTES = 324, 325
RAW_OFFSET_OF_RW2, ISO_OF_RW2 = 280, 23
JPEG_OF_RW2, BORDERS_OF_RW2 = 46, (4, 5, 6, 7)
"""The borders of the picture on the sensor: top, left, bottom, right."""
EXIF_WIDTH, EXIF_HEIGHT = 40962, 40963

_SENSOR_DATA = frozenset({32803, 34892})
"""Photometric interpretations: a colour filter array, and its values with all colours of each pixel (LinearRaw)."""
_SENSOR_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713, 34892, 65000, 65535})
_PICTURES = frozenset({0, 1, 2, 6})
"""Photometric interpretations of pictures to look at: grey, RGB and YCbCr."""
_KINDS_OF_PICTURES = frozenset({0, 1, 0x10001})
"""NewSubfileType: a full picture, and two kinds of previews. Others are masks and depth maps."""
_SENSOR_DATA_FIRST = ("ORF", "RW2")
"""Formats whose first directory describes sensor data without saying so."""
_JPEG = frozenset({6, 7})
_REDUCED = 1
MAX_XMP = 1 << 20


def read_tiff_based(file: BinaryIO) -> RawContents | None:
    """Return the parts of a RAW file with the structure of TIFF; None if it is any other TIFF file."""
    head = read_at(file, 0, 16)
    order = byte_order(head)
    main = read_directory(file, order, int.from_bytes(head[4:8], "big" if order == ">" else "little"))
    if main is None:
        return None
    directories = list(walk_directories(file, order, main.place))
    if not is_raw_head(head) and not _is_raw(main, directories):
        return None
    details = read_directory(file, order, main.number(EXIF_DIRECTORY))
    gps = read_directory(file, order, main.number(GPS_DIRECTORY))
    make = main.value(MAKE)
    contents = RawContents(tiff_format(head, make if isinstance(make, str) else "", DNG_VERSION in main))
    contents.exif = exif_of(main, details, gps)
    if contents.format == "RW2" and ISO_OF_RW2 in main:
        contents.exif.get_ifd(ExifTags.IFD.Exif).setdefault(ExifTags.Base.ISOSpeedRatings, main.number(ISO_OF_RW2))
    contents.iptc = main.data(IPTC)
    contents.xmp = main.data(XMP, MAX_XMP)
    contents.width, contents.height = _full_size(contents.format, main, directories, details)
    signature = b"MM\0*" if order == ">" else b"II*\0"
    is_main_sensor = contents.format in _SENSOR_DATA_FIRST
    for directory in directories:
        _add_pictures(contents, directory, signature, main.place if is_main_sensor else 0)
    sensor = [each for each in directories if _is_sensor_data(each)] or [main] * is_main_sensor
    contents.sensor_end = max(map(_end_of_data, sensor), default=0)
    return contents


def _is_raw(main: Directory, directories: list[Directory]) -> bool:
    """Return whether there is sensor data, or the first picture is a small version of one in a subdirectory.

    The latter are files of scanners. In other TIFF files, subdirectories hold the smaller versions.
    """
    if DNG_VERSION in main or any(map(_is_sensor_data, directories)):
        return True
    is_reduced = bool(main.number(NEW_SUBFILE_TYPE) & _REDUCED)
    subdirectories = set(main.numbers(330))
    return is_reduced and any(_pixels(each) > _pixels(main) for each in directories if each.place in subdirectories)


def _is_sensor_data(directory: Directory) -> bool:
    return directory.number(PHOTOMETRIC) in _SENSOR_DATA or directory.number(COMPRESSION) in _SENSOR_COMPRESSIONS


def _pixels(directory: Directory) -> int:
    return directory.number(WIDTH) * directory.number(HEIGHT)


def _full_size(form: str, main: Directory, directories: list[Directory], details: Directory | None) -> tuple[int, int]:
    """Return the width and height of the full picture; (0, 0) if the file does not say."""
    if form == "RW2":
        top, left, bottom, right = (main.number(tag) for tag in BORDERS_OF_RW2)
        if right > left and bottom > top:
            return right - left, bottom - top
    sensor = [each for each in directories if _is_sensor_data(each) and _pixels(each)]
    sensor = sensor or [main] * (form in _SENSOR_DATA_FIRST)
    if sensor:
        largest = max(sensor, key=_pixels)
        crop = largest.numbers(DEFAULT_CROP_SIZE)
        if len(crop) == 2 and min(crop) > 0:
            return crop[0], crop[1]
        return largest.number(WIDTH), largest.number(HEIGHT)
    if details is not None and details.number(EXIF_WIDTH) and details.number(EXIF_HEIGHT):
        return details.number(EXIF_WIDTH), details.number(EXIF_HEIGHT)
    return 0, 0


def _end_of_data(directory: Directory) -> int:
    """Return where the last strip or tile of a directory ends."""
    if RAW_OFFSET_OF_RW2 in directory and JPEG_OF_RW2 in directory:
        return directory.number(RAW_OFFSET_OF_RW2) + directory.number(STRIP_BYTES)
    ends = [0]
    for offsets, sizes in ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES)):
        ends += map(sum, zip(directory.all_numbers(offsets), directory.all_numbers(sizes), strict=False))
    return max(ends)


def _add_pictures(contents: RawContents, directory: Directory, signature: bytes, sensor: int) -> None:
    """Add the pictures of a directory; the one at `sensor` describes sensor data even if its tags do not say it."""
    if JPEG_OF_RW2 in directory and contents.format == "RW2":
        contents.jpegs.append(JpegPlace(*directory.extent(JPEG_OF_RW2)))
    if (length := directory.number(JPEG_BYTES)) > 0:
        start = directory.number(JPEG_OFFSET)
        contents.jpegs.append(JpegPlace(start, start + length))
    is_picture = directory.number(PHOTOMETRIC, 2) in _PICTURES and not _is_sensor_data(directory)
    if not is_picture or directory.number(NEW_SUBFILE_TYPE) not in _KINDS_OF_PICTURES:
        return
    if directory.number(COMPRESSION) in _JPEG and directory.count(STRIP_OFFSETS) == 1:
        start = directory.number(STRIP_OFFSETS)
        contents.jpegs.append(JpegPlace(start, start + directory.number(STRIP_BYTES)))
    elif PHOTOMETRIC in directory and directory.place != sensor and _pixels(directory):
        place = TiffPlace(signature, directory.place, directory.number(WIDTH), directory.number(HEIGHT))
        contents.pictures.append(place)
