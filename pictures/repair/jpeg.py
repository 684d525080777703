"""Repair JPEG files: leave out segments that cannot be read, and add an end that is missing.

Source: ITU-T T.81, annex B. Whether all rows are there is found by decoding: bits that follow the last one of a whole
picture change nothing, and those that follow a cut are decoded as pixels.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from PIL import Image, ImageChops, ImageFile, JpegImagePlugin

from core.errors import PictureUndecodable
from pictures.repair.repaired import Repaired
from pictures.truncation import truncated

__all__ = ["JPEG_FORMATS", "lacks_end", "repair_jpeg", "require_rows"]

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN, _FRAMES = 0xDA, frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
_APPLICATION, _COMMENT = range(0xE0, 0xF0), 0xFE
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_SEGMENTS = frozenset({_SCAN, _COMMENT, *_FRAMES, *_TABLES, *_APPLICATION})

_AFTER_PIXELS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker that ends compressed pixels: no stuffed byte, and no restart marker. More bytes 0xFF can precede it."""

_FILLERS = (b"", b"\x55" * 512, bytes(number * 73 % 251 for number in range(512)))
"""What follows a cut in the decodings that are compared. Without any, libjpeg assumes zeros."""

JPEG_FORMATS = frozenset({"JPEG", "MPO"})
"""Names that Pillow has for JPEG files. An MPO has further pictures after the first."""

_MID_GREY = (127, 128)
"""Values of a pixel whose coefficients are missing: 128, or 127 where a component is inverted (CMYK)."""

_KEPT_ZEROS = 2
"""Zeros at the end that may be pixels; more than these were written by a file system, not by an encoder."""

_COEFFICIENTS = 64
_MAX_SEGMENTS = 20_000


@dataclass
class _Parsed:
    """Segments that are needed to decode a JPEG, and how much of its scans is there."""

    parts: list[bytes] = field(default_factory=lambda: [_START])
    has_end: bool = False
    height: int = 0
    components: tuple[int, ...] = ()
    is_progressive: bool = False
    scans: list["_Scan"] = field(default_factory=list)


@dataclass(frozen=True)
class _Scan:
    components: tuple[int, ...]
    first: int
    last: int
    """The first and the last of its coefficients."""
    is_refinement: bool


def repair_jpeg(data: bytes, max_pixels: int) -> Repaired | None:
    """Repair a JPEG (see `pictures.repair.repair`)."""
    if not data.startswith(_START):
        return None
    parsed = _parse(data)
    if not parsed.scans:
        raise truncated(0)
    if not parsed.has_end:
        parsed.parts[-1] = _without_padding(parsed.parts[-1])
        _require_rows(parsed, max_pixels)
    rebuilt = b"".join([*parsed.parts, _END])
    return None if rebuilt == data else Repaired(rebuilt)


def require_rows(image: ImageFile.ImageFile, file: IO[bytes], max_pixels: int) -> None:
    """Raise `PictureUndecodable` if rows of a loaded JPEG are missing although it has an end.

    libjpeg takes missing coefficients for zeros, so that the last pixel is mid grey where rows are missing. Only
    progressive files and those with such a pixel are read from `file` and looked at further.
    """
    last = image.getpixel((image.width - 1, image.height - 1))
    is_grey = all(value in _MID_GREY for value in (last if isinstance(last, tuple) else (last,)))
    if not is_grey and "progressive" not in image.info:
        return
    file.seek(0)
    parsed = _parse(file.read())
    if is_grey or _missing(parsed, parsed.scans):
        _require_rows(parsed, max_pixels)


def lacks_end(file: BinaryIO) -> bool:
    """Return whether a JPEG has no end after its pixels. libjpeg takes zeros that a file system added for pixels.

    The position of `file` is kept. Only a file that does not end with its end is read.
    """
    place = file.tell()
    try:
        file.seek(-len(_END), io.SEEK_END)
        if file.read() == _END:
            return False
        file.seek(0)
        return not _parse(file.read()).has_end
    finally:
        file.seek(place)


def _parse(data: bytes) -> _Parsed:
    parsed, place = _Parsed(), len(_START)
    while (found := _next_segment(data, place)) is not None and len(parsed.parts) < _MAX_SEGMENTS:
        if parsed.scans and data[place : found[1] - 1].strip(b"\xff"):
            break  # garbage after pixels may contain anything
        marker, place = found
        if marker == _END[1]:
            parsed.has_end = True
            break
        length = int.from_bytes(data[place : place + 2])
        body = data[place + 2 : place + length]
        place += length
        segment = b"\xff" + bytes([marker]) + length.to_bytes(2) + body
        if marker == _SCAN:
            pixels_end = _pixels_end(data, place)
            parsed.scans.append(_scan(body))
            parsed.parts += [segment, data[place:pixels_end]]
            place = pixels_end
        elif marker in _TABLES or _is_sound(marker, body):
            parsed.parts.append(segment)
        if marker in _FRAMES and len(body) >= 6:
            parsed.height = int.from_bytes(body[1:3])
            parsed.components = tuple(body[6::3])
            parsed.is_progressive = marker in _PROGRESSIVE
    return parsed


