"""Lines of text that were read in a picture."""

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Corners", "TextLine"]

Corners: TypeAlias = tuple[float, float, float, float, float, float, float, float]
"""x and y of four corners, clockwise from the top left."""


@dataclass(frozen=True)
class TextLine:
    """A line of text, and where it is.

    `corners` are shares of the width and height of the upright picture or frame in 0..1. A line need not be horizontal,
    nor its outline a rectangle.
    """

    text: str
    confidence: float
    """0 to 1, as the recogniser says. It is not a probability."""
    corners: Corners
