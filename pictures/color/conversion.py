"""Convert a picture in any Pillow mode to RGB in sRGB.

There are two steps, so that a caller can shrink the picture in between: `to_8_bit` converts the channels to 8 bits, and
`to_srgb` applies the colour profile and puts transparent pictures on a neutral background.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageStat

from pictures.color.color_space import ColorSpace
from pictures.png import SIGNIFICANT_BITS
from pictures.sample_range import Range, find_range, to_bytes

__all__ = ["BACKGROUND", "NO_ALPHA", "to_8_bit", "to_srgb"]

BACKGROUND = (128, 128, 128)
"""Background of transparent pictures: mid grey. On white, a white drawing would be embedded as a blank picture, and on
black, the usual result of dropping the alpha channel, a black one would."""

NO_ALPHA = "no_alpha"
"""Key in `info` of a picture whose fourth channel means nothing, according to its header."""

_FORMATS_WITH_RANGE = frozenset({"PPM", "JPEG2000"})
"""Formats whose headers say which value is white; Pillow has scaled the values to 16 bits."""

_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow mode by colour space of an ICC profile."""


def to_8_bit(image: Image.Image) -> Image.Image:
    """Return `image` with 8 bits per channel, as L, LA, RGB, RGBA, CMYK or LAB; the pixels are otherwise the same."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image)
        grey = Image.fromarray(to_bytes(values, _range(image, values)))
        if not isinstance(transparent := image.info.get("transparency"), int):
            return grey
        return Image.merge("LA", (grey, Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))))
    if image.info.get(NO_ALPHA):
        return image.convert("L" if image.mode == "LA" else "RGB")
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")


def _range(image: Image.Image, values: NDArray[Any]) -> Range:
    """Return the values of a grey picture that are black and white."""
    if image.format in _FORMATS_WITH_RANGE and image.mode != "F":
        return 0, 65535
    bits = image.info.get(SIGNIFICANT_BITS, 16)
    return (0, (1 << bits) - 1) if 1 <= bits < 16 and values.max() >> bits == 0 else find_range(values)


def to_srgb(image: Image.Image, profile: bytes | None, space: ColorSpace | None = None) -> Image.Image:
    """Return a picture from `to_8_bit` as RGB in sRGB, `image` itself if it has nothing to convert.

    `profile` is its ICC profile, which is ignored if unusable. `space` is what else the file says about its colours; it
    counts where there is no profile.

    A picture that is transparent everywhere is shown as if it had no alpha channel, unless all its pixels have one
    colour: programs that know no transparency leave that channel zero.
    """
    if image.mode not in ("LA", "RGBA"):
        return _converted(image, profile, space)
    alpha = image.getchannel("A")
    opaque = image.convert("L" if image.mode == "LA" else "RGB")
    colours = _converted(opaque, profile, space)
    if alpha.getextrema() == (255, 255) or (alpha.getextrema() == (0, 0) and not _is_plain(opaque)):
        return colours
    background = Image.new("RGB", colours.size, BACKGROUND)
    background.paste(colours, mask=alpha)
    return background


def _is_plain(image: Image.Image) -> bool:
    """Return whether all pixels have one colour."""
    return all(low == high for low, high in ImageStat.Stat(image).extrema)


def _converted(image: Image.Image, profile: bytes | None, space: ColorSpace | None) -> Image.Image:
    if space is not None and image.mode in ("L", "RGB") and (profile is None or space.outranks_profile):
        return space.to_srgb(image)
    return _apply(image, profile)


def _apply(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert L, RGB, CMYK or LAB to RGB, using the profile if there is a usable one (perceptual intent)."""
    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = _PROFILE_MODES.get(source.profile.xcolor_space.strip())
            if mode == "RGB" and image.mode == "L":  # a grey picture tagged sRGB: its greys are those of sRGB
                image = image.convert("RGB")
            if mode != image.mode:
                return image.convert("RGB")
        else:
            return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image.convert("RGB")
    return converted if converted is not None else image