def _pixels_end(data: bytes, start: int) -> int:
    """Return where the compressed pixels from `start` on end: before the next marker, or at the end of the data."""
    marker = _AFTER_PIXELS.search(data, start)
    end = marker.start() if marker else len(data)
    while marker and end > start and data[end - 1] == 0xFF:
        end -= 1
    return end


def _next_segment(data: bytes, place: int) -> tuple[int, int] | None:
    """Return the next marker from `place` on and where its length is, or None at the end. Garbage is skipped."""
    while (place := data.find(b"\xff", place)) >= 0 and place + 1 < len(data):
        marker = data[place + 1]
        if marker == _END[1]:
            return marker, place + 2
        length = int.from_bytes(data[place + 2 : place + 4])
        if marker in _SEGMENTS and length >= 2 and place + 2 + length <= len(data):
            return marker, place + 2
        place += 1
    return None


def _is_sound(marker: int, body: bytes) -> bool:
    """Return whether Pillow can read a segment without tables."""
    if marker == 0xE0 and body.startswith(b"JFIF"):
        return len(body) >= 14
    if marker == 0xE1 and body.startswith(b"Exif\0\0"):
        return _is_readable_exif(body)
    if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
        return len(body) > 14
    if marker == 0xED and body.startswith(b"Photoshop 3.0\0"):
        return body[14:18] == b"8BIM" and len(body) > 26
    if marker == 0xEE and body.startswith(b"Adobe"):
        return len(body) >= 12
    return not (marker == 0xE2 and body.startswith(b"MPF\0"))  # other pictures of the file


def _is_readable_exif(body: bytes) -> bool:
    try:
        exif = Image.Exif()
        exif.load(body)
        exif.get(0x011A)
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        return False
    return True


def _scan(body: bytes) -> _Scan:
    number = body[0] if body else 0
    first, last, bits = (*body[1 + 2 * number : 4 + 2 * number], 0, 0, 0)[:3]
    return _Scan(tuple(body[1 : 1 + 2 * number : 2]), first, last, is_refinement=bits >> 4 > 0)


def _without_padding(pixels: bytes) -> bytes:
    """Return the pixels before the zeros that a file system added, and without the beginning of a cut marker."""
    bare = pixels.rstrip(b"\0")
    return (bare + pixels[len(bare) :][:_KEPT_ZEROS]).rstrip(b"\xff")


def _require_rows(parsed: _Parsed, max_pixels: int) -> None:
    """Raise `PictureUndecodable` unless all rows are there.

    Rows of a progressive picture are there once all its scans but refinements are: these add one bit to each
    coefficient, which is less than the compression of most pictures takes away.
    """
    *whole, last = parsed.scans
    if parsed.is_progressive and last.is_refinement and not _missing(parsed, whole):
        return
    share = _share_of_rows(parsed, max_pixels)
    if share == 1 and (parsed.has_end or not _missing(parsed, parsed.scans)):
        return
    if not whole:
        raise truncated(min(share, 0.99))
    raise PictureUndecodable(
        f"truncated: all of its rows are there, but not their {'details' if parsed.is_progressive else 'colours'}"
    )


def _missing(parsed: _Parsed, scans: list[_Scan]) -> bool:
    """Return whether a component has coefficients that are in none of `scans`."""
    return any(
        not all(_is_in(scans, component, coefficient) for coefficient in range(_COEFFICIENTS))
        for component in parsed.components
    )


def _is_in(scans: list[_Scan], component: int, coefficient: int) -> bool:
    return any(component in scan.components and scan.first <= coefficient <= scan.last for scan in scans)


def _share_of_rows(parsed: _Parsed, max_pixels: int) -> float:
    """Return the share of the rows that do not depend on what follows the data, 0..1."""
    decodings = _decodings(b"".join(parsed.parts), max_pixels)
    first = next(decodings)
    rows = first.height
    for other in decodings:
        box = ImageChops.difference(first, other).getbbox(alpha_only=False)
        rows = min(rows, box[1] if box else rows)
    return rows / first.height


def _decodings(data: bytes, max_pixels: int) -> Iterator[Image.Image]:
    for filler in _FILLERS:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(data + filler + _END), "")
        if image.width * image.height > max_pixels:
            raise truncated(0)
        image.load()
        yield image
