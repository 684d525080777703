"""Trees and flowers, rooted at y = 0."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten, mix
from examples.scenes.pen import Pen

__all__ = ["cactus", "palm", "pine", "sunflower", "tree"]

_BARK: RGB = (112, 78, 54)
_SNOW: RGB = (246, 248, 252)


def tree(pen: Pen, paint: RGB) -> None:
    """A broad-leaved tree; `paint` colours the crown."""
    pen.shadow(0, 0.34, 0.05)
    pen.shaded(((-0.06, 0), (-0.035, 0.45), (0.035, 0.45), (0.065, 0)), _BARK)
    pen.line(((0, 0.34), (0.14, 0.5)), 0.03, _BARK)
    pen.line(((0, 0.3), (-0.13, 0.48)), 0.03, _BARK)
    puffs = (
        (-0.2, 0.52, 0.17),
        (0.2, 0.52, 0.17),
        (0, 0.5, 0.18),
        (-0.15, 0.7, 0.19),
        (0.16, 0.7, 0.18),
        (0, 0.82, 0.18),
    )
    for x, y, r in puffs:
        pen.ellipse(x, y - 0.015, r, r * 0.95, darken(paint, 0.28))
    for x, y, r in puffs:
        pen.ellipse(x - 0.015, y + 0.02, r * 0.9, r * 0.85, paint)
    for x, y, r in puffs[3:]:
        top = _SNOW if pen.snowy else lighten(paint, 0.22)
        pen.ellipse(x - 0.04, y + 0.07, r * 0.62, r * 0.45, top, 230 if pen.snowy else 110)


def pine(pen: Pen, paint: RGB) -> None:
    """A conifer in tiers."""
    pen.shadow(0, 0.3, 0.04)
    pen.rect(-0.035, 0, 0.035, 0.16, _BARK)
    for i in range(4):
        base, half, height = 0.1 + i * 0.19, 0.28 - i * 0.055, 0.32
        tone = mix(darken(paint, 0.3), lighten(paint, 0.08), i / 3)
        pen.poly(((-half, base), (0, base - 0.025), (half, base), (0, base + height)), tone)
        pen.poly(((0, base - 0.025), (half, base), (0, base + height)), darken(tone, 0.18))
        if pen.snowy:
            pen.poly(
                ((-half * 0.62, base + 0.12), (-half * 0.1, base + 0.1), (half * 0.5, base + 0.13), (0, base + height)),
                _SNOW,
            )


def palm(pen: Pen, paint: RGB) -> None:
    """A leaning coconut palm; `paint` colours the fronds."""
    pen.shadow(0, 0.3, 0.04)
    trunk = ((-0.04, 0), (0.0, 0.3), (0.1, 0.6), (0.2, 0.82), (0.235, 0.8), (0.15, 0.56), (0.07, 0.28), (0.05, 0))
    pen.shaded(trunk, (150, 112, 76))
    for i in range(7):
        y = 0.08 + i * 0.1
        x = 0.3 * y * y + 0.005
        pen.line(((x - 0.03, y), (x + 0.05, y + 0.01)), 0.012, (112, 80, 54))
    leaves = (
        (-0.36, -0.04),
        (-0.34, 0.16),
        (-0.14, 0.24),
        (0.14, 0.22),
        (0.34, 0.12),
        (0.38, -0.08),
        (0.16, -0.2),
        (-0.2, -0.2),
    )
    for i, (dx, dy) in enumerate(leaves):
        x, y = 0.215, 0.82
        tone = darken(paint, 0.25) if i in (0, 5, 6, 7) else lighten(paint, 0.06 * (i % 3))
        mid = (x + dx * 0.55, y + dy * 0.55 + 0.09)
        low = (x + dx * 0.5, y + dy * 0.5 - 0.005)
        pen.blob(((x, y + 0.02), mid, (x + dx, y + dy), low, (x, y - 0.02)), tone)
    for dx in (-0.03, 0.03, 0.0):
        pen.ellipse(0.215 + dx, 0.79, 0.03, 0.03, (110, 70, 40))


def cactus(pen: Pen, paint: RGB) -> None:
    """A tall cactus with two arms."""
    pen.shadow(0, 0.25, 0.05)
    for points, width in (
        (((0.0, 0.02), (0.0, 0.9)), 0.2),
        (((0.0, 0.36), (0.3, 0.4), (0.3, 0.7)), 0.13),
        (((0.0, 0.28), (-0.28, 0.34), (-0.28, 0.58)), 0.13),
    ):
        pen.line(points, width, paint)
    for x in (-0.05, 0.02):
        pen.line(((x, 0.04), (x, 0.92)), 0.014, lighten(paint, 0.35))
    pen.line(((0.3, 0.44), (0.3, 0.7)), 0.012, lighten(paint, 0.35))
    pen.ellipse(0.0, 1.0, 0.07, 0.05, (236, 110, 150))


def sunflower(pen: Pen, paint: RGB) -> None:
    """One tall sunflower; `paint` colours the petals."""
    pen.shadow(0, 0.2, 0.04)
    stem: RGB = (74, 132, 62)
    pen.line(((0.0, 0.0), (-0.02, 0.4), (0.0, 0.72)), 0.045, stem)
    for side in (-1, 1):
        y = 0.3 + 0.08 * side
        pen.blob(((0, y), (side * 0.14, y + 0.12), (side * 0.3, y + 0.08), (side * 0.16, y - 0.02)), stem)
    for ring, tone in ((0.0, darken(paint, 0.12)), (pi / 14, paint)):
        for i in range(14):
            a = ring + i * pi / 7
            tip = (0.24 * cos(a), 0.76 + 0.24 * sin(a))
            side_x, side_y = 0.045 * sin(a), 0.045 * cos(a)
            mid = (0.14 * cos(a), 0.76 + 0.14 * sin(a))
            pen.blob(((0, 0.76), (mid[0] - side_x, mid[1] + side_y), tip, (mid[0] + side_x, mid[1] - side_y)), tone)
    pen.ellipse(0, 0.76, 0.12, 0.12, (96, 60, 36))
    pen.ellipse(-0.01, 0.77, 0.08, 0.08, (122, 78, 44))
