"""What one may ask a model to find in a picture: words, a picture of it, or a vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidQuery

__all__ = ["PicturePrompt", "Prompt", "TextPrompt", "VectorPrompt", "as_prompts"]


@dataclass(frozen=True)
class TextPrompt:
    """Words. Raises `InvalidQuery` when there are none."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidQuery("a prompt without words finds nothing; say what to look for")

    @property
    def title(self) -> str:
        """What to call it."""
        return self.text


@dataclass(frozen=True, eq=False)
class PicturePrompt:
    """A picture of what to find, and where in it that is (`encoders/image_prompt.py` makes use of that).

    `image` is upright and in sRGB. `mask` (H, W) is true where the thing is, at the picture's size; `box` is a
    rectangle around it, (left, top, width, height) in pixels. With neither, the whole picture is the prompt.
    Raises `InvalidQuery` for a mask of another size, one that is true nowhere, and a box outside the picture.
    """

    image: Image.Image
    mask: NDArray[np.bool_] | None = None
    box: tuple[int, int, int, int] | None = None
    name: str = "a picture"

    def __post_init__(self) -> None:
        width, height = self.image.size
        if self.mask is not None and self.mask.shape != (height, width):
            rows, columns = self.mask.shape
            raise InvalidQuery(f"the mask has {columns}x{rows} pixels, its picture {width}x{height}")
        where = self.where()
        if where is not None and not where.any():
            raise InvalidQuery("nothing of the picture is within the mask or box that says what to look for in it")

    def where(self) -> NDArray[np.bool_] | None:
        """Where the thing is, (H, W): in the mask and in the box; None when neither was given."""
        if self.box is None:
            return self.mask
        left, top, width, height = self.box
        inside = np.zeros(self.image.size[::-1], dtype=np.bool_)
        inside[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = True
        return inside if self.mask is None else inside & self.mask

    @property
    def title(self) -> str:
        """What to call it."""
        return f"like {self.name}"


@dataclass(frozen=True, eq=False)
class VectorPrompt:
    """A vector (D,) of the model's own space: of anything it has embedded, or of several such things.

    Raises `InvalidQuery` for another shape, and for a vector without direction.
    """

    vector: NDArray[np.float32]
    name: str = "a vector"

    def __post_init__(self) -> None:
        if self.vector.ndim != 1 or not np.isfinite(self.vector).all() or not self.vector.any():
            raise InvalidQuery("a prompt vector is a row of finite numbers that are not all zero")

    @property
    def title(self) -> str:
        """What to call it."""
        return self.name


Prompt: TypeAlias = TextPrompt | PicturePrompt | VectorPrompt


def as_prompts(prompts: Sequence[Prompt | str] | str) -> tuple[Prompt, ...]:
    """Prompts as people write them: strings are words. Raises `InvalidQuery` when there are none."""
    given = [prompts] if isinstance(prompts, str) else prompts
    if not given:
        raise InvalidQuery("say what to look for in the picture: words, or a picture of it")
    return tuple(TextPrompt(prompt) if isinstance(prompt, str) else prompt for prompt in given)
