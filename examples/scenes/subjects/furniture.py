"""Furniture and festive things."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["christmas_tree", "potted_plant", "sofa"]


def sofa(pen: Pen, paint: RGB) -> None:
    """A two-seat sofa with a cushion; height 1, width about 2.3."""
    pen.shadow(0, 1.25, 0.08)
    for x in (-0.95, 0.95):
        pen.rect(x - 0.04, 0, x + 0.04, 0.14, (92, 66, 48))
    pen.shaded(((-1.0, 0.4), (-0.98, 0.9), (-0.8, 1.0), (0.8, 1.0), (0.98, 0.9), (1.0, 0.4)), paint, strength=0.12)
    pen.line(((0, 0.5), (0, 0.98)), 0.015, darken(paint, 0.3))
    for x in (-0.48, 0.48):
        pen.blob(
            ((x - 0.46, 0.34), (x - 0.47, 0.52), (x, 0.56), (x + 0.47, 0.52), (x + 0.46, 0.34), (x, 0.32)),
            lighten(paint, 0.12),
        )
    pen.rect(-1.0, 0.12, 1.0, 0.36, darken(paint, 0.12))
    for x in (-1.06, 1.06):
        pen.blob(
            ((x - 0.13, 0.12), (x - 0.14, 0.6), (x, 0.72), (x + 0.14, 0.6), (x + 0.13, 0.12)), lighten(paint, 0.05)
        )
    pen.blob(((-0.82, 0.52), (-0.86, 0.84), (-0.5, 0.88), (-0.46, 0.54)), (246, 214, 130))


def potted_plant(pen: Pen, paint: RGB) -> None:
    """A leafy plant; `paint` colours the pot."""
    pen.shadow(0, 0.26, 0.04)
    green: RGB = (70, 140, 84)
    leaves = ((-0.34, 0.62), (0.34, 0.64), (-0.24, 0.86), (0.24, 0.88), (0.0, 1.0), (-0.38, 0.42), (0.38, 0.44))
    for i, (x, y) in enumerate(leaves):
        tone = lighten(green, 0.08 * (i % 3)) if i % 2 else darken(green, 0.15)
        side = (0.09, -0.07 if x > 0 else 0.07)
        pen.blob(((0, 0.3), (x * 0.55 - side[0], y * 0.72 + 0.04), (x, y), (x * 0.55 + side[0], y * 0.7 - 0.02)), tone)
    pen.shaded(((-0.2, 0.32), (-0.14, 0.0), (0.14, 0.0), (0.2, 0.32)), paint)
    pen.rect(-0.22, 0.28, 0.22, 0.35, lighten(paint, 0.15))


def christmas_tree(pen: Pen, _: RGB) -> None:
    """A decorated fir with a star and parcels."""
    pen.shadow(0, 0.36, 0.04)
    pen.rect(-0.04, 0, 0.04, 0.14, (112, 78, 54))
    for i in range(3):
        base, half = 0.1 + i * 0.24, 0.36 - i * 0.085
        pen.shaded(((-half, base), (0, base - 0.02), (half, base), (0, base + 0.4)), (40, 112, 72))
    baubles: tuple[RGB, ...] = ((220, 60, 56), (246, 200, 70), (80, 140, 210), (236, 120, 160))
    for i, (x, y) in enumerate(
        (
            (-0.2, 0.16),
            (0.02, 0.18),
            (0.22, 0.17),
            (-0.12, 0.3),
            (0.12, 0.32),
            (-0.14, 0.42),
            (0.14, 0.43),
            (0.0, 0.5),
            (-0.08, 0.66),
            (0.08, 0.68),
            (0.0, 0.82),
        )
    ):
        if pen.dark:
            pen.glow(x, y, 0.09, (255, 220, 140), 150)
        pen.ellipse(x, y, 0.026, 0.026, baubles[i % 4], lit=pen.dark)
    pen.poly(
        (
            (0, 1.06),
            (-0.022, 0.985),
            (-0.08, 0.985),
            (-0.03, 0.945),
            (-0.05, 0.88),
            (0, 0.92),
            (0.05, 0.88),
            (0.03, 0.945),
            (0.08, 0.985),
            (0.022, 0.985),
        ),
        (255, 214, 80),
        lit=pen.dark,
    )
    for x, size, tone in ((-0.32, 0.1, baubles[0]), (0.3, 0.12, baubles[2]), (-0.16, 0.075, baubles[1])):
        pen.rect(x - size, 0, x + size, size * 1.5, tone)
        pen.rect(x - 0.015, 0, x + 0.015, size * 1.5, (250, 246, 236))
