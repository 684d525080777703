"""Prompts: what to look for in a picture, as a text, another picture, or a vector.

A picture prompt with a mask or a box is rendered for the model by visual prompt engineering after Lüddecke and Ecker,
"Image segmentation using text and image prompts" (CVPR 2022): CLIP understands best which thing in a picture is meant
when the picture is cropped to it and the background around it is blurred and darkened. The numbers are those that
CLIPSeg was trained with, as the authors' code has them (mode "crop_blur_highlight352"): a Gaussian of 3 pixels at 352 x
352, a tenth of the background's intensity, a margin of a tenth of the box on each side. Their intensity is that of
normalised pixels, so that the background fades to the mean colour of the data set and not to black; so does ours. They
squash first and crop then; we keep the shape of the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from core.errors import InvalidQuery

__all__ = ["PicturePrompt", "Prompt", "PromptStyle", "TextPrompt", "VectorPrompt", "as_prompts", "render_prompt"]


@dataclass(frozen=True)
class TextPrompt:
    """A text. Raises `InvalidQuery` if it is empty."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidQuery("The prompt is empty.")

    @property
    def title(self) -> str:
        """A short description."""
        return self.text


@dataclass(frozen=True, eq=False)
class PicturePrompt:
    """A picture of the thing to find, and where in the picture it is.

    `image` is upright and in sRGB. `mask` (H, W) is true where the thing is, at the size of the picture; `box` is a
    rectangle around it, (left, top, width, height) in pixels. With neither, the whole picture is the prompt.
    Raises `InvalidQuery` for a mask of another size, an empty mask, and a box outside the picture.
    """

    image: Image.Image
    mask: NDArray[np.bool_] | None = None
    box: tuple[int, int, int, int] | None = None
    name: str = "a picture"

    def __post_init__(self) -> None:
        width, height = self.image.size
        if self.mask is not None and self.mask.shape != (height, width):
            rows, columns = self.mask.shape
            raise InvalidQuery(f"The mask has {columns}x{rows} pixels, but its picture has {width}x{height}.")
        where = self.where()
        if where is not None and not where.any():
            raise InvalidQuery("The mask or box selects no part of the picture.")

    def where(self) -> NDArray[np.bool_] | None:
        """Return where the thing is, (H, W): within both mask and box; None if there is neither."""
        if self.box is None:
            return self.mask
        left, top, width, height = self.box
        inside = np.zeros(self.image.size[::-1], dtype=np.bool_)
        inside[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = True
        return inside if self.mask is None else inside & self.mask

    @property
    def title(self) -> str:
        """A short description."""
        return f"like {self.name}"


@dataclass(frozen=True, eq=False)
class VectorPrompt:
    """A vector (D,) of the model's space, of one embedded item or a combination of several.

    Raises `InvalidQuery` for another shape, and for a vector without direction.
    """

    vector: NDArray[np.float32]
    name: str = "a vector"

    def __post_init__(self) -> None:
        if self.vector.ndim != 1 or not np.isfinite(self.vector).all() or not self.vector.any():
            raise InvalidQuery("A prompt vector must be one-dimensional, finite and not zero.")

    @property
    def title(self) -> str:
        """A short description."""
        return self.name


Prompt: TypeAlias = TextPrompt | PicturePrompt | VectorPrompt


def as_prompts(prompts: Sequence[Prompt | str] | str) -> tuple[Prompt, ...]:
    """Convert strings to text prompts. Raises `InvalidQuery` if there is no prompt."""
    given = [prompts] if isinstance(prompts, str) else prompts
    if not given:
        raise InvalidQuery("There is no prompt: give at least one text or picture.")
    return tuple(TextPrompt(prompt) if isinstance(prompt, str) else prompt for prompt in given)


MEAN_COLOUR = (124, 116, 104)
"""The mean of ImageNet (0.485, 0.456, 0.406) times 255, which the normalisation of most models maps to zero."""


@dataclass(frozen=True)
class PromptStyle:
    """How to render a picture prompt with a mask or a box."""

    blur: float = 3 / 352
    """Standard deviation of the Gaussian over the background, relative to the longer side of the picture."""
    background: float = 0.1
    """Opacity of the background over the mean colour."""
    margin: float | None = 0.1
    """Margin around the thing, relative to the sides of its box; None keeps the whole picture."""


def render_prompt(prompt: PicturePrompt, style: PromptStyle = PromptStyle()) -> Image.Image:
    """Return the picture (RGB) to embed for `prompt`; the unchanged picture if there is neither mask nor box."""
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
    """Return (left, top, right, bottom) of the true values, with a margin, clipped to the picture."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    across, down = round((right - left) * margin), round((bottom - top) * margin)
    height, width = where.shape
    return max(0, left - across), max(0, top - down), min(width, right + across), min(height, bottom + down)


def _squared(image: Image.Image) -> Image.Image:
    """Pad to a square with the mean colour, so that no preprocessing stretches or crops it."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), MEAN_COLOUR)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square
