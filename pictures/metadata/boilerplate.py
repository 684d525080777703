"""Texts that cameras and programs write into every file. They say nothing about the picture."""

import re

__all__ = ["meaningful", "meaningful_lens"]

_TEXTS = frozenset(
    text.casefold()
    for text in (
        "ASCII",
        "Unicode",
        "AppleMark",
        "DCIM",
        "default",
        "Default Title",
        "Digital Camera",
        "DIGITAL STILL CAMERA",
        "DSC",
        "Exif JPEG",
        "Exif_JPEG_PICTURE",
        "Image Description",
        "ImageDescription",
        "KONICA DIGITAL CAMERA",
        "KONICA MINOLTA DIGITAL CAMERA",
        "Minolta DSC",
        "MINOLTA DIGITAL CAMERA",
        "My beautiful picture",
        "null",
        "OLYMPUS DIGITAL CAMERA",
        "OLYMPUS CAMERA",
        "SAMSUNG",
        "SAMSUNG CAMERA PICTURES",
        "SAMSUNG DIGITAL CAMERA",
        "SONY DSC",
        "SONY DIGITAL CAMERA",
        "untitled",
        "User comments",
    )
)

_PATTERNS = re.compile(
    r"(?:"
    r"dcim[\\/].*"  # DJI: the path on the card
    r"|<[^<>]{1,80}>"  # Samsung: <Digimax S500 / Kenox S500 / Digimax Cyber 530>
    r"|(?:lead technologies|creator: gd-jpeg|file written by|created (?:with|by openjpeg)|compressed by|processed by).*"
    r"|lavc.*"
    r"|charset\s*=\s*[\w\"-]+"
    r"|(?:dsc|img|dscn|dscf|pict|p)[_-]?[0-9]{4,8}(?:\.(?:jpe?g|tiff?|png))?"
    r"|[\s!-/:-@\[-`{-~]*"  # blanks and punctuation
    r")",
    re.IGNORECASE | re.DOTALL,
)

_LENSES = re.compile(
    r"(?:unknown.*|none|n/?a|no[- ]lens|manual lens(?: no cpu)?|lens|[\W_0]*"
    r"|0(?:\.0+)?\s*(?:-\s*0(?:\.0+)?\s*)?mm.*)",
    re.IGNORECASE,
)


def meaningful(text: str | None) -> str | None:
    """Return `text`, or None if it is boilerplate."""
    if text is None or text.casefold() in _TEXTS or _PATTERNS.fullmatch(text):
        return None
    return text


def meaningful_lens(name: str | None) -> str | None:
    """Return the name of a lens, or None if it says that the lens is not known."""
    return None if name is None or _LENSES.fullmatch(name) else name
