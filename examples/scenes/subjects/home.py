"""Things of the living room and the kitchen table."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["apple", "books", "cake", "clock", "cup", "fruit_bowl", "guitar", "lamp", "teapot", "vase"]


def vase(pen: Pen, paint: RGB) -> None:
    """A vase of flowers; `paint` colours the flowers."""
    pen.shadow(0, 0.3, 0.05)
    stem: RGB = (70, 132, 74)
    heads = ((-0.26, 0.76), (-0.08, 0.88), (0.14, 0.9), (0.28, 0.72), (0.03, 0.7), (-0.16, 0.62), (0.2, 0.58))
    for x, y in heads:
        pen.line(((0, 0.36), (x * 0.5, 0.5), (x, y)), 0.018, stem)
    for side in (-1, 1):
        pen.blob(((0, 0.44), (side * 0.2, 0.54), (side * 0.34, 0.5), (side * 0.16, 0.44)), stem)
    for i, (x, y) in enumerate(heads):
        tone = lighten(paint, 0.12 * (i % 3))
        for k in range(6):
            a = k * pi / 3 + i
            pen.ellipse(x + 0.062 * cos(a), y + 0.062 * sin(a), 0.052, 0.052, tone)
        pen.ellipse(x, y, 0.042, 0.042, (250, 214, 90))
    glass = (
        (-0.12, 0.42),
        (-0.1, 0.34),
        (-0.2, 0.2),
        (-0.14, 0.02),
        (0.14, 0.02),
        (0.2, 0.2),
        (0.1, 0.34),
        (0.12, 0.42),
    )
    pen.shaded(glass, (92, 132, 178), curved=True)
    pen.blob(((-0.13, 0.24), (-0.1, 0.3), (-0.07, 0.22), (-0.1, 0.1)), (255, 255, 255), 110)


def cup(pen: Pen, paint: RGB) -> None:
    """A steaming cup on a saucer."""
    pen.shadow(0, 0.85, 0.08)
    pen.ellipse(0, 0.06, 0.85, 0.12, lighten(paint, 0.5))
    pen.ellipse(0, 0.08, 0.6, 0.07, lighten(paint, 0.25))
    ring = [(0.62 + 0.2 * cos(a * pi / 12), 0.4 + 0.17 * sin(a * pi / 12)) for a in range(25)]
    pen.line(ring, 0.08, darken(paint, 0.1))
    pen.shaded(((-0.56, 0.66), (-0.5, 0.3), (-0.3, 0.09), (0.3, 0.09), (0.5, 0.3), (0.56, 0.66)), paint)
    pen.ellipse(0, 0.66, 0.56, 0.1, lighten(paint, 0.5))
    pen.ellipse(0, 0.655, 0.5, 0.075, (92, 56, 36))
    for x in (-0.2, 0.04, 0.26):
        pen.line(((x, 0.76), (x + 0.07, 0.86), (x - 0.03, 0.96), (x + 0.05, 1.08)), 0.035, (255, 255, 255), 110)


def apple(pen: Pen, paint: RGB) -> None:
    """One apple with a leaf."""
    pen.shadow(0, 0.5, 0.07)
    pen.shaded(
        (
            (0, 0.8),
            (-0.24, 0.86),
            (-0.48, 0.66),
            (-0.46, 0.3),
            (-0.22, 0.02),
            (0, 0.06),
            (0.22, 0.02),
            (0.46, 0.3),
            (0.48, 0.66),
            (0.24, 0.86),
        ),
        paint,
        curved=True,
        strength=0.28,
    )
    pen.blob(((-0.34, 0.62), (-0.26, 0.74), (-0.18, 0.66), (-0.28, 0.44)), (255, 255, 255), 110)
    pen.line(((0, 0.78), (0.03, 0.9), (0.08, 0.98)), 0.05, (104, 70, 46))
    pen.blob(((0.04, 0.88), (0.2, 1.02), (0.38, 0.98), (0.24, 0.86)), (92, 156, 70))


def fruit_bowl(pen: Pen, paint: RGB) -> None:
    """A bowl heaped with apples, oranges, pears and grapes; `paint` colours the bowl."""
    pen.shadow(0, 0.75, 0.07)
    for x, y, r, tone in (
        (-0.42, 0.62, 0.2, (206, 60, 52)),
        (0.4, 0.62, 0.2, (244, 150, 50)),
        (0.02, 0.66, 0.21, (130, 180, 76)),
        (-0.2, 0.8, 0.18, (244, 160, 54)),
        (0.22, 0.8, 0.18, (212, 70, 60)),
    ):
        pen.ball(x, y, r, r, tone)
        pen.ellipse(x - r * 0.35, y + r * 0.35, r * 0.2, r * 0.26, (255, 255, 255), 110)
    pen.blob(((-0.1, 0.82), (0.12, 0.96), (0.5, 0.98), (0.62, 0.9), (0.4, 0.9), (0.14, 0.84)), (250, 214, 84))
    for x, y in ((-0.58, 0.56), (-0.66, 0.48), (-0.54, 0.46), (-0.64, 0.38), (-0.58, 0.3)):
        pen.ellipse(x, y, 0.07, 0.07, (120, 70, 140))
    pen.shaded(
        ((-0.78, 0.54), (-0.66, 0.26), (-0.34, 0.06), (0.34, 0.06), (0.66, 0.26), (0.78, 0.54), (0, 0.46)), paint
    )
    pen.rect(-0.3, 0, 0.3, 0.08, darken(paint, 0.3))
    for x, y in ((-0.58, 0.5), (-0.64, 0.42)):
        pen.ellipse(x, y, 0.07, 0.07, (136, 84, 158))


def cake(pen: Pen, paint: RGB) -> None:
    """A birthday cake with candles; `paint` colours the icing."""
    pen.shadow(0, 0.8, 0.07)
    pen.ellipse(0, 0.06, 0.86, 0.1, (240, 240, 244))
    pen.shaded(((-0.66, 0.08), (-0.66, 0.56), (0.66, 0.56), (0.66, 0.08)), (214, 160, 104), strength=0.12)
    pen.ellipse(0, 0.08, 0.66, 0.07, darken((214, 160, 104), 0.1))
    pen.rect(-0.66, 0.28, 0.66, 0.34, (250, 240, 226))
    pen.ellipse(0, 0.56, 0.66, 0.11, paint)
    drips = ((-0.6, 0.16), (-0.44, 0.26), (-0.26, 0.18), (-0.06, 0.28), (0.14, 0.2), (0.34, 0.28), (0.52, 0.18))
    for x, length in drips:
        pen.line(((x, 0.56), (x, 0.58 - length)), 0.14, paint)
    pen.ellipse(0, 0.58, 0.6, 0.08, lighten(paint, 0.2))
    for i, x in enumerate((-0.36, -0.12, 0.12, 0.36)):
        tone: RGB = ((90, 150, 210), (246, 200, 80), (120, 180, 110), (236, 110, 130))[i]
        pen.rect(x - 0.035, 0.58, x + 0.035, 0.86, tone)
        pen.glow(x, 0.94, 0.26, (255, 200, 90), 150)
        pen.ellipse(x, 0.93, 0.035, 0.065, (255, 190, 70), lit=True)
        pen.ellipse(x, 0.915, 0.018, 0.035, (255, 244, 190), lit=True)


def clock(pen: Pen, paint: RGB) -> None:
    """A round wall clock; `paint` colours the rim."""
    pen.glow(0.04, 0.46, 0.62, (30, 26, 40), 90)
    pen.ellipse(0, 0.5, 0.5, 0.5, paint)
    pen.ellipse(0, 0.5, 0.41, 0.41, (252, 250, 242))
    for i in range(12):
        a = i * pi / 6
        inner = 0.3 if i % 3 == 0 else 0.34
        pen.line(((inner * cos(a), 0.5 + inner * sin(a)), (0.38 * cos(a), 0.5 + 0.38 * sin(a))), 0.03, (52, 50, 56))
    hour = pen.rng.random() * 2 * pi
    minute = pen.rng.random() * 2 * pi
    pen.line(((0, 0.5), (0.2 * sin(hour), 0.5 + 0.2 * cos(hour))), 0.05, (42, 40, 46))
    pen.line(((0, 0.5), (0.31 * sin(minute), 0.5 + 0.31 * cos(minute))), 0.032, (42, 40, 46))
    pen.ellipse(0, 0.5, 0.035, 0.035, (206, 60, 52))


def lamp(pen: Pen, paint: RGB) -> None:
    """A floor lamp; `paint` colours the shade."""
    pen.shadow(0, 0.16, 0.03)
    pen.ellipse(0, 0.015, 0.14, 0.025, (70, 66, 66))
    pen.line(((0, 0.01), (0, 0.76)), 0.022, (84, 78, 76))
    if pen.dark:
        pen.glow(0, 0.8, 0.7, alpha=200)
    tone = lighten(paint, 0.3) if pen.dark else paint
    pen.poly(((-0.2, 0.7), (-0.11, 1.0), (0.11, 1.0), (0.2, 0.7)), tone, lit=pen.dark)
    pen.poly(((-0.2, 0.7), (-0.11, 1.0), (-0.03, 1.0), (-0.06, 0.7)), lighten(tone, 0.3), lit=pen.dark)


def guitar(pen: Pen, paint: RGB) -> None:
    """An acoustic guitar leaning back a little."""
    pen.shadow(0, 0.26, 0.03)
    pen.shaded(
        (
            (0, 0.03),
            (-0.2, 0.06),
            (-0.26, 0.2),
            (-0.17, 0.32),
            (-0.19, 0.44),
            (-0.06, 0.52),
            (0.06, 0.52),
            (0.19, 0.44),
            (0.17, 0.32),
            (0.26, 0.2),
            (0.2, 0.06),
        ),
        paint,
        curved=True,
    )
    pen.rect(-0.03, 0.34, 0.03, 0.88, (84, 56, 40))
    pen.poly(((-0.05, 0.87), (-0.06, 1.0), (0.06, 1.0), (0.05, 0.87)), (64, 44, 36))
    pen.ellipse(0, 0.34, 0.075, 0.075, (52, 36, 30))
    pen.rect(-0.09, 0.15, 0.09, 0.18, (64, 44, 36))
    for x in (-0.016, 0.0, 0.016):
        pen.line(((x, 0.16), (x, 0.94)), 0.005, (240, 236, 224))
    for y in (0.9, 0.94, 0.98):
        for x in (-0.075, 0.075):
            pen.ellipse(x, y, 0.014, 0.014, (220, 216, 206))


def books(pen: Pen, paint: RGB) -> None:
    """A stack of five books; `paint` colours the top one."""
    pen.shadow(0, 0.75, 0.06)
    covers: tuple[RGB, ...] = ((70, 110, 150), (200, 90, 70), (230, 180, 90), (96, 140, 100), paint)
    for i, cover in enumerate(covers):
        shift, low = (0.0, -0.07, 0.06, -0.03, 0.04)[i], i * 0.2
        pen.rect(-0.66 + shift, low, 0.66 + shift, low + 0.19, cover)
        pen.rect(-0.58 + shift, low + 0.035, 0.665 + shift, low + 0.155, (248, 242, 226))
        pen.line(((-0.56 + shift, low + 0.1), (0.66 + shift, low + 0.1)), 0.012, (216, 206, 186))
        pen.rect(-0.66 + shift, low, -0.56 + shift, low + 0.19, darken(cover, 0.15))


def teapot(pen: Pen, paint: RGB) -> None:
    """A round teapot with dots."""
    pen.shadow(0, 0.7, 0.07)
    ring = [(-0.56 + 0.24 * cos(a * pi / 12), 0.44 + 0.24 * sin(a * pi / 12)) for a in range(25)]
    pen.line(ring, 0.09, darken(paint, 0.12))
    pen.blob(((0.4, 0.44), (0.66, 0.5), (0.8, 0.78), (0.94, 0.78), (0.84, 0.44), (0.5, 0.16)), darken(paint, 0.08))
    pen.ball(0, 0.42, 0.58, 0.42, paint)
    pen.blob(((-0.36, 0.72), (0, 0.92), (0.36, 0.72), (0, 0.66)), lighten(paint, 0.2))
    pen.ellipse(0, 0.93, 0.08, 0.07, darken(paint, 0.2))
    for x, y in ((-0.3, 0.5), (-0.1, 0.36), (0.12, 0.52), (0.3, 0.34), (-0.26, 0.22), (0.06, 0.2)):
        pen.ellipse(x, y, 0.05, 0.05, lighten(paint, 0.6))
