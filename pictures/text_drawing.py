"""Words in a picture: a font that can write them (Pillow's own for Latin letters, else one of the system's that has
every letter), and lines cut to fit."""

import re
from bisect import bisect_left
from functools import lru_cache

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

__all__ = ["can_write", "fitted", "font_for"]

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
"""Found by Pillow in the system's font folders; between them they cover the scripts of the built-in model."""


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@lru_cache(maxsize=64)
def font_for(text: str, size: int) -> Font:
    """A font of `size` pixels that has every letter of `text`, or the default one if `can_write` says there is none."""
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


def can_write(text: str) -> bool:
    """Whether some font of this system has every letter of `text`."""
    text = _plain(text)
    return _covers(font_for(text, 16), text)


def fitted(text: str, size: int, width: int) -> str:
    """`text` as one line that can be drawn, cut at its end to at most `width` pixels of letters of `size`.

    What no font has, half a surrogate pair, becomes a question mark; control characters become spaces.
    """
    text = _plain(text)
    font = font_for(text, size)
    if font.getlength(text) <= width:
        return text
    too_long = bisect_left(range(len(text)), True, key=lambda count: font.getlength(f"{text[: count + 1]}…") > width)
    return text[:too_long] + "…"


def _plain(text: str) -> str:
    """Pillow's layout engine fails at some control characters, and takes halves of surrogate pairs for letters."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))


def _covers(font: Font, text: str) -> bool:
    """Whether every letter has a glyph of its own: one without is drawn as the font's box for unknown letters."""
    unknown = _drawn(font, "\U0010ffff")
    return all(_drawn(font, letter) != unknown for letter in set(text) if not letter.isspace())


def _drawn(font: Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))
