"""A map laid over its picture, pixel by pixel."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from search.highlight.overlay.colours import ramp

__all__ = ["blend", "opacity"]

FAINTEST, STRONGEST = 0.1, 0.65
"""How much of the picture a value of 0, and one of 1, covers with its colour."""
GREY = 0.6
"""How much of its own colours the picture loses, so that those of the map stand out."""
OUTLINE = (255, 255, 255)


def blend(image: Image.Image, values: NDArray[np.float32], mask: NDArray[np.bool_] | None = None) -> Image.Image:
    """`image` (RGB) with the map `values` (H, W) in 0..1 over it and the outline of `mask`, at the picture's size."""
    grey = Image.blend(image.convert("RGB"), image.convert("L").convert("RGB"), GREY)
    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)  # (H, W)
    colours = Image.fromarray(ramp()[levels])
    cover = Image.fromarray(np.rint(opacity() * 255).astype(np.uint8)[levels])
    shown = Image.composite(colours, grey, cover)
    if mask is not None and mask.any() and not mask.all():
        shown.paste(OUTLINE, mask=_outline(mask))
    return shown


def opacity() -> NDArray[np.floating]:
    """How much each of the ramp's 256 values covers, (256,)."""
    return np.asarray(np.linspace(FAINTEST, STRONGEST, 256))


def _outline(mask: NDArray[np.bool_]) -> Image.Image:
    """The outermost pixels inside a mask, thicker in a large picture."""
    shown = Image.fromarray(mask.astype(np.uint8) * 255)
    width = 2 * max(1, round(max(shown.size) / 600)) + 1
    inner = np.asarray(shown.filter(ImageFilter.MinFilter(width)))
    return Image.fromarray(np.where(inner > 0, 0, np.asarray(shown)).astype(np.uint8))
