"""Small animals and deer, facing right, feet at y = 0."""

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["chicken", "deer", "fox", "rabbit"]

_DARK: RGB = (40, 36, 40)


def _legs(pen: Pen, xs: tuple[float, ...], top: float, width: float, colour: RGB) -> None:
    for x in xs:
        pen.poly(((x - width / 2, top), (x + width / 2, top), (x + width * 0.4, 0), (x - width * 0.4, 0)), colour)


def fox(pen: Pen, paint: RGB) -> None:
    """A red fox with a bushy tail."""
    pen.shadow(0, 0.75, 0.06)
    _legs(pen, (-0.3, 0.3), 0.36, 0.1, _DARK)
    tail = ((-0.42, 0.5), (-0.7, 0.56), (-0.98, 0.36), (-1.1, 0.16), (-0.8, 0.14), (-0.56, 0.32))
    pen.blob(tail, paint)
    pen.blob(((-0.94, 0.32), (-1.1, 0.16), (-0.84, 0.15)), (250, 246, 240))
    pen.shaded(
        ((-0.5, 0.52), (-0.3, 0.62), (0.2, 0.6), (0.44, 0.66), (0.46, 0.42), (0.2, 0.32), (-0.44, 0.32)),
        paint,
        curved=True,
        strength=0.12,
    )
    _legs(pen, (-0.4, 0.38), 0.4, 0.11, darken(paint, 0.45))
    pen.poly(((0.34, 0.82), (0.38, 1.08), (0.54, 0.9)), paint)
    pen.poly(((0.52, 0.86), (0.62, 1.08), (0.7, 0.84)), darken(paint, 0.2))
    pen.blob(
        ((0.3, 0.7), (0.4, 0.9), (0.62, 0.92), (0.76, 0.76), (1.0, 0.62), (0.98, 0.57), (0.7, 0.56), (0.42, 0.54)),
        paint,
    )
    pen.blob(((0.4, 0.6), (0.64, 0.68), (0.98, 0.6), (0.7, 0.53), (0.46, 0.5)), (250, 246, 240))
    pen.ellipse(1.0, 0.61, 0.045, 0.04, _DARK)
    pen.eye(0.66, 0.77, 0.035)


def deer(pen: Pen, paint: RGB) -> None:
    """A stag with antlers."""
    pen.shadow(0, 0.42, 0.04)
    horn: RGB = (146, 112, 80)
    _legs(pen, (-0.2, 0.16), 0.36, 0.05, darken(paint, 0.25))
    pen.shaded(
        ((-0.34, 0.5), (-0.2, 0.54), (0.06, 0.52), (0.22, 0.56), (0.26, 0.42), (0.1, 0.32), (-0.3, 0.33)),
        paint,
        curved=True,
        strength=0.12,
    )
    _legs(pen, (-0.28, 0.22), 0.4, 0.055, paint)
    pen.blob(((-0.34, 0.48), (-0.4, 0.44), (-0.36, 0.38)), (250, 244, 232))
    pen.poly(((0.08, 0.5), (0.25, 0.42), (0.37, 0.72), (0.26, 0.74)), paint)
    pen.poly(((0.25, 0.42), (0.37, 0.7), (0.32, 0.6), (0.26, 0.46)), lighten(paint, 0.4))
    for points in (
        ((0.29, 0.76), (0.2, 0.86), (0.2, 1.0)),
        ((0.21, 0.86), (0.1, 0.92)),
        ((0.31, 0.76), (0.42, 0.88), (0.42, 1.0)),
        ((0.41, 0.87), (0.52, 0.93)),
        ((0.2, 0.92), (0.28, 0.98)),
        ((0.42, 0.93), (0.34, 0.98)),
    ):
        pen.line(points, 0.022, horn)
    pen.ellipse(0.2, 0.735, 0.07, 0.03, darken(paint, 0.1))
    pen.blob(((0.24, 0.74), (0.3, 0.79), (0.38, 0.76), (0.52, 0.68), (0.5, 0.63), (0.36, 0.66), (0.27, 0.66)), paint)
    pen.ellipse(0.51, 0.66, 0.022, 0.02, _DARK)
    pen.eye(0.37, 0.73, 0.016)


def rabbit(pen: Pen, paint: RGB) -> None:
    """A sitting rabbit with upright ears."""
    pen.shadow(0, 0.5, 0.06)
    pen.ellipse(-0.46, 0.2, 0.12, 0.12, lighten(paint, 0.6))
    pen.shaded(
        ((-0.46, 0.12), (-0.42, 0.36), (-0.14, 0.52), (0.2, 0.46), (0.34, 0.2), (0.3, 0.02), (-0.36, 0.02)),
        paint,
        curved=True,
        strength=0.13,
    )
    pen.ellipse(-0.2, 0.18, 0.2, 0.17, darken(paint, 0.1))
    pen.ellipse(-0.1, 0.04, 0.2, 0.05, lighten(paint, 0.2))
    pen.ellipse(0.28, 0.04, 0.12, 0.05, lighten(paint, 0.2))
    for x, lean in ((0.2, -0.06), (0.34, 0.02)):
        pen.blob(
            ((x - 0.06, 0.62), (x + lean - 0.07, 0.86), (x + lean, 1.02), (x + lean + 0.07, 0.86), (x + 0.06, 0.62)),
            paint,
        )
        pen.blob(
            ((x - 0.02, 0.66), (x + lean - 0.03, 0.84), (x + lean, 0.94), (x + lean + 0.03, 0.84), (x + 0.03, 0.66)),
            (236, 170, 170),
        )
    pen.ellipse(0.3, 0.54, 0.21, 0.18, paint)
    pen.ellipse(0.42, 0.48, 0.1, 0.08, lighten(paint, 0.5))
    pen.ellipse(0.49, 0.53, 0.025, 0.02, (230, 120, 130))
    pen.eye(0.36, 0.58, 0.03)


def chicken(pen: Pen, paint: RGB) -> None:
    """A hen with a red comb."""
    pen.shadow(0, 0.4, 0.06)
    for x in (-0.06, 0.1):
        pen.line(((x, 0.3), (x, 0.02), (x + 0.1, 0.02)), 0.035, (236, 170, 60))
    pen.blob(((-0.3, 0.5), (-0.56, 0.86), (-0.62, 0.6), (-0.46, 0.36)), darken(paint, 0.3))
    pen.shaded(
        (
            (-0.48, 0.56),
            (-0.2, 0.5),
            (0.1, 0.66),
            (0.2, 0.9),
            (0.38, 0.88),
            (0.42, 0.6),
            (0.34, 0.34),
            (0.06, 0.2),
            (-0.28, 0.26),
        ),
        paint,
        curved=True,
        strength=0.13,
    )
    pen.blob(((-0.3, 0.5), (0.06, 0.52), (0.14, 0.36), (-0.1, 0.28)), darken(paint, 0.2))
    for x, y in ((0.22, 0.96), (0.3, 1.0), (0.38, 0.95)):
        pen.ellipse(x, y, 0.055, 0.065, (214, 52, 48))
    pen.ellipse(0.3, 0.84, 0.14, 0.14, paint)
    pen.poly(((0.42, 0.88), (0.58, 0.82), (0.42, 0.77)), (244, 170, 50))
    pen.ellipse(0.43, 0.7, 0.04, 0.07, (214, 52, 48))
    pen.eye(0.35, 0.87, 0.03)
