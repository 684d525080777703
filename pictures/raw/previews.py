"""Find the largest picture inside a RAW file that can be read without decoding sensor data."""

from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from pictures.raw.contents import JpegPlace, RawContents, TiffPlace
from pictures.raw.sections import file_size, open_section, read_at
from pictures.tiff.reading import open_tiff

__all__ = ["LEAST_PREVIEW_SIDE", "find_exif", "find_preview", "is_cut"]

LEAST_PREVIEW_SIDE = 256
"""The shorter side of the smallest preview that stands for the picture, in pixels. Thumbnails have 120."""

LEAST_BITS_PER_PIXEL = 1
"""Sensor data takes 12 to 16 bits, compressed without loss about 8, with loss about 3."""

MAX_CANDIDATES = 64
"""JPEGs of one file that are looked at."""

MAX_SEARCHED_BYTES = 256 << 20
SEARCH_BLOCK_BYTES = 1 << 20
_JPEG_START = b"\xff\xd8\xff"


def find_preview(file: BinaryIO, contents: RawContents) -> ImageFile.ImageFile | None:
    """Return the largest usable preview, opened but not loaded.

    Previews that only the notes of the camera maker mention are found by searching the file for JPEGs.
    """
    size = file_size(file)
    best = _largest(_open_jpeg(file, place) for place in contents.jpegs[:MAX_CANDIDATES] if place.end <= size)
    best = _largest([best, *(_open_picture(file, place, best) for place in contents.pictures)])
    if best is None:
        best = _largest(_open_jpeg(file, place) for place in _search(file, size))
    return best


def find_exif(file: BinaryIO, contents: RawContents) -> Image.Exif:
    """Return the metadata of the first JPEG in the file, even of one that is cut; empty without one."""
    size = file_size(file)
    for place in contents.jpegs[:MAX_CANDIDATES]:
        if (image := _open_jpeg(file, JpegPlace(place.start, min(place.end, size)))) is not None:
            return image.getexif()
    return Image.Exif()


def is_cut(file: BinaryIO, contents: RawContents) -> bool:
    """Return whether a preview or sensor data lies beyond the end of the file, or there is too little of it."""
    size = file_size(file)
    is_too_small = 8 * size < contents.width * contents.height * LEAST_BITS_PER_PIXEL
    return is_too_small or contents.sensor_end > size or any(place.end > size for place in contents.jpegs)


def _largest(
    previews: "Iterator[ImageFile.ImageFile | None] | list[ImageFile.ImageFile | None]",
) -> ImageFile.ImageFile | None:
    """Return the largest of those that are not too small, the first of equals."""
    usable = [each for each in previews if each is not None and min(each.size) >= LEAST_PREVIEW_SIDE]
    return max(usable, key=lambda each: each.width * each.height, default=None)


def _open_jpeg(file: BinaryIO, place: JpegPlace) -> ImageFile.ImageFile | None:
    if read_at(file, place.start, len(_JPEG_START)) != _JPEG_START:
        return None
    try:
        return JpegImageFile(open_section(file, place.start, place.end), "")
    except Exception:  # Pillow raises errors of nearly any type on broken bytes; sensor data can be lossless JPEG
        return None


def _open_picture(file: BinaryIO, place: TiffPlace, best: ImageFile.ImageFile | None) -> ImageFile.ImageFile | None:
    """Open a picture that is stored as in a TIFF file, if it is larger than `best`."""
    if best is not None and place.width * place.height <= best.width * best.height:
        return None
    order = "big" if place.signature.startswith(b"MM") else "little"
    head = place.signature + place.directory.to_bytes(4, order)  # type: ignore[arg-type]
    try:
        return open_tiff(open_section(file, 0, file_size(file), head))
    except Exception:
        return None


def _search(file: BinaryIO, size: int) -> Iterator[JpegPlace]:
    """Yield the places where a JPEG seems to begin."""
    found, tail = 0, b""
    for start in range(0, min(size, MAX_SEARCHED_BYTES), SEARCH_BLOCK_BYTES):
        block = tail + read_at(file, start, SEARCH_BLOCK_BYTES)
        place = -1
        while (place := block.find(_JPEG_START, place + 1)) >= 0:
            yield JpegPlace(start - len(tail) + place, size)
            found += 1
            if found == MAX_CANDIDATES:
                return
        tail = block[-2:]
