"""Metadata that a PNG keeps after its pixels, found without decoding these (PNG, third edition, chunks eXIf, iTXt)."""

import struct
import zlib
from typing import Any, BinaryIO

from pictures.xmp import LARGEST_XMP

__all__ = ["add_late_chunks"]

_LARGEST_CHUNK = LARGEST_XMP
"""Bytes of a chunk that is read; compressed text may grow to as many."""

_XMP_KEYWORD = b"XML:com.adobe.xmp"


def add_late_chunks(file: BinaryIO, info: dict[Any, Any]) -> None:
    """Puts EXIF and XMP into `info`, under the names that Pillow uses, unless they are there."""
    file.seek(8)  # the signature
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        wanted = kind in (b"eXIf", b"iTXt") and length <= _LARGEST_CHUNK
        data = file.read(length) if wanted else b""
        file.seek(length - len(data) + 4, 1)  # what was not read, and the checksum
        if kind == b"eXIf" and data:
            info.setdefault("exif", b"Exif\0\0" + data)
        elif (packet := _xmp(data)) is not None:
            info.setdefault("xmp", packet)


def _xmp(chunk: bytes) -> bytes | None:
    """The text of an iTXt chunk if it is XMP."""
    keyword, _, rest = chunk.partition(b"\0")
    if keyword != _XMP_KEYWORD or len(rest) < 2:
        return None
    compressed, text = rest[0], rest[2:].split(b"\0", 2)[-1]
    if not compressed:
        return text
    try:
        return zlib.decompressobj().decompress(text, _LARGEST_CHUNK)
    except zlib.error:
        return None
