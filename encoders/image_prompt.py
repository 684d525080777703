"""From a picture prompt to the picture that a model is shown: what matters is cropped, the rest blurred and faded.

Visual prompt engineering after Lüddecke and Ecker, "Image segmentation using text and image prompts" (CVPR 2022): CLIP
understands best which thing in a picture is meant when the picture is cropped to it and the background around it is
blurred and darkened. The numbers are those that CLIPSeg was trained with, as the authors' code states them (mode
"crop_blur_highlight352"): a Gaussian of 3 pixels at 352 x 352, a tenth of the background's intensity, a margin of a
tenth of the box on each side. Their intensity is that of normalised pixels, so that the background fades to the data
set's mean colour and not to black; so does ours. They squash first and crop then; we keep the picture's shape.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from encoders.prompts import PicturePrompt

__all__ = ["PromptStyle", "shown_picture"]

MEAN_COLOUR = (124, 116, 104)
"""Of ImageNet, 0.485, 0.456 and 0.406 of 255: what the normalisation of most models makes zero."""


@dataclass(frozen=True)
class PromptStyle:
    """How a picture prompt with a mask or a box is prepared."""

    blur: float = 3 / 352
    """Standard deviation of the Gaussian over the background, in longer sides of the picture."""
    background: float = 0.1
    """What is left of the background; the rest is the mean colour."""
    margin: float | None = 0.1
    """Width of the rim that is kept around the thing, in sides of its box; None keeps the whole picture."""


def shown_picture(prompt: PicturePrompt, style: PromptStyle = PromptStyle()) -> Image.Image:
    """The picture (RGB) to embed for `prompt`; its own picture when neither mask nor box says what matters."""
    where = prompt.where()
    image = prompt.image.convert("RGB")
    if where is None:
        return image
    ground = Image.new("RGB", image.size, MEAN_COLOUR)
    blurred = image.filter(ImageFilter.GaussianBlur(style.blur * max(image.size)))
    faded = Image.blend(ground, blurred, style.background)
    lit = Image.composite(image, faded, Image.fromarray(where.astype(np.uint8) * 255))
    return lit if style.margin is None else _squared(lit.crop(_box(where, style.margin)))


def _box(where: NDArray[np.bool_], margin: float) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is true, with a rim, inside the picture."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    across, down = round((right - left) * margin), round((bottom - top) * margin)
    height, width = where.shape
    return max(0, left - across), max(0, top - down), min(width, right + across), min(height, bottom + down)


def _squared(image: Image.Image) -> Image.Image:
    """In the middle of a square of the mean colour, so that no preprocessing stretches or cuts it."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), MEAN_COLOUR)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square
