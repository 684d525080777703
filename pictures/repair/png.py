"""Repair PNG files: leave out ancillary chunks that cannot be read, and complete a stream of pixels without its end.

Source: Portable Network Graphics, third edition (W3C), sections 5 and 11. Critical chunks stay as they are.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import PictureUndecodable
from pictures.repair.repaired import Repaired
from pictures.truncation import truncated

__all__ = ["MAX_EXPANDED_BYTES", "expand", "repair_png"]

MAX_EXPANDED_BYTES = 1 << 24
"""Limit on what compressed metadata may expand to. Pillow refuses files with more than 1 MiB."""

_MAX_PILLOW_TEXT = 1 << 20
_MAX_TEXTS_BYTES = 1 << 25
"""Bytes of all texts that are kept. Pillow refuses files with 64 MiB."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KIND = re.compile(rb"[A-Za-z]{4}")
_NEXT = re.compile(rb"IDAT|IEND|PLTE")
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
_FIXED_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"acTL": 8, b"fcTL": 26, b"cICP": 4}
_TRANSPARENCY_LENGTHS = {0: 2, 2: 6}
"""Length of tRNS by colour type: one grey, or one colour."""

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row and steps of the seven passes of an interlaced picture."""

_BLOCK = 1 << 14

_MAX_LOST = 100
"""Chunks with a wrong length after which nothing more is read: each of them may reach to the end of the file."""


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    data: bytes
    checksum: bytes

    @property
    def is_critical(self) -> bool:
        return not self.kind[0] & 0x20

    @property
    def is_intact(self) -> bool:
        return zlib.crc32(self.data, zlib.crc32(self.kind)) == int.from_bytes(self.checksum) and len(self.checksum) == 4

    def __bytes__(self) -> bytes:
        return struct.pack(">I4s", len(self.data), self.kind) + self.data + self.checksum


def repair_png(data: bytes, max_pixels: int) -> Repaired | None:
    """Repair a PNG (see `pictures.repair.repair`)."""
    chunks = list(_chunks(data)) if data.startswith(_SIGNATURE) else []
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].data) < 13:
        return None
    header, info = chunks[0].data, dict[str, Any]()
    kept, texts_bytes, seen = list[_Chunk](), 0, set[str]()
    for chunk in chunks:
        if chunk.is_critical:
            kept.append(chunk)
        elif chunk.is_intact:
            if (kind := _large_kind(chunk)) is not None and kind not in seen:  # expanding costs memory: once for each
                seen.add(kind)
                _keep_large(chunk, info)
            texts_bytes += _text_bytes(chunk)
            if _is_readable(chunk, header) and texts_bytes <= _MAX_TEXTS_BYTES:
                kept.append(chunk)
    if not _animation_is_sound(chunks, kept):
        kept = [chunk for chunk in kept if chunk.kind not in _ANIMATION]
    kept = _with_whole_pixels(kept, header, max_pixels)
    rebuilt = _SIGNATURE + b"".join(map(bytes, kept))
    return None if rebuilt == data else Repaired(rebuilt, info)


def expand(data: bytes, limit: int = MAX_EXPANDED_BYTES) -> bytes | None:
    """Decompress zlib data. Returns None if it is damaged, or larger than `limit`."""
    stream = zlib.decompressobj()
    try:
        expanded = stream.decompress(data, limit)
        more = stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error:
        return None
    return expanded if stream.eof or not more else None


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to IEND or the end of the data; the last one may be cut. Garbage in between is skipped."""
    place, lost = len(_SIGNATURE), 0
    while place + 8 <= len(data) and lost < _MAX_LOST:
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + length
        if not _KIND.fullmatch(kind) or (end > len(data) and kind != b"IDAT"):
            following = _NEXT.search(data, place + 5)
            if following is None:
                return
            place = following.start() - 4
            continue
        chunk = _Chunk(kind, data[place + 8 : end], data[end : end + 4])
        is_lost = not (chunk.is_critical or chunk.is_intact) and not _KIND.fullmatch(data[end + 8 : end + 12])
        if is_lost and (following := _NEXT.search(data, place + 8)) is not None:  # its length is wrong
            place, lost = following.start() - 4, lost + 1
            continue
        yield chunk
        if kind == b"IEND":
            return
        place = end + 4


def _large_kind(chunk: _Chunk) -> str | None:
    """Return Pillow's name for the contents of a chunk that may be larger than Pillow reads, or None."""
    if chunk.kind == b"iCCP":
        return "icc_profile"
    return "xmp" if chunk.kind == b"iTXt" and chunk.data.startswith(b"XML:com.adobe.xmp\0\1\0") else None


def _keep_large(chunk: _Chunk, info: dict[str, Any]) -> None:
    """Add a profile or XMP that is too large for Pillow to `info`."""
    kind = _large_kind(chunk)
    if kind == "icc_profile":
        expanded = expand(chunk.data.partition(b"\0")[2][1:])
    else:
        expanded = expand(chunk.data.split(b"\0", 2)[2][1:].split(b"\0", 2)[-1])
    if kind is not None and expanded is not None and len(expanded) > _MAX_PILLOW_TEXT:
        info[kind] = expanded


def _text_bytes(chunk: _Chunk) -> int:
    """Return how much a text adds to those that Pillow keeps; a compressed one counts as much as it may expand to."""
    if chunk.kind == b"tEXt":
        return len(chunk.data)
    return _MAX_PILLOW_TEXT if chunk.kind in (b"zTXt", b"iTXt") else 0


