"""How much there is of a picture whose pixels are not compressed, or in runs: BMP, PPM, TGA.

It is found by decoding: what follows a cut is decoded as pixels, and what follows a whole picture is not.
"""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from core.errors import PictureUndecodable
from pictures.opening import open_picture
from pictures.repair.repaired import Repaired
from pictures.truncation import truncated

__all__ = ["repair_raw"]

_FORMATS = frozenset({"BMP", "DIB", "PPM", "TGA"})
_FILLERS = (b"\0", b"\x55", b"\xaa")
_MAX_BYTES_PER_PIXEL = 6
_MAX_ADDED_BYTES = 1 << 28


def repair_raw(data: bytes, max_pixels: int) -> Repaired | None:
    """Complete a file whose last bytes are missing, if they carry no pixels (see `pictures.repair.repair`)."""
    image = open_picture(io.BytesIO(data))
    pixels = image.width * image.height
    added = min(pixels * _MAX_BYTES_PER_PIXEL + 4 * image.height, _MAX_ADDED_BYTES)
    if image.format not in _FORMATS or pixels > max_pixels or len(data) >= added * 2:
        return None
    try:
        first, *others = _decodings(data, added)
    except OSError as error:  # runs of pixels, cut in the middle of one
        raise PictureUndecodable("truncated: some of its rows are missing") from error
    same = np.ones(first.height, np.bool_)
    for other in others:
        differs = np.asarray(first) != np.asarray(other)  # (H, W) or (H, W, channels)
        same &= ~differs.reshape(len(same), -1).any(axis=1)
    if not same.all():
        raise truncated(float(same.mean()))
    return Repaired(data + _FILLERS[0] * added)


def _decodings(data: bytes, added: int) -> Iterator[Image.Image]:
    for filler in _FILLERS:
        image = open_picture(io.BytesIO(data + filler * added))
        image.load()
        yield image
