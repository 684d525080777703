"""Convert a picture in any Pillow mode to RGB in sRGB.

There are two steps, so that a caller can shrink the picture in between: `to_8_bit` converts the channels to 8 bits, and
`to_srgb` applies the colour profile and puts transparent pictures on a neutral background.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

__all__ = ["BACKGROUND", "to_8_bit", "to_srgb"]

BACKGROUND = (128, 128, 128)
"""Background of transparent pictures: mid grey. On white, a white drawing would be embedded as a blank picture, and on
black, the usual result of dropping the alpha channel, a black one would."""

_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Pillow mode by colour space of an ICC profile."""


def to_8_bit(image: Image.Image) -> Image.Image:
    """Return `image` with 8 bits per channel, as L, LA, RGB, RGBA, CMYK or LAB; the pixels are otherwise the same."""
    if image.mode.startswith("I;16"):
        return Image.fromarray(_sixteen_to_eight(np.asarray(image)))
    if image.mode == "I":
        return Image.fromarray(_integers_to_eight(np.asarray(image)))
    if image.mode == "F":
        return Image.fromarray(_floats_to_eight(np.asarray(image)))
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture from `to_8_bit` as RGB in sRGB. `profile` is its ICC profile, which is ignored if unusable."""
    if image.mode not in ("LA", "RGBA"):
        return _apply(image, profile)
    alpha = image.getchannel("A")
    colours = _apply(image.convert("L" if image.mode == "LA" else "RGB"), profile)
    if alpha.getextrema() == (255, 255):
        return colours
    background = Image.new("RGB", colours.size, BACKGROUND)
    background.paste(colours, mask=alpha)
    return background


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
            return image.convert("RGB")
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image.convert("RGB")
    return converted if converted is not None else image


def _sixteen_to_eight(values: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Convert values (H, W) in 0..65535 to 0..255, rounded: 65535 = 255 * 257."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _integers_to_eight(values: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Convert 32-bit integers (H, W), which Pillow uses for some 16-bit files; larger values are stretched."""
    if values.min() >= 0 and values.max() <= 65535:
        return _sixteen_to_eight(values)
    return _stretch(values.astype(np.float64))


def _floats_to_eight(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Convert floats (H, W): 0..1 is scaled, 0..255 is kept, anything else is stretched. NaN and -inf are black."""
    finite = np.where(np.isfinite(values), values, 0).astype(np.float64)
    finite[np.isposinf(values)] = finite.max()
    low, high = finite.min(), finite.max()
    if low < 0 or high > 255:
        return _stretch(finite)
    return np.rint(finite * 255 if high <= 1 else finite).astype(np.uint8)


def _stretch(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Map the smallest value to 0 and the largest to 255."""
    low, high = values.min(), values.max()
    shares = (values - low) / max(high - low, np.finfo(np.float64).tiny)
    return np.asarray(np.rint(shares * 255), dtype=np.uint8)