def _is_readable(chunk: _Chunk, header: bytes) -> bool:
    """Return whether Pillow can read an ancillary chunk with a right checksum."""
    if (length := _FIXED_LENGTHS.get(chunk.kind)) is not None:
        return len(chunk.data) == length
    if chunk.kind == b"tRNS":
        return len(chunk.data) == _TRANSPARENCY_LENGTHS.get(header[9], len(chunk.data))
    if chunk.kind in (b"iCCP", b"zTXt"):
        method, compressed = chunk.data.partition(b"\0")[2][:1], chunk.data.partition(b"\0")[2][1:]
        return method == b"\0" and expand(compressed, _MAX_PILLOW_TEXT) is not None
    if chunk.kind == b"iTXt":
        flags, rest = chunk.data.partition(b"\0")[2][:2], chunk.data.partition(b"\0")[2][2:]
        return flags[:1] == b"\0" or expand(rest.split(b"\0", 2)[-1], _MAX_PILLOW_TEXT) is not None
    return True


def _animation_is_sound(chunks: list[_Chunk], kept: list[_Chunk]) -> bool:
    """Return whether no chunk of an animation had to be left out, and their sequence numbers and frames are right."""
    animation = [chunk for chunk in kept if chunk.kind in _ANIMATION]
    if len(animation) < sum(chunk.kind in _ANIMATION for chunk in chunks):
        return False
    if not animation:
        return True
    frames = [chunk.kind for chunk in animation if chunk.kind != b"acTL"]
    declared = next((chunk.data[:4] for chunk in animation if chunk.kind == b"acTL"), b"")
    if frames[:1] != [b"fcTL"] or frames.count(b"fcTL") != int.from_bytes(declared):
        return False
    width, height = struct.unpack_from(">II", chunks[0].data)
    for number, chunk in enumerate(chunk for chunk in animation if chunk.kind != b"acTL"):
        if int.from_bytes(chunk.data[:4]) != number or len(chunk.data) < 4:
            return False
        if chunk.kind == b"fcTL":
            frame_width, frame_height, left, top = struct.unpack_from(">IIII", chunk.data, 4)
            if left + frame_width > width or top + frame_height > height:
                return False
    return True


def _with_whole_pixels(chunks: list[_Chunk], header: bytes, max_pixels: int) -> list[_Chunk]:
    """Return `chunks` with complete pixels and an end. Raises `PictureUndecodable` if rows are missing."""
    if chunks[-1].kind != b"IEND":
        chunks = [*chunks, _chunk(b"IEND", b"")]
    first = next((place for place, chunk in enumerate(chunks) if chunk.kind == b"IDAT"), None)
    width, height = struct.unpack_from(">II", header)
    if first is None or not 0 < width * height <= max_pixels or (header[9] not in _CHANNELS):
        return chunks
    stored = [chunk.data for chunk in chunks if chunk.kind == b"IDAT"]
    rows = list(_row_bytes(width, height, header))
    completed, missing = _complete(stored, sum(count * size for count, size in rows))
    if missing:
        raise truncated(_share_of_rows(rows, missing, interlaced=bool(header[12])))
    if completed is None:
        return chunks
    others = [chunk for chunk in chunks[first:] if chunk.kind != b"IDAT"]
    return [*chunks[:first], _chunk(b"IDAT", completed), *others]


def _row_bytes(width: int, height: int, header: bytes) -> Iterator[tuple[int, int]]:
    """Yield the number of rows and the bytes of each, for each pass."""
    bits = header[8] * _CHANNELS[header[9]]
    for left, top, across, down in _PASSES if header[12] else ((0, 0, 1, 1),):
        columns, rows = (width - left + across - 1) // across, (height - top + down - 1) // down
        if columns > 0 and rows > 0:
            yield rows, 1 + (columns * bits + 7) // 8


def _complete(stored: list[bytes], expected: int) -> tuple[bytes | None, int]:
    """Return a stream with an end, or None if `stored` has one; and how many of the `expected` bytes are missing.

    Raises `PictureUndecodable` if the stream is damaged.
    """
    stream, found = zlib.decompressobj(), 0
    try:
        for block in _inflate(stream, stored, expected + 1):  # one more reaches the checksum
            found += len(block)
    except zlib.error as error:
        share = min(int(found * 100 / expected), 99)
        raise PictureUndecodable(f"its pixels are damaged: {share} % of them can be read") from error
    if found < expected:
        return None, expected - found
    if stream.eof or found > expected:
        return None, 0
    writer = zlib.compressobj(1)
    written = [writer.compress(block) for block in _inflate(zlib.decompressobj(), stored, expected)]
    return b"".join([*written, writer.flush()]), 0


def _inflate(stream: "zlib._Decompress", stored: list[bytes], limit: int) -> Iterator[bytes]:
    """Yield what `stored` expands to, at most `limit` bytes, in blocks."""
    for part in stored:
        waiting = part
        while waiting and limit and not stream.eof:
            block = stream.decompress(waiting, min(_BLOCK, limit))
            waiting = stream.unconsumed_tail
            limit -= len(block)
            yield block


def _share_of_rows(rows: list[tuple[int, int]], missing: int, *, interlaced: bool) -> float:
    """Return the share of the rows that are there; of an interlaced picture, which has few whole rows, of the bytes."""
    total = sum(count * size for count, size in rows)
    if interlaced:
        return 1 - missing / total
    count, size = rows[0]
    return (total - missing) // size / count


def _chunk(kind: bytes, data: bytes) -> _Chunk:
    return _Chunk(kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
