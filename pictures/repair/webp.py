"""Repair WebP files: leave out chunks without pixels, such as damaged metadata, and correct the size of the file.

Source: WebP Container Specification (Google, RFC 9649, section 2).
"""

import struct

from core.errors import PictureUndecodable
from pictures.repair.repaired import Repaired
from pictures.truncation import truncated

__all__ = ["repair_webp"]

_PIXELS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
_METADATA = {b"ICCP": "icc_profile", b"EXIF": "exif", b"XMP ": "xmp"}
_ALPHA, _ANIMATION = 0x10, 0x02
"""Flags of VP8X that concern pixels; the others announce metadata."""


def repair_webp(data: bytes) -> Repaired | None:
    """Repair a WebP (see `pictures.repair.repair`)."""
    if not (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        return None
    parts, info, place = list[bytes](), dict[str, bytes](), 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + length]
        if kind in _PIXELS:
            following = data[place + 8 + length + length % 2 :][:4]
            if len(following) == 4 and not following.isascii():
                raise PictureUndecodable("its pixels are damaged: their length is wrong")
            if len(body) < length:
                raise truncated(len(body) / length, "compressed pixels are there")
            parts.append(_chunk(kind, _without_metadata_flags(body) if kind == b"VP8X" else body))
        elif kind in _METADATA:  # what there is of it
            info.setdefault(_METADATA[kind], body)
        place += 8 + length + length % 2
    rebuilt = b"WEBP" + b"".join(parts)
    repaired = b"RIFF" + struct.pack("<I", len(rebuilt)) + rebuilt
    return None if repaired == data or not parts else Repaired(repaired, info)


def _without_metadata_flags(body: bytes) -> bytes:
    return bytes([body[0] & (_ALPHA | _ANIMATION)]) + body[1:] if body else body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
