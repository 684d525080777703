"""Boxes of ISO media files (ISO/IEC 14496-12, section 4.2): AVIF, HEIF and JPEG 2000 consist of them."""

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

__all__ = ["MediaBox", "boxes_in", "find_box", "top_level_boxes"]

MAX_TOP_LEVEL_BOXES = 100


class MediaBox(NamedTuple):
    """A box of some data: its type, and where it, its content and what follows it begin."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes_in(data: bytes, start: int, end: int) -> Iterator[MediaBox]:
    """Yield the boxes between `start` and `end`, up to the first one that is damaged."""
    while start + 8 <= end:
        length, kind, header = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], 8
        if length == 1:
            length, header = int.from_bytes(data[start + 8 : start + 16]), 16
        elif length == 0:  # up to the end of the file
            length = end - start
        if length < header or start + length > end:
            return
        yield MediaBox(kind, start, start + header, start + length)
        start += length


def find_box(data: bytes, kind: bytes, start: int, end: int) -> MediaBox | None:
    """Return the first box of a type between `start` and `end`, or None."""
    return next((box for box in boxes_in(data, start, end) if box.kind == kind), None)


def top_level_boxes(file: BinaryIO) -> Iterator[MediaBox]:
    """Yield the boxes of a file without reading their contents; the last may be cut. The position is changed."""
    place, size = 0, file.seek(0, os.SEEK_END)
    for _ in range(MAX_TOP_LEVEL_BOXES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        length, header = int.from_bytes(head[:4]), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16]), 16
        end = place + length if length else size
        if end < place + header:
            return
        yield MediaBox(head[4:8], place, place + header, end)
        place = end
