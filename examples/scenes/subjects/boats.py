"""Boats; their waterline is at y = 0 and their hulls dip a little below."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["rowing_boat", "sailing_boat", "ship"]


def _wake(pen: Pen, half: float) -> None:
    pen.ellipse(0, -0.1, half * 1.15, 0.05, (240, 248, 252), 90)
    pen.ellipse(0, -0.06, half, 0.04, (14, 40, 70), 70)


def sailing_boat(pen: Pen, paint: RGB) -> None:
    """A dinghy with mainsail and jib; `paint` colours the sails."""
    _wake(pen, 0.5)
    pen.line(((-0.02, 0.1), (-0.02, 1.0)), 0.025, (110, 78, 52))
    pen.shaded(((0.02, 0.16), (0.02, 0.97), (0.28, 0.6), (0.42, 0.16)), paint, strength=0.15)
    pen.poly(((-0.06, 0.16), (-0.06, 0.9), (-0.26, 0.5), (-0.4, 0.16)), lighten(paint, 0.35))
    pen.line(((-0.42, 0.14), (0.44, 0.14)), 0.02, (110, 78, 52))
    hull = ((-0.48, 0.1), (0.54, 0.12), (0.4, -0.06), (-0.36, -0.06))
    pen.shaded(hull, (122, 72, 44))
    pen.poly(((-0.48, 0.1), (0.54, 0.12), (0.5, 0.07), (-0.46, 0.06)), (244, 240, 230))


def rowing_boat(pen: Pen, paint: RGB) -> None:
    """A small open boat with oars; height 1, width about 3."""
    _wake(pen, 1.5)
    pen.poly(((-1.4, 0.62), (1.45, 0.66), (1.1, 0.4), (-1.1, 0.4)), darken(paint, 0.5))
    hull = ((-1.5, 0.66), (-1.2, 0.46), (0, 0.38), (1.2, 0.46), (1.6, 0.74), (1.2, 0.0), (0, -0.14), (-1.2, 0.0))
    pen.shaded(hull, paint)
    pen.poly(
        ((-1.5, 0.66), (-1.2, 0.46), (0, 0.38), (1.2, 0.46), (1.6, 0.74), (1.2, 0.36), (0, 0.26), (-1.2, 0.36)),
        lighten(paint, 0.55),
    )
    pen.line(((-0.2, 0.5), (-1.0, -0.1)), 0.06, (170, 124, 80))
    pen.line(((0.4, 0.5), (1.0, -0.12)), 0.06, (170, 124, 80))


def ship(pen: Pen, paint: RGB) -> None:
    """A steamer with a funnel; height 1, width about 2."""
    _wake(pen, 1.1)
    for i in range(4):
        pen.ellipse(-0.14 - i * 0.16, 1.0 + i * 0.07, 0.09 + i * 0.035, 0.07 + i * 0.02, (214, 216, 220), 150 - 30 * i)
    pen.shaded(((-0.2, 0.5), (-0.2, 0.96), (0.06, 0.96), (0.06, 0.5)), paint)
    pen.rect(-0.2, 0.86, 0.06, 0.96, (50, 50, 58))
    pen.rect(-0.66, 0.3, 0.52, 0.46, (246, 244, 238))
    pen.rect(-0.5, 0.46, 0.36, 0.62, (232, 232, 228))
    for i in range(6):
        pen.window(-0.58 + i * 0.18, 0.34, -0.5 + i * 0.18, 0.42)
    for i in range(4):
        pen.window(-0.42 + i * 0.2, 0.5, -0.32 + i * 0.2, 0.58)
    pen.shaded(((-1.0, 0.36), (-0.92, -0.1), (0.86, -0.1), (1.12, 0.42), (0.8, 0.3), (-0.8, 0.3)), paint)
    pen.poly(((-0.95, 0.02), (-0.92, -0.1), (0.86, -0.1), (0.92, 0.02)), (150, 44, 40))
