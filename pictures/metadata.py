"""All that a file says of its picture beside the pixels: what the camera wrote, and what people did."""

from dataclasses import dataclass, replace

from PIL import Image, ImageFile

from core.errors import PictureUndecodable
from pictures.exif import Facts, read_facts
from pictures.iptc import read_iptc
from pictures.labels import Labels, merged
from pictures.xmp import read_xmp

__all__ = ["FACTS_VERSION", "Metadata", "read_metadata"]

FACTS_VERSION = 1
"""Raise it when more is read than before, or read otherwise: files that are known are then read again, headers only."""


@dataclass(frozen=True)
class Metadata:
    """The facts and the labels of a picture."""

    facts: Facts
    labels: Labels


def read_metadata(image: ImageFile.ImageFile) -> Metadata:
    """What the opened file `image` says. Never raises: damaged metadata is no reason to lose a picture.

    Of a PNG, only what `image.info` holds by now: chunks may come after the pixels (`pictures.headers`).
    Of labels, XMP outranks IPTC, which is older, and both outrank the stars in EXIF.
    """
    facts = read_facts(_exif(image))
    labels = merged(_xmp(image), read_iptc(image))
    return Metadata(facts, labels if labels.rating is not None else replace(labels, rating=facts.rating))


def _exif(image: Image.Image) -> Image.Exif:
    try:
        # Pillow would decode a PNG to look for what comes after its pixels.
        return Image.Image.getexif(image) if image.format == "PNG" else image.getexif()
    except Exception:  # as for all of Pillow on broken bytes: anything
        return Image.Exif()


def _xmp(image: ImageFile.ImageFile) -> Labels:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if not isinstance(data, bytes):
        return Labels()
    try:
        return read_xmp(data)
    except PictureUndecodable:
        return Labels()
