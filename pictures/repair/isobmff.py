"""Repair AVIF and HEIF files: make decoders pass over the items that are metadata, and over boxes without pixels.

Source: ISO/IEC 14496-12 (boxes) and ISO/IEC 23008-12 (items). Nothing is moved, so that the offsets stay right.
"""

from pictures.boxes import MediaBox, boxes_in, find_box
from pictures.repair.repaired import Repaired

__all__ = ["repair_isobmff"]

_NEEDED = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free"})
_METADATA_ITEMS = (b"Exif", b"mime")


def repair_isobmff(data: bytes) -> Repaired | None:
    """Repair an AVIF or HEIF (see `pictures.repair.repair`)."""
    if data[4:8] != b"ftyp":
        return None
    repaired, end = bytearray(data), 0
    for box in boxes_in(data, 0, len(data)):
        end = box.end
        if box.kind not in _NEEDED:
            repaired[box.start + 4 : box.start + 8] = b"free"
    if 0 < end < len(data):  # what follows is no box
        del repaired[end:]
    if (meta := find_box(data, b"meta", 0, len(data))) is not None:
        _pass_over_metadata(repaired, data, meta)
        _drop_profiles(repaired, data, meta)
    return None if repaired == data else Repaired(bytes(repaired))


def _pass_over_metadata(repaired: bytearray, data: bytes, meta: MediaBox) -> None:
    """Give items of metadata a type that decoders do not know."""
    items = find_box(data, b"iinf", meta.body + 4, meta.end)
    if items is None:
        return
    count_bytes = 2 if data[items.body] == 0 else 4
    for entry in boxes_in(data, items.body + 4 + count_bytes, items.end):
        kind = entry.body + 4 + (4 if data[entry.body] < 3 else 6)  # after the ID and the protection index
        if entry.kind == b"infe" and data[kind : kind + 4] in _METADATA_ITEMS:
            repaired[kind : kind + 4] = b"skip"


def _drop_profiles(repaired: bytearray, data: bytes, meta: MediaBox) -> None:
    """Pass over colour profiles that are longer than their boxes."""
    properties = find_box(data, b"iprp", meta.body + 4, meta.end)
    container = properties and find_box(data, b"ipco", properties.body, properties.end)
    for box in boxes_in(data, container.body, container.end) if container else ():
        profile = data[box.body + 4 : box.end]
        is_profile = box.kind == b"colr" and data[box.body : box.body + 4] in (b"prof", b"rICC")
        if is_profile and int.from_bytes(profile[:4]) != len(profile):
            repaired[box.start + 4 : box.start + 8] = b"free"
