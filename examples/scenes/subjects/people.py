"""People, walking to the right; `paint` colours what they wear."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["child", "footballer", "girl", "person", "snowman", "umbrella_walker", "woman"]

_SKIN: tuple[RGB, ...] = ((244, 204, 170), (222, 170, 128), (160, 108, 76), (112, 74, 54))
_HAIR: tuple[RGB, ...] = ((60, 42, 34), (110, 70, 40), (30, 28, 32), (206, 160, 90))
_SHOE: RGB = (64, 48, 44)


def _legs(pen: Pen, hip: float, trousers: RGB) -> None:
    pen.line(((-0.01, hip), (-0.1, hip * 0.5), (-0.17, 0.05)), 0.1, darken(trousers, 0.2))
    pen.line(((0.01, hip), (0.09, hip * 0.52), (0.13, 0.05)), 0.1, trousers)
    pen.ellipse(-0.145, 0.03, 0.075, 0.035, _SHOE)
    pen.ellipse(0.165, 0.03, 0.075, 0.035, _SHOE)


def _head(pen: Pen, y: float, r: float, skin: RGB, hair: RGB) -> None:
    pen.rect(-0.035, y - r - 0.05, 0.035, y - r * 0.5, darken(skin, 0.15))
    pen.ellipse(0, y, r, r * 1.08, skin)
    pen.blob(
        (
            (-r * 1.05, y - r * 0.5),
            (-r * 1.1, y + r * 0.5),
            (-r * 0.3, y + r * 1.25),
            (r * 0.8, y + r * 0.9),
            (r * 0.9, y + r * 0.35),
            (r * 0.1, y + r * 0.5),
            (-r * 0.35, y + r * 0.1),
        ),
        hair,
    )
    pen.ellipse(r * 0.5, y, r * 0.12, r * 0.14, (40, 30, 30))


def person(pen: Pen, paint: RGB) -> None:
    """A person on a walk in a coloured jacket."""
    pen.shadow(0, 0.24, 0.03)
    skin, hair = pen.rng.choice(_SKIN), pen.rng.choice(_HAIR)
    pen.line(((-0.06, 0.74), (-0.17, 0.58), (-0.2, 0.46)), 0.075, darken(paint, 0.25))
    _legs(pen, 0.46, (64, 72, 100))
    pen.shaded(((-0.13, 0.76), (-0.06, 0.8), (0.08, 0.8), (0.13, 0.74), (0.14, 0.42), (-0.14, 0.42)), paint)
    _head(pen, 0.9, 0.095, skin, hair)
    pen.line(((0.05, 0.74), (0.1, 0.58), (0.2, 0.5)), 0.075, darken(paint, 0.1))
    pen.ellipse(0.21, 0.49, 0.035, 0.035, skin)


def woman(pen: Pen, paint: RGB) -> None:
    """A woman with long hair in a coloured dress."""
    pen.shadow(0, 0.24, 0.03)
    skin, hair = pen.rng.choice(_SKIN), pen.rng.choice(_HAIR)
    pen.blob(((-0.1, 0.98), (-0.16, 0.86), (-0.17, 0.68), (-0.06, 0.66), (0.04, 0.76)), hair)
    pen.line(((-0.04, 0.3), (-0.08, 0.16), (-0.12, 0.04)), 0.06, darken(skin, 0.12))
    pen.line(((0.04, 0.3), (0.08, 0.16), (0.1, 0.04)), 0.06, skin)
    pen.ellipse(-0.1, 0.025, 0.06, 0.03, darken(paint, 0.5))
    pen.ellipse(0.13, 0.025, 0.06, 0.03, darken(paint, 0.5))
    pen.line(((-0.08, 0.73), (-0.16, 0.58), (-0.17, 0.46)), 0.055, darken(skin, 0.1))
    dress = ((-0.09, 0.78), (0.09, 0.78), (0.08, 0.58), (0.22, 0.26), (-0.2, 0.24), (-0.08, 0.58))
    pen.shaded(dress, paint)
    pen.line(((-0.08, 0.58), (0.08, 0.58)), 0.03, darken(paint, 0.35))
    _head(pen, 0.9, 0.09, skin, hair)
    pen.line(((0.07, 0.73), (0.13, 0.6), (0.22, 0.56)), 0.055, skin)


def girl(pen: Pen, paint: RGB) -> None:
    """A girl holding a toy balloon on a string; `paint` colours the balloon."""
    pen.shadow(0, 0.2, 0.03)
    skin, hair = pen.rng.choice(_SKIN), pen.rng.choice(_HAIR)
    pen.line(((0.17, 0.44), (0.2, 0.6), (0.17, 0.7)), 0.008, (240, 240, 240))
    pen.ball(0.18, 0.86, 0.13, 0.15, paint)
    pen.ellipse(0.13, 0.92, 0.03, 0.045, (255, 255, 255), 130)
    pen.poly(((0.15, 0.7), (0.21, 0.7), (0.18, 0.73)), darken(paint, 0.2))
    for x in (-0.05, 0.05):
        pen.line(((x, 0.2), (x * 1.2, 0.04)), 0.05, skin)
        pen.ellipse(x * 1.2 + 0.015, 0.02, 0.045, 0.024, _SHOE)
    for x in (-0.13, 0.13):
        pen.ellipse(x, 0.53, 0.045, 0.06, hair)
    pen.line(((-0.06, 0.38), (-0.15, 0.28)), 0.045, skin)
    pen.shaded(((-0.07, 0.42), (0.07, 0.42), (0.15, 0.16), (-0.15, 0.16)), (250, 214, 120), strength=0.12)
    pen.line(((0.06, 0.39), (0.13, 0.4), (0.17, 0.45)), 0.045, skin)
    _head(pen, 0.53, 0.105, skin, hair)


def footballer(pen: Pen, paint: RGB) -> None:
    """A player about to kick a ball; `paint` colours shirt and socks."""
    pen.shadow(0.1, 0.4, 0.03)
    skin, hair = pen.rng.choice(_SKIN), pen.rng.choice(_HAIR)
    pen.line(((-0.06, 0.74), (-0.2, 0.66), (-0.3, 0.72)), 0.06, skin)
    pen.line(((-0.02, 0.46), (-0.1, 0.28)), 0.095, skin)
    pen.line(((-0.1, 0.28), (-0.14, 0.06)), 0.085, paint)
    pen.ellipse(-0.1, 0.03, 0.08, 0.035, _SHOE)
    pen.line(((0.02, 0.46), (0.16, 0.34)), 0.095, skin)
    pen.line(((0.16, 0.34), (0.28, 0.14)), 0.085, paint)
    pen.ellipse(0.34, 0.11, 0.07, 0.04, _SHOE)
    pen.poly(((-0.13, 0.5), (0.12, 0.5), (0.17, 0.38), (-0.14, 0.34)), (246, 246, 246))
    pen.shaded(((-0.12, 0.78), (0.1, 0.78), (0.13, 0.48), (-0.14, 0.48)), paint)
    _head(pen, 0.9, 0.095, skin, hair)
    pen.line(((0.06, 0.74), (0.18, 0.62), (0.28, 0.66)), 0.06, skin)
    pen.ball(0.56, 0.09, 0.09, 0.09, (246, 246, 244))
    for dx, dy in ((0.0, 0.0), (-0.06, 0.035), (0.06, 0.035), (0.0, -0.065)):
        pen.ellipse(0.56 + dx, 0.09 + dy, 0.024, 0.022, (40, 40, 46))


def child(pen: Pen, paint: RGB) -> None:
    """A child running after a ball."""
    pen.shadow(0.1, 0.5, 0.04)
    skin, hair = pen.rng.choice(_SKIN), pen.rng.choice(_HAIR)
    pen.line(((-0.06, 0.62), (-0.22, 0.54), (-0.28, 0.66)), 0.08, skin)
    pen.line(((-0.02, 0.36), (-0.18, 0.26), (-0.36, 0.3)), 0.1, skin)
    pen.ellipse(-0.39, 0.29, 0.05, 0.07, _SHOE)
    pen.line(((0.02, 0.36), (0.16, 0.24), (0.1, 0.05)), 0.1, skin)
    pen.ellipse(0.14, 0.03, 0.08, 0.04, _SHOE)
    pen.poly(((-0.14, 0.42), (0.14, 0.42), (0.15, 0.28), (-0.13, 0.3)), (70, 86, 130))
    pen.shaded(((-0.12, 0.66), (0.12, 0.66), (0.15, 0.38), (-0.15, 0.38)), paint)
    _head(pen, 0.82, 0.15, skin, hair)
    pen.line(((0.08, 0.62), (0.22, 0.54), (0.32, 0.62)), 0.08, skin)
    pen.ball(0.58, 0.13, 0.14, 0.14, (236, 84, 70))
    pen.ellipse(0.58, 0.13, 0.06, 0.14, (250, 246, 236))


def umbrella_walker(pen: Pen, paint: RGB) -> None:
    """A person in a long coat below an open umbrella; `paint` colours the umbrella."""
    pen.shadow(0, 0.26, 0.03)
    coat = pen.rng.choice(((72, 84, 112), (150, 112, 84), (90, 104, 92)))
    _legs(pen, 0.34, (56, 56, 70))
    pen.shaded(((-0.09, 0.64), (0.09, 0.64), (0.17, 0.24), (-0.17, 0.24)), coat)
    _head(pen, 0.72, 0.08, pen.rng.choice(_SKIN), pen.rng.choice(_HAIR))
    pen.line(((0.15, 0.5), (0.15, 0.98)), 0.018, (70, 60, 56))
    pen.line(((0.05, 0.6), (0.12, 0.46), (0.15, 0.52)), 0.065, darken(coat, 0.2))
    dome = [
        (0.1, 1.0),
        (-0.1, 0.96),
        (-0.28, 0.84),
        (-0.34, 0.74),
        (-0.19, 0.78),
        (-0.05, 0.74),
        (0.1, 0.78),
        (0.25, 0.74),
        (0.39, 0.78),
        (0.54, 0.74),
        (0.48, 0.84),
        (0.3, 0.96),
    ]
    pen.poly(dome, paint)
    pen.poly(((0.1, 1.0), (-0.1, 0.96), (-0.19, 0.78), (-0.05, 0.74)), lighten(paint, 0.25))
    pen.poly(((0.1, 1.0), (0.3, 0.96), (0.39, 0.78), (0.25, 0.74)), darken(paint, 0.2))


def snowman(pen: Pen, paint: RGB) -> None:
    """Three balls of snow, hat and carrot; `paint` colours the scarf."""
    snow: RGB = (246, 249, 253)
    pen.shadow(0, 0.4, 0.05)
    for x in (-1.0, 1.0):
        pen.line(((x * 0.16, 0.5), (x * 0.4, 0.64), (x * 0.5, 0.62)), 0.022, (110, 78, 54))
        pen.line(((x * 0.4, 0.64), (x * 0.46, 0.74)), 0.018, (110, 78, 54))
    for y, r in ((0.2, 0.26), (0.5, 0.19), (0.74, 0.14)):
        pen.ball(0, y, r, r * 0.92, (232, 238, 246))
        pen.ellipse(-r * 0.2, y + r * 0.2, r * 0.6, r * 0.55, snow, 160)
    for height in (0.42, 0.5, 0.3):
        pen.ellipse(0.02, height, 0.02, 0.02, (44, 44, 50))
    for x in (-0.05, 0.05):
        pen.ellipse(x, 0.78, 0.016, 0.018, (34, 34, 40))
    pen.poly(((0, 0.75), (0.16, 0.72), (0, 0.71)), (240, 130, 40))
    pen.line(((-0.12, 0.64), (0, 0.61), (0.12, 0.64)), 0.055, paint)
    pen.line(((0.09, 0.62), (0.13, 0.46)), 0.055, darken(paint, 0.15))
    pen.rect(-0.16, 0.84, 0.16, 0.87, (50, 50, 58))
    pen.rect(-0.1, 0.86, 0.1, 1.0, (50, 50, 58))
    pen.rect(-0.1, 0.87, 0.1, 0.9, paint)
