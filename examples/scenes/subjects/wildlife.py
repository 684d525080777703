"""Animals of hot and icy places, facing right, feet at y = 0."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["camel", "elephant", "giraffe", "penguin"]

_DARK: RGB = (40, 36, 40)


def _legs(pen: Pen, xs: tuple[float, ...], top: float, width: float, colour: RGB) -> None:
    for x in xs:
        pen.poly(((x - width / 2, top), (x + width / 2, top), (x + width * 0.4, 0), (x - width * 0.4, 0)), colour)


def elephant(pen: Pen, paint: RGB) -> None:
    """A grey elephant with its trunk hanging."""
    pen.shadow(0, 0.75, 0.06)
    shade = darken(paint, 0.2)
    _legs(pen, (-0.34, 0.3), 0.4, 0.2, shade)
    pen.line(((-0.66, 0.66), (-0.76, 0.44), (-0.74, 0.34)), 0.03, shade)
    body = (
        (-0.68, 0.62),
        (-0.5, 0.88),
        (-0.1, 0.94),
        (0.3, 0.88),
        (0.48, 0.6),
        (0.36, 0.36),
        (-0.1, 0.3),
        (-0.56, 0.34),
    )
    pen.shaded(body, paint, curved=True, strength=0.12)
    _legs(pen, (-0.5, 0.16), 0.44, 0.21, paint)
    for x in (-0.5, 0.16):
        for k in (-0.06, 0.0, 0.06):
            pen.ellipse(x + k, 0.025, 0.025, 0.025, (236, 228, 214))
    trunk = (
        (0.36, 0.94),
        (0.62, 1.0),
        (0.82, 0.86),
        (0.9, 0.6),
        (0.92, 0.3),
        (1.02, 0.14),
        (0.94, 0.1),
        (0.8, 0.28),
        (0.72, 0.54),
        (0.54, 0.56),
        (0.36, 0.6),
    )
    pen.shaded(trunk, paint, curved=True, strength=0.12)
    pen.blob(((0.7, 0.6), (0.88, 0.46), (1.04, 0.5), (0.9, 0.4), (0.7, 0.5)), (250, 246, 234))
    pen.blob(((0.42, 0.92), (0.2, 0.98), (0.06, 0.78), (0.14, 0.52), (0.34, 0.5), (0.46, 0.66)), darken(paint, 0.12))
    pen.blob(((0.38, 0.86), (0.22, 0.9), (0.14, 0.76), (0.2, 0.58), (0.34, 0.58), (0.4, 0.68)), (214, 176, 176))
    pen.eye(0.64, 0.8, 0.026)


def giraffe(pen: Pen, paint: RGB) -> None:
    """A tall giraffe with brown patches."""
    pen.shadow(0, 0.35, 0.03)
    patch: RGB = (166, 98, 50)
    _legs(pen, (-0.14, 0.1), 0.4, 0.06, darken(paint, 0.2))
    pen.line(((-0.26, 0.5), (-0.3, 0.34)), 0.018, patch)
    body = ((-0.26, 0.5), (-0.16, 0.54), (0.06, 0.6), (0.2, 0.56), (0.2, 0.4), (0.0, 0.35), (-0.24, 0.38))
    pen.blob(body, paint)
    pen.poly(((0.04, 0.56), (0.2, 0.5), (0.32, 0.92), (0.24, 0.94)), paint)
    _legs(pen, (-0.21, 0.16), 0.44, 0.065, paint)
    pen.line(((0.06, 0.6), (0.24, 0.95)), 0.022, patch)
    for x in (0.26, 0.3):
        pen.line(((x, 0.96), (x, 1.03)), 0.014, patch)
        pen.ellipse(x, 1.04, 0.013, 0.013, _DARK)
    pen.blob(((0.22, 0.93), (0.26, 0.99), (0.34, 0.98), (0.46, 0.9), (0.46, 0.86), (0.36, 0.87), (0.26, 0.88)), paint)
    pen.ellipse(0.43, 0.885, 0.04, 0.03, lighten(paint, 0.4))
    pen.eye(0.33, 0.945, 0.013)
    for x, y, r in (
        (-0.18, 0.47, 0.04),
        (-0.08, 0.44, 0.04),
        (-0.07, 0.53, 0.032),
        (0.03, 0.48, 0.045),
        (0.12, 0.44, 0.034),
        (0.12, 0.56, 0.032),
        (0.17, 0.64, 0.026),
        (0.2, 0.73, 0.024),
        (0.24, 0.82, 0.02),
        (-0.2, 0.36, 0.02),
        (0.16, 0.34, 0.02),
    ):
        pen.poly(
            ((x - r, y), (x - r * 0.3, y + r), (x + r * 0.8, y + r * 0.6), (x + r, y - r * 0.4), (x, y - r)), patch
        )


def camel(pen: Pen, paint: RGB) -> None:
    """A camel with two humps."""
    pen.shadow(0, 0.65, 0.05)
    _legs(pen, (-0.3, 0.22), 0.44, 0.08, darken(paint, 0.22))
    body = (
        (-0.52, 0.56),
        (-0.42, 0.7),
        (-0.28, 0.9),
        (-0.14, 0.7),
        (-0.04, 0.7),
        (0.1, 0.92),
        (0.24, 0.7),
        (0.38, 0.58),
        (0.34, 0.42),
        (0.0, 0.38),
        (-0.44, 0.42),
    )
    pen.shaded(body, paint, curved=True, strength=0.13)
    _legs(pen, (-0.4, 0.3), 0.46, 0.09, paint)
    pen.line(((-0.52, 0.58), (-0.6, 0.4)), 0.03, darken(paint, 0.2))
    pen.line(((0.3, 0.54), (0.5, 0.5), (0.6, 0.66), (0.62, 0.88)), 0.12, paint)
    pen.blob(((0.54, 0.9), (0.6, 1.0), (0.72, 0.98), (0.88, 0.9), (0.86, 0.82), (0.68, 0.84)), paint)
    pen.poly(((0.56, 0.97), (0.57, 1.05), (0.62, 0.98)), darken(paint, 0.2))
    pen.eye(0.7, 0.93, 0.02)
    pen.poly(((-0.18, 0.68), (0.0, 0.68), (0.06, 0.46), (-0.24, 0.46)), (196, 60, 56))
    pen.rect(-0.2, 0.54, 0.02, 0.58, (246, 206, 90))


def penguin(pen: Pen, paint: RGB) -> None:
    """A penguin turned to the viewer; `paint` colours its scarf."""
    pen.shadow(0, 0.3, 0.04)
    for x in (-0.13, 0.13):
        pen.ellipse(x, 0.03, 0.12, 0.04, (244, 160, 50))
    pen.blob(((-0.3, 0.62), (-0.44, 0.4), (-0.4, 0.3), (-0.26, 0.44)), _DARK)
    pen.blob(((0.3, 0.62), (0.44, 0.4), (0.4, 0.3), (0.26, 0.44)), _DARK)
    pen.shaded(
        (
            (0, 1.0),
            (-0.2, 0.9),
            (-0.24, 0.72),
            (-0.34, 0.4),
            (-0.24, 0.06),
            (0.24, 0.06),
            (0.34, 0.4),
            (0.24, 0.72),
            (0.2, 0.9),
        ),
        (48, 52, 66),
        curved=True,
    )
    pen.blob(
        ((0, 0.66), (-0.2, 0.56), (-0.24, 0.3), (-0.16, 0.08), (0.16, 0.08), (0.24, 0.3), (0.2, 0.56)), (248, 248, 246)
    )
    for x in (-0.08, 0.08):
        pen.ellipse(x, 0.82, 0.1, 0.1, (248, 248, 246))
        pen.eye(x, 0.84, 0.035)
    pen.poly(((-0.06, 0.77), (0.06, 0.77), (0, 0.7)), (244, 160, 50))
    pen.line(((-0.22, 0.66), (0, 0.62), (0.22, 0.66)), 0.075, paint)
    pen.line(((0.12, 0.63), (0.16, 0.44)), 0.075, darken(paint, 0.12))
