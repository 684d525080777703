"""IPTC-IIM, the older way to write keywords into a JPEG or a TIFF (IPTC Information Interchange Model 4.2)."""

from collections.abc import Sequence

from PIL import ImageFile, IptcImagePlugin

from pictures.labels import LONGEST_DESCRIPTION, LONGEST_TITLE, MOST_KEYWORDS, Labels

__all__ = ["read_iptc"]

_CHARACTER_SET, _TITLE, _KEYWORDS, _CAPTION = (1, 90), (2, 5), (2, 25), (2, 120)

_UTF8 = b"\x1b%G"
"""ISO 2022's escape sequence for UTF-8; the only other one in the wild is that of Latin-1."""


def read_iptc(image: ImageFile.ImageFile) -> Labels:
    """The labels in a picture's IPTC block. Never raises: a damaged one says what could be read of it, or nothing."""
    try:
        found = IptcImagePlugin.getiptcinfo(image) or {}
    except Exception:  # Pillow raises nearly anything on broken bytes
        return Labels()
    known_utf8 = _UTF8 in b"".join(_values(found.get(_CHARACTER_SET)))

    def texts(field: tuple[int, int]) -> list[str]:
        return [text for value in _values(found.get(field)) if (text := _text(value, known_utf8))]

    return Labels(
        keywords=tuple(dict.fromkeys(texts(_KEYWORDS)))[:MOST_KEYWORDS],
        title=next(iter(texts(_TITLE)), "")[:LONGEST_TITLE] or None,
        description=next(iter(texts(_CAPTION)), "")[:LONGEST_DESCRIPTION] or None,
    )


def _values(value: object) -> Sequence[bytes]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, bytes)]


def _text(value: bytes, known_utf8: bool) -> str:
    """`value` as text. Where the character set is not said, what can be UTF-8 is: Latin-1 hardly ever looks like it."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8" if known_utf8 else "latin-1", "replace")
    return text.replace("\0", " ").strip()
