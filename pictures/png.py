"""Load PNG pictures: what follows the pixels adds metadata and changes no pixels, and samples of 16 bits can be fewer.

Source: Portable Network Graphics, third edition, 11.3.1.1 (tRNS) and 11.3.2.5 (sBIT).
"""

import struct
from typing import IO

import numpy as np
from PIL import Image, ImageFile

__all__ = ["SIGNIFICANT_BITS", "load_png", "significant_bits"]

SIGNIFICANT_BITS = "significant_bits"
"""Key in `info` of a grey picture of 16 bits: the bits per sample that its sBIT chunk names."""

_BEFORE_PIXELS = ("transparency", "gamma", "chromaticity", "srgb", "icc_profile")
"""Keys in `info` of chunks that must come before the pixels (table 7 of the standard)."""

_KEY_FACTORS = {"L;2": 85, "L;4": 17}
"""By which factor Pillow multiplies samples of fewer than 8 bits, but not the one that is transparent."""

_LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
"""Pillow keeps the first of the two bytes of such samples, and of the others the second one."""

_PIXELS_AT_A_TIME = 1 << 20


def load_png(image: ImageFile.ImageFile) -> None:
    """Load the pixels of a PNG and the metadata after them. Pillow checks no checksums there."""
    raw, file = image.tile[0].args if image.tile else None, image.fp
    bits = significant_bits(file) if isinstance(raw, str) and raw.endswith(";16B") and file is not None else ()
    before = {key: image.info[key] for key in _BEFORE_PIXELS if key in image.info}
    image.load()
    for key in _BEFORE_PIXELS:
        image.info.pop(key, None)
    image.info.update(before)
    if isinstance(raw, str):
        _scale_transparent_color(image, raw)
        if bits and file is not None:
            _use_significant_bits(image, file, raw, bits)


def _scale_transparent_color(image: ImageFile.ImageFile, raw: str) -> None:
    """Give the transparent colour of a file the depth of the pixels that Pillow has decoded from it."""
    color = image.info.get("transparency")
    if isinstance(color, int) and raw in _KEY_FACTORS:
        image.info["transparency"] = color * _KEY_FACTORS[raw]
    elif isinstance(color, tuple) and raw == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in color)


def significant_bits(file: IO[bytes]) -> tuple[int, ...]:
    """Return the bits of each sample in the sBIT chunk; none without one. The position of `file` is kept."""
    place = file.tell()
    file.seek(8)  # the signature
    found: tuple[int, ...] = ()
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"sBIT" and length <= 4:
            found = tuple(file.read(length))
        if kind in (b"sBIT", b"IDAT", b"IEND"):
            break
        file.seek(length + 4, 1)
    file.seek(place)
    return found


def _use_significant_bits(image: ImageFile.ImageFile, file: IO[bytes], raw: str, bits: tuple[int, ...]) -> None:
    """Make the largest value of `bits` white if no sample is larger.

    The standard wants samples scaled to 16 bits, but some programs store those of a camera with fewer bits as they are.
    """
    if image.mode.startswith("I;16"):
        image.info[SIGNIFICANT_BITS] = bits[0]
        return
    colors = [bits[:3], bits[3:]] if raw == "RGBA;16B" else [bits[:3]]
    depths = [max(each, default=16) for each in colors]
    high = np.asarray(image)  # (H, W, C)
    if raw not in _LOW_BYTES or not 8 <= depths[0] < 16 or int(high[..., :3].max()) >= 1 << (depths[0] - 8):
        return
    file.seek(0)
    again = type(image)(file, "")
    again.tile = [tile._replace(args=_LOW_BYTES[raw]) for tile in again.tile]
    again.load()
    low = np.asarray(again)
    tops = np.array([(1 << depths[0]) - 1] * 3 + [(1 << depth) - 1 for depth in depths[1:]], np.uint32)  # (C,)
    scaled = np.empty_like(high)
    rows = max(1, _PIXELS_AT_A_TIME // image.width)
    for start in range(0, image.height, rows):
        part = slice(start, start + rows)
        values = high[part].astype(np.uint32) << 8 | low[part]
        scaled[part] = np.minimum((values * 255 + tops // 2) // tops, 255)
    image.im = Image.fromarray(scaled).im
