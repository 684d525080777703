"""Lines of text marked on their picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.text_lines import TextLine
from search.highlight.overlay import DESATURATION, Panel, colour_ramp

__all__ = ["line_box", "mark_lines", "text_mask", "text_panel"]

DIMMING = 0.35
"""Fraction of its brightness that the picture loses where no line is marked."""


def mark_lines(image: Image.Image, lines: Sequence[TextLine]) -> Image.Image:
    """Return `image` (RGB), grey and darker except for the lines, which have an outline."""
    colours = image.convert("RGB")
    grey = Image.blend(colours, image.convert("L").convert("RGB"), DESATURATION)
    dimmed = Image.blend(grey, Image.new("RGB", image.size), DIMMING)
    marked = Image.composite(colours, dimmed, Image.fromarray(text_mask(image.size, lines)))
    draw, width = ImageDraw.Draw(marked), 2 * max(1, round(max(image.size) / 500))
    outline = tuple(colour_ramp()[-1].tolist())
    for line in lines:
        points = _points(line, image.size)
        draw.line([*points, points[0]], outline, width, joint="curve")
    return marked


def text_mask(size: tuple[int, int], lines: Sequence[TextLine]) -> NDArray[np.uint8]:
    """Return a mask (H, W): 255 inside the lines, 0 elsewhere."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for line in lines:
        draw.polygon(_points(line, size), fill=255)
    return np.asarray(mask)


def line_box(line: TextLine, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, width and height in pixels of the smallest box around a line in a picture of `size`."""
    (left, right), (top, bottom) = (
        (min(line.corners[axis::2]) * size[axis], max(line.corners[axis::2]) * size[axis]) for axis in (0, 1)
    )
    return round(left), round(top), round(right - left), round(bottom - top)


def text_panel(image: Image.Image, lines: Sequence[TextLine]) -> Panel:
    """Return a panel with the lines marked on `image`."""
    number = f"{len(lines)} lines of text" if len(lines) > 1 else "1 line of text" if lines else "no text found"
    return Panel(mark_lines(image, lines), " / ".join(line.text for line in lines) or "-", number)


def _points(line: TextLine, size: tuple[int, int]) -> list[tuple[float, float]]:
    return [(x * size[0], y * size[1]) for x, y in zip(line.corners[::2], line.corners[1::2], strict=True)]
