"""Four-legged animals, all facing right, feet at y = 0."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["cat", "cow", "dog", "horse", "sheep"]

_DARK: RGB = (44, 38, 40)


def _leg(pen: Pen, x: float, top: float, width: float, colour: RGB, hoof: RGB | None = None) -> None:
    pen.poly(((x - width * 0.6, top), (x + width * 0.6, top), (x + width * 0.4, 0), (x - width * 0.45, 0)), colour)
    pen.rect(x - width * 0.45, 0, x + width * 0.55, 0.05, hoof or darken(colour, 0.25))


def dog(pen: Pen, paint: RGB) -> None:
    """A friendly dog with a hanging ear; height 1."""
    pen.shadow(0, 0.6, 0.06)
    shade = darken(paint, 0.25)
    pen.line(((-0.5, 0.56), (-0.66, 0.7), (-0.68, 0.88)), 0.09, paint)
    _leg(pen, -0.3, 0.4, 0.13, shade)
    _leg(pen, 0.3, 0.4, 0.13, shade)
    body = (
        (-0.52, 0.56),
        (-0.4, 0.64),
        (0.1, 0.62),
        (0.38, 0.7),
        (0.46, 0.5),
        (0.34, 0.34),
        (-0.1, 0.36),
        (-0.44, 0.34),
    )
    pen.shaded(body, paint, curved=True, strength=0.14)
    _leg(pen, -0.42, 0.44, 0.14, paint)
    _leg(pen, 0.38, 0.44, 0.14, paint)
    pen.blob(
        (
            (0.22, 0.6),
            (0.3, 0.82),
            (0.44, 0.96),
            (0.6, 0.96),
            (0.7, 0.84),
            (0.9, 0.78),
            (0.92, 0.7),
            (0.62, 0.64),
            (0.46, 0.52),
        ),
        paint,
    )
    pen.ellipse(0.8, 0.72, 0.13, 0.075, lighten(paint, 0.45))
    pen.ellipse(0.91, 0.77, 0.045, 0.04, _DARK)
    pen.blob(((0.42, 0.96), (0.5, 0.88), (0.48, 0.64), (0.38, 0.58), (0.31, 0.7), (0.34, 0.88)), darken(paint, 0.4))
    pen.eye(0.64, 0.85, 0.035)
    pen.line(((0.34, 0.64), (0.52, 0.58)), 0.055, (206, 60, 54))


def cat(pen: Pen, paint: RGB) -> None:
    """A sitting cat, head turned to the viewer; height 1."""
    pen.shadow(0, 0.45, 0.06)
    pen.line(((-0.24, 0.06), (-0.5, 0.1), (-0.6, 0.28), (-0.52, 0.42)), 0.09, darken(paint, 0.12))
    body = ((-0.34, 0.04), (-0.36, 0.28), (-0.18, 0.56), (0.04, 0.66), (0.24, 0.56), (0.3, 0.3), (0.28, 0.02))
    pen.shaded(body, paint, curved=True, strength=0.14)
    pen.ellipse(0.1, 0.28, 0.13, 0.22, lighten(paint, 0.5))
    for x in (0.02, 0.2):
        pen.ellipse(x, 0.04, 0.09, 0.05, lighten(paint, 0.3))
    for side in (-1, 1):
        tip = (0.1 + side * 0.24, 1.0)
        pen.poly(((0.1 + side * 0.26, 0.74), tip, (0.1 + side * 0.04, 0.88)), paint)
        pen.poly(((0.1 + side * 0.22, 0.78), (tip[0] - side * 0.01, 0.95), (0.1 + side * 0.09, 0.86)), (236, 160, 160))
    pen.ellipse(0.1, 0.72, 0.28, 0.2, paint)
    pen.ellipse(0.1, 0.65, 0.12, 0.08, lighten(paint, 0.5))
    for x in (-0.02, 0.22):
        pen.ellipse(x, 0.74, 0.05, 0.055, (206, 214, 96))
        pen.ellipse(x, 0.74, 0.02, 0.05, (20, 20, 24))
    pen.poly(((0.07, 0.69), (0.13, 0.69), (0.1, 0.655)), (226, 120, 124))
    for dy in (0.0, 0.035):
        pen.line(((0.2, 0.66 + dy), (0.44, 0.68 + dy * 2)), 0.008, (236, 236, 236))
        pen.line(((0.0, 0.66 + dy), (-0.24, 0.68 + dy * 2)), 0.008, (236, 236, 236))


def horse(pen: Pen, paint: RGB) -> None:
    """A standing horse; height 1, about as long."""
    pen.shadow(0, 0.55, 0.05)
    mane, shade = darken(paint, 0.55), darken(paint, 0.25)
    _leg(pen, -0.24, 0.4, 0.085, shade, _DARK)
    _leg(pen, 0.2, 0.4, 0.08, shade, _DARK)
    pen.blob(((-0.42, 0.66), (-0.36, 0.62), (-0.44, 0.4), (-0.5, 0.2), (-0.56, 0.3), (-0.54, 0.52)), mane)
    body = (
        (-0.44, 0.62),
        (-0.3, 0.68),
        (-0.02, 0.63),
        (0.18, 0.68),
        (0.3, 0.6),
        (0.26, 0.42),
        (0.0, 0.38),
        (-0.22, 0.4),
        (-0.42, 0.42),
    )
    pen.shaded(body, paint, curved=True, strength=0.13)
    pen.blob(
        (
            (0.08, 0.64),
            (0.2, 0.8),
            (0.3, 0.94),
            (0.38, 0.96),
            (0.46, 0.9),
            (0.62, 0.74),
            (0.64, 0.68),
            (0.56, 0.66),
            (0.42, 0.76),
            (0.36, 0.66),
            (0.3, 0.5),
        ),
        paint,
    )
    pen.blob(((0.02, 0.66), (0.14, 0.8), (0.26, 0.96), (0.34, 0.99), (0.3, 0.88), (0.2, 0.72), (0.1, 0.62)), mane)
    pen.poly(((0.32, 0.94), (0.345, 1.04), (0.39, 0.94)), paint)
    pen.ellipse(0.59, 0.7, 0.06, 0.05, darken(paint, 0.35))
    pen.eye(0.42, 0.87, 0.02)
    _leg(pen, -0.36, 0.5, 0.1, paint, _DARK)
    _leg(pen, 0.26, 0.5, 0.09, paint, _DARK)


def cow(pen: Pen, paint: RGB) -> None:
    """A dairy cow with patches; `paint` colours the patches."""
    pen.shadow(0, 0.8, 0.06)
    hide: RGB = (244, 240, 232)
    for x in (-0.42, 0.3):
        _leg(pen, x, 0.4, 0.12, darken(hide, 0.2), _DARK)
    pen.line(((-0.62, 0.72), (-0.72, 0.5), (-0.7, 0.32)), 0.04, hide)
    pen.ellipse(-0.7, 0.3, 0.05, 0.07, paint)
    pen.ellipse(-0.3, 0.3, 0.12, 0.09, (240, 170, 170))
    body = (
        (-0.64, 0.74),
        (-0.4, 0.8),
        (0.2, 0.78),
        (0.46, 0.8),
        (0.54, 0.56),
        (0.4, 0.34),
        (-0.1, 0.32),
        (-0.58, 0.36),
    )
    pen.shaded(body, hide, curved=True, strength=0.1)
    pen.blob(((-0.5, 0.76), (-0.24, 0.78), (-0.16, 0.6), (-0.34, 0.48), (-0.52, 0.56)), paint)
    pen.blob(((0.06, 0.76), (0.3, 0.76), (0.28, 0.54), (0.12, 0.46), (0.0, 0.58)), paint)
    for x in (-0.54, 0.42):
        _leg(pen, x, 0.44, 0.13, hide, _DARK)
    head = ((0.42, 0.84), (0.56, 1.0), (0.74, 0.98), (0.84, 0.8), (0.9, 0.66), (0.8, 0.58), (0.66, 0.62), (0.5, 0.66))
    pen.line(((0.56, 0.98), (0.54, 1.1)), 0.04, (226, 210, 170))
    pen.line(((0.7, 1.0), (0.76, 1.1)), 0.04, (226, 210, 170))
    pen.blob(head, hide)
    pen.blob(((0.46, 0.84), (0.56, 0.98), (0.66, 0.96), (0.62, 0.78), (0.52, 0.72)), paint)
    pen.ellipse(0.42, 0.9, 0.11, 0.05, paint)
    pen.ellipse(0.83, 0.66, 0.1, 0.085, (240, 176, 172))
    pen.eye(0.72, 0.85, 0.03)


def sheep(pen: Pen, paint: RGB) -> None:
    """A woolly sheep; `paint` colours the wool."""
    pen.shadow(0, 0.6, 0.06)
    for x in (-0.3, -0.16, 0.14, 0.28):
        pen.rect(x - 0.04, 0, x + 0.04, 0.4, _DARK)
    curls = (
        (-0.42, 0.5),
        (-0.36, 0.7),
        (-0.14, 0.8),
        (0.1, 0.8),
        (0.3, 0.7),
        (0.36, 0.5),
        (0.24, 0.36),
        (0.0, 0.32),
        (-0.26, 0.36),
    )
    for x, y in curls:
        pen.ellipse(x, y - 0.02, 0.17, 0.15, darken(paint, 0.14))
    for x, y in curls:
        pen.ellipse(x, y + 0.02, 0.155, 0.13, paint)
    pen.ellipse(-0.02, 0.58, 0.36, 0.24, paint)
    pen.ellipse(-0.06, 0.68, 0.2, 0.1, lighten(paint, 0.4), 90)
    pen.blob(((0.34, 0.86), (0.52, 0.92), (0.66, 0.76), (0.68, 0.6), (0.56, 0.54), (0.42, 0.62)), _DARK)
    pen.ellipse(0.34, 0.78, 0.1, 0.045, _DARK)
    pen.ellipse(0.46, 0.9, 0.13, 0.09, paint)
    pen.eye(0.56, 0.76, 0.03)
