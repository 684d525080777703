"""Which files are shown with other pixels than by the first versions, so that they have to be embedded again.

Version 1 (see `core.pixels_version`) reads TIFF samples of any type, 16-bit PNG with fewer significant bits, colours
that are declared without a profile, RAW files with the structure of TIFF, and all moments of animations. It ignores
alpha that means nothing, and shows the main picture of a HEIF.
"""

from typing import BinaryIO

from PIL import ImageFile

from core.errors import PictureError
from pictures.color.color_space import declared_space
from pictures.color.conversion import NO_ALPHA
from pictures.failures import picture_errors
from pictures.opening import open_picture
from pictures.png import significant_bits

__all__ = ["CHANGED_FORMATS", "has_changed_pixels"]

CHANGED_FORMATS = ("TIFF", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "BMP", "DIB", "TGA", "JPEG2000", "PPM")
"""Formats in which some files have other pixels. JPEG is not among them."""


def has_changed_pixels(file: BinaryIO) -> bool:
    """Return whether other pixels may be shown of a file of one of the formats than by version 0.

    Pixels are decoded only where there is an alpha channel. A file that cannot be opened counts as changed.
    """
    try:
        with picture_errors():
            image = open_picture(file)
            return _has_other_samples(image) or _is_animation(image) or _has_meaningless_alpha(image)
    except PictureError:
        return True


def _has_other_samples(image: ImageFile.ImageFile) -> bool:
    if image.format not in CHANGED_FORMATS or image.format == "TIFF":
        return True  # RAW files were TIFF to earlier versions
    return (
        image.mode.startswith(("I", "F")) or image.tell() != 0 or _has_fewer_bits(image) or _has_declared_space(image)
    )


def _has_fewer_bits(image: ImageFile.ImageFile) -> bool:
    if image.format != "PNG" or image.fp is None or not any(str(tile.args).endswith(";16B") for tile in image.tile):
        return False
    return min(significant_bits(image.fp), default=16) < 16


def _has_declared_space(image: ImageFile.ImageFile) -> bool:
    space = declared_space(image.info)
    return space is not None and ("icc_profile" not in image.info or space.outranks_profile)


def _is_animation(image: ImageFile.ImageFile) -> bool:
    return image.format != "GIF" and getattr(image, "is_animated", False)


def _has_meaningless_alpha(image: ImageFile.ImageFile) -> bool:
    """Return whether a header declares no alpha, or the picture is transparent everywhere."""
    if image.info.get(NO_ALPHA):
        return image.mode in ("LA", "RGBA")
    if image.format == "GIF" or not image.has_transparency_data:
        return False
    if image.mode == "L" and "transparency" in image.info:
        return True  # the transparent grey was another one where samples have 2 or 4 bits
    image.load()
    return image.convert("RGBA").getchannel("A").getextrema() == (0, 0)
