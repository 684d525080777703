"""Repair GIF files: leave out extensions that are damaged, and add a trailer and an end of pixels that are missing.

Source: GIF89a Specification (CompuServe, 1990), and its appendix F for the compression of pixels.
"""

from pictures.repair.repaired import Repaired
from pictures.truncation import truncated

__all__ = ["repair_gif"]

_CONTROL = 0xF9
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B

_MAX_DAMAGED = 100
"""Extensions without an end after which nothing more is read: each of them is searched to the end of the file."""


def repair_gif(data: bytes, max_pixels: int) -> Repaired | None:
    """Repair a GIF (see `pictures.repair.repair`): its first frame, with no other ones after damage."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        return None
    place, damaged = 13 + _palette_bytes(data[10]), 0
    parts = [data[:place]]
    while place < len(data) and damaged < _MAX_DAMAGED:
        block = data[place]
        if block == _EXTENSION:
            end = _blocks_end(data, place + 2)
            if end is None and data[place + 1 : place + 2] != bytes([_CONTROL]):
                place, damaged = _next_image(data, place + 1), damaged + 1
                continue
            if data[place + 1 : place + 3] == bytes([_CONTROL, 4]):
                parts.append(data[place : place + 7] + b"\0")
            place = end or place + 8
        elif block == _IMAGE and place + 10 < len(data):
            start = place + 10 + _palette_bytes(data[place + 9])
            end = _blocks_end(data, start + 1)
            parts.append(data[place:end])
            if end is None:
                codes = _joined(data, start + 1)
                _require_rows(data[place + 5 : place + 9], data[start : start + 1], codes, max_pixels)
                parts[-1] = data[place : start + 1] + _in_blocks(codes)
            place = len(data) if end is None else end
        else:
            break
    rebuilt = b"".join([*parts, b";"])
    return None if rebuilt == data or len(parts) == 1 else Repaired(rebuilt)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks_end(data: bytes, place: int) -> int | None:
    """Return where the blocks from `place` on end, or None if the data ends before."""
    while place < len(data):
        if not data[place]:
            return place + 1
        place += 1 + data[place]
    return None


def _next_image(data: bytes, place: int) -> int:
    found = data.find(bytes([_IMAGE]), place)
    return len(data) if found < 0 else found


def _require_rows(size: bytes, bits: bytes, codes: bytes, max_pixels: int) -> None:
    """Raise `PictureUndecodable` unless all rows of an image are there. `size` and `bits` are fields of its header."""
    width, height = int.from_bytes(size[:2], "little"), int.from_bytes(size[2:], "little")
    if not 0 < width * height <= max_pixels or not 1 <= bits[0] <= 11:
        return
    found = _count_pixels(codes, bits[0], width * height)
    if found < width * height:
        raise truncated(found // width / height)


def _in_blocks(codes: bytes) -> bytes:
    blocks = (codes[start : start + 255] for start in range(0, len(codes), 255))
    return b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _joined(data: bytes, place: int) -> bytes:
    parts = list[bytes]()
    while place < len(data) and data[place]:
        parts.append(data[place + 1 : place + 1 + data[place]])
        place += 1 + data[place]
    return b"".join(parts)


def _count_pixels(codes: bytes, bits: int, most: int) -> int:
    """Return how many pixels the LZW codes stand for, without decoding them: each code has a known length."""
    clear = 1 << bits
    lengths, width, previous, total = [1] * clear + [0, 0], bits + 1, 0, 0
    window, held = 0, 0
    for byte in codes:
        window |= byte << held
        held += 8
        while held >= width:
            code = window & ((1 << width) - 1)
            window >>= width
            held -= width
            if code == clear:
                lengths, width, previous = lengths[: clear + 2], bits + 1, 0
                continue
            if code == clear + 1 or code > len(lengths):
                return total
            length = lengths[code] if code < len(lengths) else previous + 1
            if previous and len(lengths) < 4096:
                lengths.append(previous + 1)
                if len(lengths) == 1 << width and width < 12:
                    width += 1
            previous = length
            total += length
            if total >= most:
                return most
    return total
