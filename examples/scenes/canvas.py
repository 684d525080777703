"""The sheet a scene is painted on: twice the final size, with light that grades every colour.

A stencil canvas takes the same strokes but keeps only where they fall, which yields the masks.
"""

from collections.abc import Sequence
from functools import cache
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from examples.scenes.colour import RGB
from examples.scenes.light import Light

__all__ = ["SUPERSAMPLE", "Canvas", "Pixels"]

SUPERSAMPLE = 2
"""Edge of the painted sheet over the edge of the final picture."""

Pixels = Sequence[tuple[float, float]]
_OPAQUE_ENOUGH = 128
"""A stencil ignores strokes that let more than half of the background through."""


class Canvas:
    """A painted sheet of `width` x `height` sheet pixels under one light."""

    def __init__(self, width: int, height: int, light: Light, seed: int, stencil: bool = False) -> None:
        self.width, self.height = width, height
        self.light = light
        self.rng = Random(seed)
        self.stencil = stencil
        self.image = Image.new("L" if stencil else "RGB", (width, height))
        self._draw = ImageDraw.Draw(self.image, "L" if stencil else "RGBA")

    def finish(self) -> Image.Image:
        """The sheet at its final size."""
        return self.image.reduce(SUPERSAMPLE)

    # Strokes, in sheet pixels with y down

    def _ink(self, colour: RGB, alpha: int) -> int | tuple[int, int, int, int] | None:
        if not self.stencil:
            return (*colour, alpha)
        return 255 if alpha >= _OPAQUE_ENOUGH else None

    def polygon(self, points: Pixels, colour: RGB, alpha: int = 255) -> None:
        """Fill a polygon."""
        ink = self._ink(colour, alpha)
        if ink is not None and len(points) > 1:
            self._draw.polygon([(x, y) for x, y in points], fill=ink)

    def ellipse(self, box: tuple[float, float, float, float], colour: RGB, alpha: int = 255) -> None:
        """Fill the ellipse inscribed in (left, top, right, bottom)."""
        ink = self._ink(colour, alpha)
        if ink is not None:
            self._draw.ellipse(box, fill=ink)

    def line(self, points: Pixels, width: float, colour: RGB, alpha: int = 255) -> None:
        """Draw an open line with rounded joints and ends."""
        ink = self._ink(colour, alpha)
        if ink is None:
            return
        thick = max(1, round(width))
        self._draw.line([(x, y) for x, y in points], fill=ink, width=thick, joint="curve")
        if thick > 3 and alpha == 255:
            r = thick / 2
            for x, y in (points[0], points[-1]):
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)

    def gradient(self, points: Pixels, top: RGB, bottom: RGB, sideways: bool = False) -> None:
        """Fill a polygon with a linear gradient over its bounding box, downwards or to the right."""
        if self.stencil:
            self.polygon(points, top)
            return
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        left, upper = max(0, int(min(xs))), max(0, int(min(ys)))
        right, lower = min(self.width, int(max(xs)) + 2), min(self.height, int(max(ys)) + 2)
        if right <= left or lower <= upper:
            return
        size = (right - left, lower - upper)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon([(x - left, y - upper) for x, y in points], fill=255)
        self.image.paste(_ramp(size, (top, bottom), sideways), (left, upper), mask)

    def backdrop(self, colours: Sequence[RGB], top: float, bottom: float) -> None:
        """Fill the full width between two heights (fractions) with a downward gradient."""
        first, last = round(top * self.height), round(bottom * self.height)
        if last > first and not self.stencil:
            self.image.paste(_ramp((self.width, last - first), colours), (0, first))

    def soft_ellipse(self, centre: tuple[float, float], radii: tuple[float, float], colour: RGB, alpha: int) -> None:
        """Blend in a spot that fades from its centre outwards: shadows and the halo of lamps."""
        width, height = round(radii[0] * 2), round(radii[1] * 2)
        if self.stencil or width < 2 or height < 2:
            return
        spot = _spot().resize((width, height), Image.Resampling.BILINEAR).point(lambda v: v * alpha // 255)
        self.image.paste(colour, (round(centre[0] - radii[0]), round(centre[1] - radii[1])), spot)

    def cloud(
        self, foot: tuple[float, float], size: float, puffs: Sequence[tuple[float, float]], colour: RGB, alpha: int
    ) -> None:
        """Blend in a heap of circles (offset and radius in `size`s) cut off flat at its foot."""
        if self.stencil:
            return
        reach = max(abs(dx) + r for dx, r in puffs) * size
        height = max(r for _, r in puffs) * 1.3 * size
        mask = Image.new("L", (max(1, round(2 * reach)), max(1, round(height))))
        draw = ImageDraw.Draw(mask)
        for dx, r in puffs:
            x, y, radius = reach + dx * size, height - 0.25 * r * size, r * size
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=alpha)
        fade = self.fade(mask.size, 255, 150)
        corner = (round(foot[0] - reach), round(foot[1] - height))
        self.image.paste(colour, corner, ImageChops.multiply(mask, fade))

    @staticmethod
    def fade(size: tuple[int, int], top: int, bottom: int) -> Image.Image:
        """A mask whose opacity goes from `top` to `bottom` downwards, for reflections and mist."""
        rows = np.rint(np.linspace(top, bottom, size[1])).astype(np.uint8)  # (height,)
        return Image.fromarray(rows[:, None]).resize(size, Image.Resampling.NEAREST)


def _ramp(size: tuple[int, int], colours: Sequence[RGB], sideways: bool = False) -> Image.Image:
    steps = size[0] if sideways else size[1]
    at = np.linspace(0, len(colours) - 1, max(2, steps))
    stops = np.asarray(colours, dtype=np.float64)  # (stops, 3)
    line = np.stack([np.interp(at, np.arange(len(colours)), stops[:, c]) for c in range(3)], axis=-1)
    strip = np.rint(line).astype(np.uint8)  # (steps, 3)
    image = Image.fromarray(strip[None, :, :] if sideways else strip[:, None, :])
    return image.resize(size, Image.Resampling.NEAREST)


@cache
def _spot() -> Image.Image:
    axis = np.linspace(-1, 1, 64)
    radius = np.hypot(axis[:, None], axis[None, :])  # (64, 64)
    fall = np.clip(1 - radius, 0, 1) ** 1.5
    return Image.fromarray(np.rint(fall * 255).astype(np.uint8))
