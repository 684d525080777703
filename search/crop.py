"""A region of a picture, as a question about that region alone."""

import math
import re
from dataclasses import dataclass

from PIL import Image

from core.errors import InvalidQuery

__all__ = ["Crop"]

_LENGTH = r"\s*(\d+(?:\.\d+)?(?:e[-+]?\d+)?)(%?)\s*"
_BOX = re.compile(",".join([_LENGTH] * 4))


@dataclass(frozen=True)
class Crop:
    """A box `width` by `height` whose upper left corner is at (`x`, `y`) of the upright picture.

    All four are pixels of the whole picture, or all are `percent` of its width and height. Raises `InvalidQuery` for a
    box without area or with a corner outside; what reaches over the other edges is cut off.
    """

    x: float
    y: float
    width: float
    height: float
    percent: bool = False

    def __post_init__(self) -> None:
        sides = (self.x, self.y, self.width, self.height)
        if not all(math.isfinite(side) and side >= 0 for side in sides) or not (self.width and self.height):
            raise InvalidQuery(f"the region {self} has no area: its corner is 0 or more, its sides are above 0")

    @classmethod
    def parse(cls, text: str) -> "Crop":
        """`x,y,width,height` in pixels, or each with a percent sign. Raises `InvalidQuery`."""
        match = _BOX.fullmatch(text)
        signs = set(match.groups()[1::2]) if match else set()
        if match is None or len(signs) != 1:
            raise InvalidQuery(f"{text!r} is no region; write x,y,width,height in pixels, or as in 25%,0%,50%,100%")
        x, y, width, height = map(float, match.groups()[::2])
        return cls(x, y, width, height, percent=signs == {"%"})

    def of(self, image: Image.Image, full: tuple[int, int]) -> Image.Image:
        """The region of `image`, which shows a picture of `full` (width, height) pixels, possibly at a smaller scale.

        Raises `InvalidQuery` when it lies outside.
        """
        width, height = (100, 100) if self.percent else full
        across, down = image.width / width, image.height / height
        if self.x >= width or self.y >= height:
            raise InvalidQuery(f"the region {self} lies outside the picture, which is {full[0]}x{full[1]} pixels")
        left, top = int(self.x * across), int(self.y * down)
        right = min(round((self.x + self.width) * across), image.width)
        bottom = min(round((self.y + self.height) * down), image.height)
        return image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))

    def __str__(self) -> str:
        sides = (self.x, self.y, self.width, self.height)
        return ",".join(f"{repr(side).removesuffix('.0')}{'%' if self.percent else ''}" for side in sides)
