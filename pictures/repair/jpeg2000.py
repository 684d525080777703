"""Repair JPEG 2000 files: leave out boxes that carry no pixels.

Source: ISO/IEC 15444-1, annex I.
"""

from pictures.boxes import boxes_in
from pictures.repair.repaired import Repaired

__all__ = ["repair_jpeg2000"]

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_NEEDED = frozenset({b"ftyp", b"jp2h", b"jp2c"})
_NEEDED_IN_HEADER = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})


def repair_jpeg2000(data: bytes) -> Repaired | None:
    """Repair a JPEG 2000 (see `pictures.repair.repair`)."""
    if not data.startswith(_SIGNATURE):
        return None
    parts = [_SIGNATURE]
    for box in boxes_in(data, len(_SIGNATURE), len(data)):
        if box.kind == b"jp2h":
            inner = [
                data[part.start : part.end]
                for part in boxes_in(data, box.body, box.end)
                if part.kind in _NEEDED_IN_HEADER
            ]
            parts.append(_box(b"jp2h", b"".join(inner)))
        elif box.kind in _NEEDED:
            parts.append(_box(box.kind, data[box.body : box.end]))
    rebuilt = b"".join(parts)
    return None if rebuilt == data else Repaired(rebuilt)


def _box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4) + kind + body
