"""Animals under water and the whale at its surface."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["jellyfish", "octopus", "turtle", "whale"]


def whale(pen: Pen, paint: RGB) -> None:
    """A whale at the surface, blowing; the waterline is at y = 0."""
    for points in (
        ((0.34, 0.6), (0.3, 0.86), (0.14, 0.96)),
        ((0.36, 0.6), (0.38, 0.96)),
        ((0.38, 0.6), (0.44, 0.86), (0.6, 0.96)),
    ):
        pen.line(points, 0.05, (236, 248, 252))
    pen.blob(
        ((-0.9, 0.3), (-1.1, 0.56), (-1.36, 0.74), (-1.06, 0.78), (-0.96, 0.9), (-0.84, 0.64), (-0.72, 0.3)),
        darken(paint, 0.1),
    )
    body = (
        (-1.0, 0.26),
        (-0.6, 0.36),
        (0.0, 0.58),
        (0.5, 0.58),
        (0.86, 0.36),
        (0.94, 0.04),
        (0.6, -0.06),
        (-0.5, -0.06),
    )
    pen.shaded(body, paint, curved=True)
    pen.blob(((0.94, 0.06), (0.5, 0.16), (-0.2, 0.06), (-0.1, -0.06), (0.6, -0.07)), lighten(paint, 0.65))
    pen.eye(0.62, 0.28, 0.045)
    for x in (-0.8, -0.1, 0.6):
        pen.ellipse(x, -0.05, 0.46, 0.05, (236, 248, 252), 150)


def turtle(pen: Pen, paint: RGB) -> None:
    """A sea turtle swimming to the right."""
    skin: RGB = (150, 184, 110)
    pen.blob(((0.2, 0.4), (0.36, 0.02), (0.1, -0.06), (-0.04, 0.34)), darken(skin, 0.2))
    pen.blob(((-0.5, 0.4), (-0.86, 0.2), (-0.9, 0.32), (-0.56, 0.54)), darken(skin, 0.2))
    pen.blob(((0.5, 0.62), (0.72, 0.86), (0.98, 0.84), (1.04, 0.66), (0.86, 0.54), (0.56, 0.46)), skin)
    pen.shaded(
        ((-0.66, 0.46), (-0.5, 0.76), (-0.1, 0.96), (0.34, 0.86), (0.62, 0.54), (0.3, 0.38), (-0.4, 0.36)),
        paint,
        curved=True,
    )
    for x, y in ((-0.34, 0.6), (-0.04, 0.66), (0.26, 0.62), (-0.16, 0.82), (0.14, 0.82)):
        pen.poly(
            [
                (x + dx * 0.12, y + dy * 0.1)
                for dx, dy in ((-1, 0), (-0.5, 0.8), (0.5, 0.8), (1, 0), (0.5, -0.8), (-0.5, -0.8))
            ],
            darken(paint, 0.3),
        )
    pen.blob(((0.36, 0.44), (0.5, 0.06), (0.22, -0.14), (0.14, 0.36)), skin)
    pen.eye(0.9, 0.74, 0.045)


def jellyfish(pen: Pen, paint: RGB) -> None:
    """A glassy jellyfish with trailing arms."""
    for i, x in enumerate((-0.26, -0.13, 0.0, 0.13, 0.26)):
        bend = 0.06 if i % 2 else -0.06
        pen.line(((x, 0.6), (x + bend, 0.42), (x - bend, 0.22), (x + bend, 0.02)), 0.04, lighten(paint, 0.35))
    pen.shaded(
        ((-0.4, 0.6), (-0.34, 0.84), (0, 1.0), (0.34, 0.84), (0.4, 0.6), (0.2, 0.56), (0, 0.61), (-0.2, 0.56)),
        paint,
        curved=True,
        strength=0.3,
    )
    pen.blob(((-0.26, 0.7), (-0.16, 0.88), (0.02, 0.92), (-0.1, 0.74)), (255, 255, 255), 90)
    for x in (-0.1, 0.1):
        pen.eye(x, 0.72, 0.03)


def octopus(pen: Pen, paint: RGB) -> None:
    """A round-headed octopus with curling arms."""
    arms = (-0.62, -0.38, -0.14, 0.14, 0.38, 0.62)
    for x in arms:
        side = 1 if x > 0 else -1
        pen.line(
            ((x * 0.5, 0.44), (x * 0.9, 0.2), (x, 0.08), (x + side * 0.16, 0.06), (x + side * 0.2, 0.18)),
            0.12,
            darken(paint, 0.12),
        )
    pen.shaded(
        ((-0.34, 0.34), (-0.42, 0.7), (-0.2, 0.98), (0.2, 0.98), (0.42, 0.7), (0.34, 0.34), (0, 0.28)),
        paint,
        curved=True,
    )
    for x in (-0.14, 0.14):
        pen.ellipse(x, 0.6, 0.1, 0.12, (252, 252, 250))
        pen.eye(x, 0.59, 0.055)
    pen.line(((-0.08, 0.43), (0, 0.4), (0.08, 0.43)), 0.025, darken(paint, 0.5))
    for x, y in ((-0.22, 0.82), (0.02, 0.88), (0.24, 0.8)):
        pen.ellipse(x, y, 0.045, 0.045, lighten(paint, 0.35))
