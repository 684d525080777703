"""Read a file's metadata from all the places that formats keep it in: EXIF, XMP and IPTC.

EXIF and XMP have parsers of their own (`pictures.exif`, `pictures.xmp`). This module finds their blocks in a file,
including those that a PNG stores after its pixels, reads IPTC, and merges the three.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, BinaryIO

from PIL import Image, ImageFile, IptcImagePlugin

from core.errors import PictureUndecodable
from core.metadata import (
    MAX_DESCRIPTION_LENGTH,
    MAX_KEYWORDS,
    MAX_TITLE_LENGTH,
    PhotoMetadata,
    merge_metadata,
)
from pictures.exif import read_exif
from pictures.xmp import MAX_XMP_BYTES, read_xmp

__all__ = ["add_late_chunks", "read_iptc", "read_metadata"]

_MAX_CHUNK_BYTES = MAX_XMP_BYTES
"""Limit on a PNG chunk that is read, and on what its compressed text may expand to."""

_XMP_KEYWORD = b"XML:com.adobe.xmp"

_CHARACTER_SET, _TITLE, _KEYWORDS, _CAPTION = (1, 90), (2, 5), (2, 25), (2, 120)
"""Record and data set numbers of the IPTC Information Interchange Model 4.2."""

_UTF8 = b"\x1b%G"
"""ISO 2022's escape sequence for UTF-8; the only other one in the wild is that of Latin-1."""


def read_metadata(image: ImageFile.ImageFile) -> PhotoMetadata:
    """Return the metadata of the opened file `image`. Never raises: damaged metadata must not lose the picture.

    For a PNG, only chunks that are in `image.info` already are read. Chunks after the pixels appear there when the
    image is loaded, or with `add_late_chunks`.
    """
    return merge_metadata(_xmp(image), read_iptc(image), read_exif(_exif(image)))


def read_iptc(image: ImageFile.ImageFile) -> PhotoMetadata:
    """Return the metadata in the IPTC block of a JPEG or TIFF. Never raises: damaged entries are skipped."""
    try:
        entries = IptcImagePlugin.getiptcinfo(image) or {}
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        return PhotoMetadata()
    declared_utf8 = _UTF8 in b"".join(_iptc_values(entries.get(_CHARACTER_SET)))

    def texts(data_set: tuple[int, int]) -> list[str]:
        values = _iptc_values(entries.get(data_set))
        return [text for value in values if (text := _iptc_text(value, declared_utf8))]

    return PhotoMetadata(
        keywords=tuple(dict.fromkeys(texts(_KEYWORDS)))[:MAX_KEYWORDS],
        title=next(iter(texts(_TITLE)), "")[:MAX_TITLE_LENGTH] or None,
        description=next(iter(texts(_CAPTION)), "")[:MAX_DESCRIPTION_LENGTH] or None,
    )


def add_late_chunks(file: BinaryIO, info: dict[Any, Any]) -> None:
    """Add a PNG's EXIF and XMP chunks to `info`, under Pillow's names, unless present. No pixels are decoded.

    See Portable Network Graphics, third edition, chunks eXIf and iTXt.
    """
    file.seek(8)  # the signature
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        relevant = kind in (b"eXIf", b"iTXt") and length <= _MAX_CHUNK_BYTES
        data = file.read(length) if relevant else b""
        file.seek(length - len(data) + 4, 1)  # the part that was not read, and the checksum
        if kind == b"eXIf" and data:
            info.setdefault("exif", b"Exif\0\0" + data)
        elif (packet := _xmp_packet(data)) is not None:
            info.setdefault("xmp", packet)


def _exif(image: Image.Image) -> Image.Exif:
    try:
        # For a PNG, Pillow would decode the pixels to look for chunks after them.
        return Image.Image.getexif(image) if image.format == "PNG" else image.getexif()
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        return Image.Exif()


def _xmp(image: ImageFile.ImageFile) -> PhotoMetadata:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if not isinstance(data, bytes):
        return PhotoMetadata()
    try:
        return read_xmp(data)
    except PictureUndecodable:
        return PhotoMetadata()


def _xmp_packet(chunk: bytes) -> bytes | None:
    """Return the text of an iTXt chunk if it is XMP."""
    keyword, _, rest = chunk.partition(b"\0")
    if keyword != _XMP_KEYWORD or len(rest) < 2:
        return None
    compressed, text = rest[0], rest[2:].split(b"\0", 2)[-1]
    if not compressed:
        return text
    try:
        return zlib.decompressobj().decompress(text, _MAX_CHUNK_BYTES)
    except zlib.error:
        return None


def _iptc_values(value: object) -> Sequence[bytes]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, bytes)]


def _iptc_text(value: bytes, declared_utf8: bool) -> str:
    """Decode `value`. Without a declared character set, try UTF-8 first: Latin-1 text is hardly ever valid UTF-8."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8" if declared_utf8 else "latin-1", "replace")
    return text.replace("\0", " ").strip()
