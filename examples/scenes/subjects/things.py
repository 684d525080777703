"""Small things out of doors, and the fish."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["campfire", "duck", "fish", "fish_school", "parasol"]


def parasol(pen: Pen, paint: RGB) -> None:
    """A beach umbrella in two colours with a towel beneath it."""
    pen.shadow(0.05, 0.6, 0.06)
    pen.poly(((-0.5, 0.0), (0.3, 0.06), (0.62, -0.06), (-0.2, -0.12)), lighten(paint, 0.5))
    pen.poly(((-0.36, 0.01), (-0.24, 0.02), (0.08, -0.1), (-0.06, -0.11)), paint)
    pen.line(((0, 0), (0.06, 0.9)), 0.03, (226, 214, 196))
    left, right, top, foot = -0.62, 0.74, (0.06, 1.0), 0.62
    steps = 6
    rim = [(left + (right - left) * i / steps, foot + 0.06 * sin(pi * i / steps)) for i in range(steps + 1)]
    for i in range(steps):
        a, b = rim[i], rim[i + 1]
        bulge_a = (a[0] * 0.72 + top[0] * 0.28, a[1] + (top[1] - a[1]) * 0.62)
        bulge_b = (b[0] * 0.72 + top[0] * 0.28, b[1] + (top[1] - b[1]) * 0.62)
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 0.03)
        pen.poly((a, bulge_a, top, bulge_b, b, middle), paint if i % 2 == 0 else (250, 246, 236))
    pen.ellipse(0.06, 1.01, 0.025, 0.025, (226, 214, 196))


def campfire(pen: Pen, _: RGB) -> None:
    """Burning logs between stones."""
    pen.glow(0, 0.4, 2.6 if pen.dark else 1.4, (255, 160, 60), 190 if pen.dark else 90)
    for i in range(9):
        a = i * pi / 8
        pen.ellipse(0.62 * cos(a), 0.02 - 0.12 * sin(a), 0.12, 0.08, (130, 126, 124))
    pen.line(((-0.5, 0.06), (0.44, 0.18)), 0.13, (104, 68, 44))
    pen.line(((-0.44, 0.18), (0.5, 0.06)), 0.13, (124, 82, 52))
    for squeeze, tone in ((1.0, (240, 96, 40)), (0.68, (250, 160, 50)), (0.36, (255, 230, 130))):
        flame = (
            (-0.34, 0.2),
            (-0.4, 0.44),
            (-0.22, 0.6),
            (-0.16, 0.84),
            (0.02, 1.04),
            (0.06, 0.76),
            (0.22, 0.78),
            (0.32, 0.5),
            (0.34, 0.2),
            (0, 0.1),
        )
        pen.blob([(x * squeeze, 0.12 + (y - 0.12) * squeeze) for x, y in flame], tone, lit=True)


def fish(pen: Pen, paint: RGB) -> None:
    """A round reef fish with white stripes."""
    pen.poly(((-0.5, 0.5), (-0.96, 0.86), (-0.84, 0.5), (-0.96, 0.14)), darken(paint, 0.12))
    pen.blob(((-0.2, 0.78), (0.1, 1.0), (0.36, 0.8)), darken(paint, 0.2))
    pen.blob(((-0.2, 0.24), (0.06, 0.04), (0.2, 0.26)), darken(paint, 0.2))
    pen.shaded(
        ((-0.62, 0.5), (-0.3, 0.76), (0.14, 0.86), (0.56, 0.72), (0.78, 0.5), (0.56, 0.3), (0.14, 0.16), (-0.3, 0.26)),
        paint,
        curved=True,
    )
    for x, half in ((0.3, 0.3), (-0.18, 0.28)):
        pen.blob(
            (
                (x - 0.06, 0.5 + half),
                (x + 0.06, 0.5 + half),
                (x + 0.12, 0.5),
                (x + 0.06, 0.5 - half),
                (x - 0.06, 0.5 - half),
                (x - 0.01, 0.5),
            ),
            (250, 248, 240),
        )
    pen.poly(((0.12, 0.5), (-0.14, 0.4), (-0.08, 0.56)), darken(paint, 0.25))
    pen.ellipse(0.56, 0.58, 0.08, 0.08, (250, 250, 250))
    pen.eye(0.58, 0.58, 0.05)


def fish_school(pen: Pen, paint: RGB) -> None:
    """Nine small fish swimming the same way."""
    spots = (
        (0.5, 0.5),
        (0.1, 0.74),
        (0.12, 0.3),
        (-0.3, 0.52),
        (-0.24, 0.92),
        (-0.3, 0.1),
        (-0.68, 0.34),
        (-0.66, 0.72),
        (0.42, 0.1),
    )
    for i, (x, y) in enumerate(spots):
        tone = lighten(paint, 0.14) if i % 3 == 0 else paint
        pen.poly(((x - 0.14, y), (x - 0.27, y + 0.09), (x - 0.23, y), (x - 0.27, y - 0.09)), darken(tone, 0.15))
        pen.blob(((x - 0.18, y), (x, y + 0.09), (x + 0.18, y + 0.01), (x, y - 0.08)), tone)
        pen.blob(((x - 0.1, y - 0.02), (x, y - 0.06), (x + 0.14, y - 0.01)), lighten(tone, 0.4))
        pen.eye(x + 0.1, y + 0.025, 0.018)


def duck(pen: Pen, paint: RGB) -> None:
    """A swimming duck; the waterline is at y = 0."""
    pen.ellipse(0, -0.02, 0.75, 0.07, (240, 248, 252), 90)
    pen.shaded(
        ((-0.7, 0.46), (-0.5, 0.3), (-0.1, 0.42), (0.3, 0.4), (0.54, 0.24), (0.4, 0.02), (-0.1, -0.03), (-0.52, 0.06)),
        paint,
        curved=True,
    )
    pen.blob(((-0.5, 0.3), (-0.1, 0.4), (0.14, 0.26), (-0.1, 0.12), (-0.36, 0.16)), darken(paint, 0.25))
    pen.line(((0.34, 0.26), (0.36, 0.6)), 0.2, paint)
    pen.ellipse(0.4, 0.76, 0.2, 0.19, paint)
    pen.blob(((0.56, 0.8), (0.8, 0.74), (0.84, 0.68), (0.58, 0.66)), (240, 160, 50))
    pen.eye(0.47, 0.82, 0.04)
