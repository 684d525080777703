"""How names are compared: without regard to case, and to how Unicode spells a letter. Accents count.

Canonical caseless matching (The Unicode Standard, section 3.13, D145): `Straße` is `STRASSE`, and an `é` of one code
point is an `é` of two; `cafe` is not `café`.
"""

import fnmatch
import re
import unicodedata
from functools import lru_cache

__all__ = ["clean_name", "contains", "fold", "matches"]

LONGEST_NAME = 200
"""Characters kept of a tag or a name."""

_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
"""Marks that turn the direction of all the text around them, and the byte order mark: no part of any name."""


def fold(text: str) -> str:
    """The form in which two names that count as equal are the same."""
    if text.isascii():  # by far most names, and four times as fast
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def clean_name(text: str, longest: int = LONGEST_NAME) -> str:
    """`text` as one line without control signs, repeated blanks made one, cut to `longest` characters; maybe empty."""
    plain = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in _STEERING.sub("", text)
    )
    return unicodedata.normalize("NFC", " ".join(plain.split()))[:longest].rstrip()


def contains(text: str, part: str) -> bool:
    """Whether `part` occurs in `text`, as names are compared."""
    return fold(part) in fold(text)


def matches(text: str, pattern: str) -> bool:
    """Whether `text` fits `pattern` as a whole, as names are compared: `*` is any text, `?` any one character."""
    return _compiled(pattern).fullmatch(fold(text)) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # `fnmatch` makes an expression that takes no time to speak of for any number of `*`; `[` means itself here.
    return re.compile(fnmatch.translate(fold(pattern).replace("[", "[[]")))
