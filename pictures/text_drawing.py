"""Draw text on pictures: find a font that has all its letters, and shorten lines to fit.

Pillow's own font is used for Latin letters, a system font for other scripts.
"""

import re
from bisect import bisect_left
from functools import lru_cache

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

__all__ = ["can_draw", "find_font", "fit_text"]

Font = FreeTypeFont | ImageFont.ImageFont

SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansArabic-Regular.ttf",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "GeezaPro.ttc",
    "arial.ttf",
    "msyh.ttc",
)
"""Looked up by Pillow in the system's font folders. Together they cover the scripts of the built-in model."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@lru_cache(maxsize=64)
def find_font(text: str, size: int) -> Font:
    """Return a font of `size` pixels that has every letter of `text`, or the default font if there is none."""
    default = ImageFont.load_default(size)
    if _covers(default, text):
        return default
    for name in SYSTEM_FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _covers(font, text):
            return font
    return default


def can_draw(text: str) -> bool:
    """Return whether a font of this system has every letter of `text`."""
    text = _drawable(text)
    return _covers(find_font(text, 16), text)


def fit_text(text: str, size: int, width: int) -> str:
    """Return `text` as one line that can be drawn, shortened to at most `width` pixels at font size `size`.

    Lone surrogates become question marks; control characters become spaces.
    """
    text = _drawable(text)
    font = find_font(text, size)
    if font.getlength(text) <= width:
        return text
    too_long = bisect_left(range(len(text)), True, key=lambda count: font.getlength(f"{text[: count + 1]}…") > width)
    return text[:too_long] + "…"


def _drawable(text: str) -> str:
    """Replace what Pillow's layout engine cannot handle: some control characters, and lone surrogates."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))


def _covers(font: Font, text: str) -> bool:
    """Return whether every letter has a glyph. Letters without one look like the font's unknown glyph."""
    unknown = _rendered(font, "\U0010ffff")
    return all(_rendered(font, letter) != unknown for letter in set(text) if not letter.isspace())


def _rendered(font: Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))
