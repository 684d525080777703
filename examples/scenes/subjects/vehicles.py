"""Road, rail and garden vehicles, all heading right."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["bicycle", "bus", "car", "tractor", "train", "truck"]

_METAL: RGB = (176, 182, 190)


def _headlight(pen: Pen, x: float, y: float, radius: float) -> None:
    if pen.dark:
        pen.glow(x + radius, y, radius * 7, alpha=170)
    pen.ellipse(x, y, radius, radius, (255, 240, 190), lit=pen.dark)


def car(pen: Pen, paint: RGB) -> None:
    """A small saloon; height 1, width about 2.5."""
    pen.shadow(0, 1.3, 0.1)
    cabin = ((-0.72, 0.52), (-0.6, 0.86), (-0.3, 1.0), (0.25, 1.0), (0.5, 0.84), (0.72, 0.52))
    pen.blob(cabin, darken(paint, 0.12))
    pen.window(-0.55, 0.58, -0.04, 0.88)
    pen.window(0.04, 0.58, 0.46, 0.86)
    body = ((-1.22, 0.24), (-1.25, 0.46), (-1.1, 0.58), (-0.6, 0.6), (0.6, 0.6), (1.08, 0.52), (1.27, 0.4), (1.24, 0.2))
    pen.shaded((*body, (0, 0.16)), paint, curved=True)
    pen.line(((0, 0.58), (0, 0.24)), 0.02, darken(paint, 0.35))
    pen.rect(-0.2, 0.48, -0.06, 0.52, lighten(paint, 0.5))
    for x in (-0.74, 0.76):
        pen.ellipse(x, 0.24, 0.29, 0.29, darken(paint, 0.6))
        pen.wheel(x, 0.22, 0.22)
    _headlight(pen, 1.18, 0.42, 0.07)
    pen.rect(-1.25, 0.38, -1.17, 0.48, (220, 60, 50))


def bus(pen: Pen, paint: RGB) -> None:
    """A city bus; height 1, width about 2.3."""
    pen.shadow(0, 1.25, 0.08)
    pen.shaded(((-1.15, 0.14), (-1.15, 0.9), (-1.08, 0.98), (1.05, 0.98), (1.15, 0.86), (1.18, 0.14)), paint)
    pen.rect(-1.15, 0.3, 1.17, 0.36, lighten(paint, 0.6))
    for i in range(5):
        left = -1.05 + i * 0.36
        pen.window(left, 0.5, left + 0.3, 0.84)
    pen.window(0.78, 0.2, 0.96, 0.84)
    pen.window(1.02, 0.46, 1.14, 0.84)
    for x in (-0.7, 0.6):
        pen.wheel(x, 0.14, 0.15)
    _headlight(pen, 1.12, 0.26, 0.05)


def tractor(pen: Pen, paint: RGB) -> None:
    """A farm tractor with its tall rear wheel; height 1."""
    pen.shadow(0, 0.9, 0.08)
    pen.rect(-0.1, 0.3, 0.72, 0.58, paint)
    pen.rect(-0.1, 0.5, 0.72, 0.58, lighten(paint, 0.25))
    pen.poly(((-0.62, 0.4), (-0.55, 0.98), (0.0, 0.98), (0.06, 0.4)), darken(paint, 0.15))
    pen.window(-0.48, 0.6, -0.06, 0.9)
    pen.rect(-0.64, 0.95, 0.08, 1.02, paint)
    pen.line(((0.5, 0.58), (0.5, 0.84)), 0.06, (70, 72, 78))
    pen.wheel(-0.42, 0.34, 0.34, hub=(240, 196, 70))
    pen.wheel(0.56, 0.2, 0.2, hub=(240, 196, 70))


def bicycle(pen: Pen, paint: RGB) -> None:
    """A bicycle seen from the side; height 1."""
    pen.shadow(0, 0.8, 0.05)
    for x in (-0.5, 0.5):
        for ring, colour in ((0.34, (44, 44, 50)), (0.29, None)):
            points = [(x + ring * cos(a * pi / 14), 0.34 + ring * sin(a * pi / 14)) for a in range(29)]
            if colour is not None:
                pen.line(points, 0.055, colour)
        for a in range(6):
            dx, dy = 0.32 * cos(a * pi / 6), 0.32 * sin(a * pi / 6)
            pen.line(((x - dx, 0.34 - dy), (x + dx, 0.34 + dy)), 0.012, _METAL)
    frame = ((-0.5, 0.34), (-0.05, 0.32), (0.34, 0.72), (-0.2, 0.74), (-0.5, 0.34))
    pen.line(frame, 0.06, paint)
    pen.line(((-0.05, 0.32), (-0.23, 0.84)), 0.06, paint)
    pen.line(((0.5, 0.34), (0.3, 0.9), (0.44, 0.98)), 0.055, paint)
    pen.line(((-0.36, 0.86), (-0.1, 0.86)), 0.09, (60, 44, 38))
    pen.ellipse(-0.05, 0.32, 0.08, 0.08, _METAL)


def train(pen: Pen, paint: RGB) -> None:
    """A locomotive with two carriages; height 1, width about 6."""
    pen.shadow(-0.4, 3.0, 0.06)
    for left in (-3.1, -1.35):
        pen.shaded(((left, 0.16), (left, 0.86), (left + 1.66, 0.86), (left + 1.66, 0.16)), paint)
        pen.rect(left - 0.02, 0.84, left + 1.68, 0.93, (92, 96, 104))
        pen.rect(left, 0.36, left + 1.66, 0.41, lighten(paint, 0.6))
        for i in range(4):
            pen.window(left + 0.12 + i * 0.38, 0.48, left + 0.38 + i * 0.38, 0.76)
        for x in (left + 0.25, left + 0.55, left + 1.1, left + 1.4):
            pen.wheel(x, 0.12, 0.13)
    nose = ((0.4, 0.16), (0.4, 0.96), (1.3, 0.96), (1.95, 0.6), (2.15, 0.36), (2.15, 0.16))
    pen.shaded(nose, darken(paint, 0.1))
    pen.poly(((1.32, 0.9), (1.86, 0.6), (1.32, 0.6)), (70, 100, 124))
    pen.rect(0.4, 0.34, 2.16, 0.4, lighten(paint, 0.6))
    for i in range(2):
        pen.window(0.54 + i * 0.36, 0.52, 0.8 + i * 0.36, 0.8)
    for x in (0.65, 0.95, 1.6, 1.9):
        pen.wheel(x, 0.12, 0.13)
    _headlight(pen, 2.06, 0.3, 0.05)


def truck(pen: Pen, paint: RGB) -> None:
    """A lorry with a light box body; `paint` colours the cab."""
    pen.shadow(0, 1.1, 0.08)
    pen.shaded(((-1.1, 0.24), (-1.1, 1.0), (0.4, 1.0), (0.4, 0.24)), (236, 234, 228), strength=0.08)
    pen.rect(-1.1, 0.56, 0.4, 0.66, paint)
    pen.rect(-1.1, 0.16, 1.0, 0.26, (70, 72, 80))
    pen.shaded(((0.46, 0.16), (0.46, 0.84), (0.84, 0.84), (1.02, 0.5), (1.06, 0.16)), paint)
    pen.window(0.6, 0.5, 0.84, 0.76)
    for x in (-0.8, -0.46, 0.74):
        pen.wheel(x, 0.15, 0.15)
    _headlight(pen, 1.0, 0.3, 0.05)
