"""Find the code points of a file's colour: the cICP chunk of a PNG, or the nclx box of an AVIF or HEIF.

Source: Portable Network Graphics, third edition, section 11.3.2.6; ISO/IEC 23008-12, sections 6.5.5 (colr) and 9.3
(associations of properties with items).
"""

import struct
import zlib
from typing import BinaryIO

from pictures.boxes import MediaBox, boxes_in, find_box
from pictures.color.color_space import CodePoints

__all__ = ["nclx_code_points", "png_code_points"]

_MAX_META_BYTES = 1 << 20


def png_code_points(file: BinaryIO) -> CodePoints | None:
    """Return the code points of a PNG, or None. The position of `file` is changed."""
    file.seek(8)  # the signature
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"cICP" and length == 4:
            data, checksum = file.read(4), file.read(4)
            if zlib.crc32(kind + data) != int.from_bytes(checksum):
                return None
            return CodePoints(data[0], data[1], outrank_profile=True)
        if kind in (b"IDAT", b"IEND"):
            return None
        file.seek(length + 4, 1)
    return None


def nclx_code_points(file: BinaryIO) -> CodePoints | None:
    """Return the code points of the main picture of an AVIF or HEIF, or None. The position of `file` is changed."""
    file.seek(0)
    data = file.read(_MAX_META_BYTES)
    meta = find_box(data, b"meta", 0, len(data))
    properties = meta and find_box(data, b"iprp", meta.body + 4, meta.end)
    container = properties and find_box(data, b"ipco", properties.body, properties.end)
    if meta is None or properties is None or container is None:
        return None
    used = _properties_of_main_picture(data, meta, properties)
    for number, box in enumerate(boxes_in(data, container.body, container.end), 1):
        is_nclx = box.kind == b"colr" and data[box.body : box.body + 4] == b"nclx" and box.end - box.body >= 8
        if is_nclx and (number in used or not used):
            primaries, transfer = struct.unpack_from(">HH", data, box.body + 4)
            return CodePoints(primaries, transfer)
    return None


def _properties_of_main_picture(data: bytes, meta: MediaBox, properties: MediaBox) -> set[int]:
    """Return the numbers of the properties of the main item; none if that cannot be found."""
    main = find_box(data, b"pitm", meta.body + 4, meta.end)
    associations = find_box(data, b"ipma", properties.body, properties.end)
    if main is None or associations is None:
        return set()
    wanted = int.from_bytes(data[main.body + 4 : main.body + (6 if data[main.body] == 0 else 8)])
    id_bytes = 2 if data[associations.body] < 1 else 4
    index_bytes = 2 if data[associations.body + 3] & 1 else 1
    place = associations.body + 8
    while place + id_bytes < associations.end:
        item, number = int.from_bytes(data[place : place + id_bytes]), data[place + id_bytes]
        place += id_bytes + 1
        indices = [
            data[start : start + index_bytes] for start in range(place, place + number * index_bytes, index_bytes)
        ]
        if item == wanted:  # the highest bit says that a property is essential
            return {int.from_bytes(index) & (1 << (8 * index_bytes - 1)) - 1 for index in indices}
        place += number * index_bytes
    return set()
