"""Repair TIFF files: leave out the tags of the first page that carry no pixels and cannot be read.

Source: TIFF 6.0, section 2. A new directory is written at the end of the file; nothing else is moved.
"""

import io
import struct

from PIL import TiffImagePlugin

from core.errors import PictureUndecodable
from pictures.repair.repaired import Repaired
from pictures.tiff.layout import SampleLayout
from pictures.truncation import truncated

__all__ = ["repair_tiff"]

_PIXEL_TAGS = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 280, 281, 284, 292, 293, 317, 320, 322, 323, 324}
    | {325, 332, 338, 339, 340, 341, 347, 529, 530, 531, 532}
)
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


def repair_tiff(data: bytes, max_pixels: int) -> Repaired | None:
    """Repair a TIFF (see `pictures.repair.repair`)."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 14 or len(data) >= 1 << 32:
        return None
    (directory,) = struct.unpack_from(order + "I", data, 4)
    if directory + 2 > len(data):
        raise PictureUndecodable("truncated: the directory of its pixels is missing")
    (number,) = struct.unpack_from(order + "H", data, directory)
    entries = [data[place : place + 12] for place in range(directory + 2, directory + 2 + 12 * number, 12)]
    if any(len(entry) < 12 or _is_lost(entry, order, len(data)) for entry in entries):
        raise PictureUndecodable("truncated: a part of the directory of its pixels is missing")
    kept = [entry for entry in entries if _tag(entry, order) in _PIXEL_TAGS]
    kept.sort(key=lambda entry: _tag(entry, order))
    if kept == entries or not kept:
        _require_blocks(data, max_pixels)
        return None
    padding = b"\0" * (len(data) % 2)
    body = struct.pack(order + "H", len(kept)) + b"".join(kept) + bytes(4)
    place = struct.pack(order + "I", len(data) + len(padding))
    return Repaired(data[:4] + place + data[8:] + padding + body)


def _require_blocks(data: bytes, max_pixels: int) -> None:
    """Raise `PictureUndecodable` if strips or tiles are missing."""
    file = io.BytesIO(data)
    directory = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(directory.next)
    directory.load(file)
    layout = SampleLayout.of(directory)
    counts = layout.byte_counts
    if not counts or len(counts) > max_pixels:
        return
    whole = sum(start + count <= len(data) for start, count in zip(layout.offsets, counts, strict=False))
    if whole < len(counts):
        raise truncated(whole / len(counts), "strips or tiles are there")


def _tag(entry: bytes, order: str) -> int:
    return int(struct.unpack(order + "H", entry[:2])[0])


def _is_lost(entry: bytes, order: str, file_bytes: int) -> bool:
    """Return whether an entry is needed for pixels, but its values are not in the file."""
    tag, kind, count, offset = struct.unpack(order + "HHII", entry)
    size = _TYPE_BYTES.get(kind, 0) * count
    return tag in _PIXEL_TAGS and (not size or (size > 4 and offset + size > file_bytes))
