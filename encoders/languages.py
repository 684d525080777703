"""Codes and names of languages: ISO 639-1, and the spellings that are accepted for them."""

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["LANGUAGE_CODES", "LANGUAGE_NAMES", "language_code", "language_name"]

_LETTERS = (
    "aabefkmnrsvyz baegimnors caehorsuvy daevz eelnostu fafijory gadlnuv haeiortuyz iadegikostu jav "
    "kagijklmnorsuvwy labginotuv mghiklnrsty nabdeglnorvy ocjmrs pailst qu rmnouw sacdegiklmnoqrstuvw "
    "taeghiklnorstwy ugkrz veio wao xh yio zahu "
)
LANGUAGE_CODES = frozenset(letters[0] + second for letters in _LETTERS.split() for second in letters[1:])
"""ISO 639-1."""

LANGUAGE_NAMES: Mapping[str, str] = MappingProxyType({
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "mi": "Maori",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "qu": "Quechua", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "sw": "Swahili", "te": "Telugu", "th": "Thai", "tl": "Filipino", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
})  # fmt: skip
"""English names of the languages with published scores."""

_SAME = {"nb": "no", "nn": "no", "fil": "tl", "quz": "qu", "iw": "he", "in": "id"}
"""Codes of variants, and former codes, by the code that scores are published under."""


def language_code(text: str) -> str | None:
    """Return the ISO 639-1 code of a code, a tag such as `pt-BR` or an English name; None if it is not known."""
    wanted = text.strip().lower()
    by_name = next((code for code, name in LANGUAGE_NAMES.items() if name.lower() == wanted), None)
    code = by_name or re.split(r"[-_]", wanted)[0]
    code = _SAME.get(code, code)
    return code if code in LANGUAGE_CODES else None


def language_name(code: str) -> str:
    """Return the English name of a language, or its quoted code if the name is unknown."""
    return LANGUAGE_NAMES.get(code, repr(code))
