"""Comparison of names, ignoring case and Unicode normalization, but not accents.

This is canonical caseless matching (The Unicode Standard, section 3.13, D145): `Straße` equals `STRASSE`, and an `é` of
one code point equals an `é` of two; `cafe` does not equal `café`.
"""

import fnmatch
import re
import unicodedata
from functools import lru_cache

__all__ = ["clean_name", "contains", "fold", "matches"]

MAX_NAME_LENGTH = 200
"""Characters; longer names are cut."""

_BIDI_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that change the direction of the surrounding text, and the byte order mark."""


def fold(text: str) -> str:
    """Return the comparable form of a name: equal names have the same one."""
    if text.isascii():  # most names, and four times as fast
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def clean_name(text: str, max_length: int = MAX_NAME_LENGTH) -> str:
    """Return `text` as one line of at most `max_length` characters, without control characters and repeated spaces."""
    if not text:
        return ""
    plain = "".join(
        " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in _BIDI_MARKS.sub("", text)
    )
    return unicodedata.normalize("NFC", " ".join(plain.split()))[:max_length].rstrip()


def contains(text: str, part: str) -> bool:
    """Return whether `text` contains `part`, compared like names."""
    return fold(part) in fold(text)


def matches(text: str, pattern: str) -> bool:
    """Return whether all of `text` matches `pattern`, where `*` is any text and `?` any character, as names compare."""
    return _compiled(pattern).fullmatch(fold(text)) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # The expression of `fnmatch` does not backtrack exponentially, even with many `*`. `[` is not special here.
    return re.compile(fnmatch.translate(fold(pattern).replace("[", "[[]")))
