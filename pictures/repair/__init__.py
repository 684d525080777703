"""Repair picture files whose pixels are whole: leave out what is damaged beside the pixels, add an end that is missing.

A file is repaired only after it could not be decoded, so that sound files cost nothing. Where pixels are missing, the
repair fails with an error that says how much of the picture there is: half a picture is never shown as a whole one.
"""

import re
from collections.abc import Callable

from pictures.repair.gif import repair_gif
from pictures.repair.isobmff import repair_isobmff
from pictures.repair.jpeg import repair_jpeg
from pictures.repair.jpeg2000 import repair_jpeg2000
from pictures.repair.png import repair_png
from pictures.repair.raw import repair_raw
from pictures.repair.repaired import Repaired
from pictures.repair.tiff import repair_tiff
from pictures.repair.webp import repair_webp

__all__ = ["Repaired", "repair"]

_REPAIRS: tuple[tuple[re.Pattern[bytes], Callable[[bytes, int], Repaired | None]], ...] = (
    (re.compile(rb"\xff\xd8"), repair_jpeg),
    (re.compile(rb"\x89PNG"), repair_png),
    (re.compile(rb"GIF8"), repair_gif),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), lambda data, _: repair_webp(data)),
    (re.compile(rb"II\*\0|MM\0\*"), repair_tiff),
    (re.compile(rb"....ftyp", re.DOTALL), lambda data, _: repair_isobmff(data)),
    (re.compile(rb"\0\0\0\x0cjP  "), lambda data, _: repair_jpeg2000(data)),
    (re.compile(rb""), repair_raw),
)
"""Repairs by the beginning of a file."""


def repair(data: bytes, max_pixels: int) -> Repaired | None:
    """Return the repaired bytes of a picture file that cannot be decoded, or None if there is nothing to repair.

    Pixels are only checked in pictures of at most `max_pixels`. Raises `PictureUndecodable` if pixels are missing; its
    message says how many are there.
    """
    repair_format = next(repair_format for pattern, repair_format in _REPAIRS if pattern.match(data))
    return repair_format(data, max_pixels)
