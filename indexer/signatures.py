"""Whether a file without a suffix is a picture, by its first bytes."""

from core.errors import PictureUnsupported
from pictures.opening import FORMATS

__all__ = ["SIGNATURE_BYTES", "begins_like_picture"]

SIGNATURE_BYTES = 64
"""Bytes at the beginning of a file that are looked at."""

_SHORT_SIGNATURES = frozenset({"BMP", "DIB", "PPM", "TGA"})
"""Formats with a signature of at most two bytes, with which texts begin, too."""


def begins_like_picture(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a picture format with a clear signature."""
    try:
        return any(form.accepts(head) for form in FORMATS if form.has_signature and form.name not in _SHORT_SIGNATURES)
    except PictureUnsupported:  # a picture, but its format needs something that is not installed
        return True
