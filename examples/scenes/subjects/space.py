"""Rocket and planet."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["planet", "rocket"]


def rocket(pen: Pen, paint: RGB) -> None:
    """A rocket flying straight up; `paint` colours nose and fins."""
    pen.glow(0, 0.1, 0.4, (255, 180, 80), 200)
    for squeeze, tone in ((1.0, (244, 110, 40)), (0.6, (255, 206, 90))):
        pen.blob(
            [
                (x * squeeze, 0.22 + (y - 0.22) * squeeze)
                for x, y in ((-0.09, 0.24), (-0.1, 0.12), (0, -0.04), (0.1, 0.12), (0.09, 0.24))
            ],
            tone,
            lit=True,
        )
    for side in (-1, 1):
        pen.poly(
            ((side * 0.12, 0.46), (side * 0.3, 0.24), (side * 0.28, 0.14), (side * 0.1, 0.26)),
            darken(paint, 0.1),
            lit=True,
        )
    body: RGB = (240, 242, 246)
    pen.blob(
        ((0, 1.0), (-0.13, 0.78), (-0.16, 0.5), (-0.1, 0.23), (0.1, 0.23), (0.16, 0.5), (0.13, 0.78)), body, lit=True
    )
    pen.blob(
        ((0.02, 0.98), (0.06, 0.6), (0.04, 0.23), (0.1, 0.23), (0.16, 0.5), (0.13, 0.78)), darken(body, 0.16), lit=True
    )
    pen.blob(((0, 1.02), (-0.1, 0.84), (-0.12, 0.77), (0.12, 0.77), (0.1, 0.84)), paint, lit=True)
    pen.ellipse(0, 0.62, 0.08, 0.08, darken(paint, 0.2), lit=True)
    pen.ellipse(0, 0.62, 0.055, 0.055, (130, 190, 226), lit=True)
    pen.rect(-0.1, 0.22, 0.1, 0.27, (90, 94, 104), lit=True)
    pen.poly(((-0.02, 0.4), (0.02, 0.4), (0.02, 0.16), (-0.02, 0.16)), paint, lit=True)


def planet(pen: Pen, paint: RGB) -> None:
    """A banded planet with a ring."""
    pen.glow(0, 0.5, 0.95, paint, 90)
    ring = lighten(paint, 0.5)

    def arc(start: int, stop: int) -> list[tuple[float, float]]:
        steps = [start + (stop - start) * i / 24 for i in range(25)]
        return [(0.86 * cos(a * pi / 180), 0.5 + 0.2 * sin(a * pi / 180) + 0.22 * cos(a * pi / 180)) for a in steps]

    pen.line(arc(0, 180), 0.07, darken(ring, 0.3), lit=True)
    pen.ellipse(0, 0.5, 0.46, 0.46, paint, lit=True)
    for low, high in ((0.16, 0.26), (0.44, 0.54), (0.7, 0.78)):
        edge = [(-1, low), (-1, high), (1, high), (1, low)]
        band = [(x * (0.46**2 - (y - 0.5) ** 2) ** 0.5, y) for x, y in edge]
        pen.poly(band, darken(paint, 0.2), lit=True)
    shade = [(0.46 * cos(a * pi / 18), 0.5 + 0.46 * sin(a * pi / 18)) for a in range(-9, 10)]
    inner = [(0.2 * cos(a * pi / 18), 0.5 + 0.46 * sin(a * pi / 18)) for a in range(9, -10, -1)]
    pen.poly(shade + inner, (10, 10, 30), 70, lit=True)
    pen.line(arc(180, 360), 0.07, ring, lit=True)
