"""Signs that look like those of filters: full-width forms, typographic quotation marks and dashes.

Input methods for Chinese and Japanese type `：` and `２０２３`; phones and word processors turn `"` into `“`, `-` into
`–` and `...` into `…`. Such signs are read like the plain ones wherever a filter or an operator can stand. In the text
of a query they stay as typed.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "APOSTROPHES",
    "CLOSING",
    "COLONS",
    "LONG_DASHES",
    "MINUSES",
    "OPENING_BRACKETS",
    "PLUSES",
    "plain_signs",
    "quoted",
    "range_reading",
    "unquoted",
]

COLONS = ":：﹕︓∶꞉"
PLUSES = "+＋﹢"
MINUSES = "-\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
"""Hyphens, the en dash and minus signs. In front of a word, they are a minus."""
LONG_DASHES = "\u2014\u2015\ufe58"
"""Dashes that belong to a text: in Spanish and French, one stands in front of a word."""
OPENING_BRACKETS = "(（"
APOSTROPHES = "'\u2018\u2019\u201a\u201b＇"
"""Quotation marks that are apostrophes as well."""

CLOSING: Mapping[str, str] = MappingProxyType(
    {
        '"': '"',
        "＂": "＂",
        "“": '”“"',
        "”": '”"',
        "„": '“”"',
        "‟": '”"',
        "«": "»",
        "»": "«»",
        "‹": "›",
        "›": "‹›",
        "「": "」",
        "『": "』",
        "'": "'",
        "＇": "＇",
        "\u2018": "\u2019\u2018'",
        "\u2019": "\u2019'",
        "\u201a": "\u2018\u2019'",
        "\u201b": "\u2019'",
    }
)
"""Opening quotation mark -> those that close it (Unicode Standard, section 6.2, "Language-Based Usage")."""

_RANGE_SIGN = re.compile(r"(?<=\w)[ ]?[\u2012-\u2015~～〜][ ]?(?=[\w.-])")
"""A dash or a tilde between two values."""

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # the block has the order of ASCII
_SMALL = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFE50, 0xFE6C)}
_TABLE: Mapping[int, int | str] = {
    **_FULL_WIDTH,
    **{code: plain for code, plain in _SMALL.items() if plain.isascii()},
    **{ord(sign): ":" for sign in COLONS},
    **{ord(sign): "-" for sign in MINUSES + LONG_DASHES},
    **dict.fromkeys(map(ord, "〜"), "~"),
    **dict.fromkeys(map(ord, "…‥⋯"), ".."),
    **dict.fromkeys(map(ord, "，、،"), ","),
    **dict.fromkeys(map(ord, "；؛"), ";"),
    **dict.fromkeys(map(ord, "．。٫"), "."),
    **dict.fromkeys(map(ord, "⁄∕"), "/"),
    **dict.fromkeys(map(ord, "≥⩾"), ">="),
    **dict.fromkeys(map(ord, "≤⩽"), "<="),
    ord("≠"): "!=",
    ord("ƒ"): "f",
}


def plain_signs(text: str) -> str:
    """Return the value of a filter with ASCII in place of look-alikes, blanks and digits of other scripts."""
    if text.isascii():
        return text
    return "".join(map(_plain, text.translate(_TABLE)))


def range_reading(text: str) -> str | None:
    """Return `text` with `..` in place of a dash or a tilde between two values; None if there is none."""
    marked, count = _RANGE_SIGN.subn("..", text)
    return plain_signs(marked) if count else None


def quoted(text: str) -> str:
    """Return `text` as a value in quotation marks, as the query language reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(text: str) -> str:
    """Return `text` without quotation marks around all of it."""
    stripped = text.strip()
    is_quoted = len(stripped) > 1 and stripped[-1] in CLOSING.get(stripped[0], "")
    return stripped[1:-1].strip() if is_quoted else text


def _plain(char: str) -> str:
    if char.isascii():
        return char
    if char.isspace():
        return " "
    return str(unicodedata.decimal(char)) if char.isdecimal() else char
