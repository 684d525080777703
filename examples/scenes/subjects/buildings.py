"""Buildings and other structures that stand on the ground."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["castle", "church", "house", "lighthouse", "tent", "windmill"]

_SNOW: RGB = (246, 248, 252)
_WALL: RGB = (246, 236, 216)


def _roof(pen: Pen, points: tuple[tuple[float, float], ...], paint: RGB) -> None:
    pen.shaded(points, _SNOW if pen.snowy else paint, strength=0.12)


def house(pen: Pen, paint: RGB) -> None:
    """A cottage with a chimney; `paint` colours the walls."""
    pen.shadow(0, 0.66, 0.06)
    pen.rect(0.22, 0.7, 0.34, 1.0, (150, 96, 76))
    pen.shaded(((-0.5, 0), (-0.5, 0.52), (0.5, 0.52), (0.5, 0)), paint, strength=0.1)
    roof: RGB = (164, 72, 56) if paint[0] < 230 or paint[1] > 150 else (96, 82, 84)
    _roof(pen, ((-0.62, 0.5), (-0.4, 0.94), (0.4, 0.94), (0.62, 0.5)), roof)
    pen.rect(-0.5, 0.46, 0.5, 0.5, darken(paint, 0.3))
    pen.rect(-0.1, 0, 0.1, 0.34, (112, 72, 48))
    pen.ellipse(0.06, 0.16, 0.015, 0.015, (240, 210, 120))
    for x in (-0.4, 0.2):
        pen.rect(x - 0.025, 0.155, x + 0.225, 0.405, (250, 248, 240))
        pen.window(x, 0.18, x + 0.2, 0.38)
        pen.line(((x + 0.1, 0.18), (x + 0.1, 0.38)), 0.016, (250, 248, 240))
        pen.line(((x, 0.28), (x + 0.2, 0.28)), 0.016, (250, 248, 240))


def church(pen: Pen, paint: RGB) -> None:
    """A village church with a steeple; `paint` colours the roofs."""
    pen.shadow(0, 0.6, 0.04)
    pen.shaded(((-0.12, 0), (-0.12, 0.38), (0.5, 0.38), (0.5, 0)), _WALL, strength=0.1)
    _roof(pen, ((-0.14, 0.37), (-0.04, 0.56), (0.44, 0.56), (0.54, 0.37)), paint)
    for x in (0.12, 0.26, 0.4):
        pen.window(x, 0.12, x + 0.07, 0.28)
        pen.ellipse(x + 0.035, 0.28, 0.035, 0.04, (255, 214, 130) if pen.dark else (120, 160, 186), lit=pen.dark)
    pen.shaded(((-0.4, 0), (-0.4, 0.62), (-0.12, 0.62), (-0.12, 0)), lighten(_WALL, 0.3), strength=0.1)
    _roof(pen, ((-0.44, 0.61), (-0.26, 0.94), (-0.08, 0.61)), paint)
    pen.line(((-0.26, 0.92), (-0.26, 1.04)), 0.016, (232, 190, 90))
    pen.line(((-0.3, 0.99), (-0.22, 0.99)), 0.016, (232, 190, 90))
    pen.ellipse(-0.26, 0.5, 0.065, 0.065, (250, 250, 246))
    pen.line(((-0.26, 0.54), (-0.26, 0.5), (-0.23, 0.5)), 0.012, (40, 40, 46))
    pen.rect(-0.32, 0, -0.2, 0.22, (112, 74, 50))
    pen.ellipse(-0.26, 0.22, 0.06, 0.06, (112, 74, 50))


def _tower(pen: Pen, left: float, right: float, top: float, paint: RGB, roof: RGB) -> None:
    pen.shaded(((left, 0), (left, top), (right, top), (right, 0)), paint, strength=0.12)
    pen.rect(left - 0.02, top - 0.04, right + 0.02, top, lighten(paint, 0.2))
    _roof(pen, ((left - 0.04, top), ((left + right) / 2, top + 0.26), (right + 0.04, top)), roof)
    middle = (left + right) / 2
    pen.window(middle - 0.025, top - 0.2, middle + 0.025, top - 0.1)


def castle(pen: Pen, paint: RGB) -> None:
    """A fairy-tale castle; `paint` colours the walls."""
    pen.shadow(0, 0.85, 0.04)
    roof: RGB = (74, 96, 150)
    _tower(pen, -0.12, 0.12, 0.74, darken(paint, 0.12), roof)
    pen.shaded(((-0.55, 0), (-0.55, 0.36), (0.55, 0.36), (0.55, 0)), paint, strength=0.1)
    for i in range(8):
        pen.rect(-0.53 + i * 0.14, 0.35, -0.46 + i * 0.14, 0.42, paint)
    _tower(pen, -0.68, -0.46, 0.54, lighten(paint, 0.08), roof)
    _tower(pen, 0.46, 0.68, 0.54, lighten(paint, 0.08), roof)
    pen.rect(-0.1, 0, 0.1, 0.16, (92, 62, 44))
    pen.ellipse(0, 0.16, 0.1, 0.1, (92, 62, 44))
    for x in (-0.3, 0.26):
        pen.window(x - 0.03, 0.16, x + 0.05, 0.26)
    pen.line(((0, 0.98), (0, 1.1)), 0.012, (90, 70, 60))
    pen.poly(((0.005, 1.1), (0.14, 1.06), (0.005, 1.02)), (210, 56, 50))


def lighthouse(pen: Pen, paint: RGB) -> None:
    """A striped lighthouse; `paint` colours the stripes."""
    pen.shadow(0, 0.24, 0.03)
    pen.blob(((-0.32, -0.02), (-0.26, 0.07), (-0.06, 0.09), (0.2, 0.08), (0.32, -0.02), (0, -0.05)), (112, 108, 108))
    for i in range(5):
        low, high = 0.05 + i * 0.14, 0.05 + (i + 1) * 0.14
        a, b = 0.14 - low * 0.07, 0.14 - high * 0.07
        tone = paint if i % 2 == 0 else (248, 246, 240)
        pen.poly(((-a, low), (-b, high), (b, high), (a, low)), tone)
        pen.poly(((a * 0.3, low), (b * 0.3, high), (b, high), (a, low)), darken(tone, 0.14))
    pen.rect(-0.12, 0.75, 0.12, 0.78, (60, 62, 70))
    if pen.dark:
        pen.glow(0, 0.83, 0.4, alpha=220)
        pen.poly(((0.04, 0.84), (1.6, 1.1), (1.6, 0.72), (0.04, 0.82)), (255, 240, 180), 60, lit=True)
    pen.rect(-0.07, 0.78, 0.07, 0.88, (255, 232, 150), lit=pen.dark)
    pen.line(((0, 0.78), (0, 0.88)), 0.014, (60, 62, 70))
    pen.poly(((-0.1, 0.88), (0, 0.99), (0.1, 0.88)), paint)
    pen.window(-0.025, 0.4, 0.025, 0.48)
    pen.rect(-0.035, 0.05, 0.035, 0.16, (84, 60, 48))


def windmill(pen: Pen, paint: RGB) -> None:
    """A tower windmill with four sails; `paint` colours the cap."""
    pen.shadow(0, 0.3, 0.04)
    pen.shaded(((-0.2, 0), (-0.12, 0.6), (0.12, 0.6), (0.2, 0)), _WALL, strength=0.14)
    pen.blob(((-0.14, 0.58), (-0.1, 0.72), (0, 0.76), (0.1, 0.72), (0.14, 0.58), (0, 0.57)), paint)
    pen.rect(-0.05, 0, 0.05, 0.15, (112, 74, 50))
    pen.window(-0.035, 0.3, 0.035, 0.4)
    for i in range(4):
        a = pi / 5 + i * pi / 2
        dx, dy = cos(a), sin(a)
        pen.line(((0, 0.66), (0.42 * dx, 0.66 + 0.42 * dy)), 0.018, (104, 76, 56))
        corners = [(0.1, 0.012), (0.42, 0.012), (0.42, 0.1), (0.1, 0.1)]
        pen.poly([(r * dx - s * dy, 0.66 + r * dy + s * dx) for r, s in corners], (236, 226, 204))
        for k in range(1, 4):
            r = 0.1 + k * 0.08
            pen.line(((r * dx, 0.66 + r * dy), (r * dx - 0.1 * dy, 0.66 + r * dy + 0.1 * dx)), 0.008, (150, 124, 98))
    pen.ellipse(0, 0.66, 0.03, 0.03, (80, 60, 48))


def tent(pen: Pen, paint: RGB) -> None:
    """A ridge tent with an open flap; glows at night."""
    pen.shadow(0, 0.95, 0.08)
    tone = lighten(paint, 0.2) if pen.dark else paint
    if pen.dark:
        pen.glow(0, 0.4, 1.1, (255, 200, 120), 110)
    pen.poly(((-0.2, 1.0), (0.5, 0.92), (1.0, 0.04), (0.5, 0)), darken(tone, 0.25), lit=pen.dark)
    pen.poly(((-0.8, 0), (-0.2, 1.0), (0.5, 0)), tone, lit=pen.dark)
    pen.poly(((-0.36, 0), (-0.2, 0.86), (0.08, 0)), (255, 216, 140) if pen.dark else (70, 58, 60), lit=pen.dark)
    pen.poly(((-0.36, 0), (-0.2, 0.86), (-0.5, 0.06)), lighten(tone, 0.25), lit=pen.dark)
    pen.line(((-0.8, 0), (-0.95, -0.04)), 0.02, (90, 80, 70))
