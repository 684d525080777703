"""What flies or shines in the sky; the anchor is the middle of the lower edge."""

from math import cos, pi, sin

from examples.scenes.colour import RGB, darken, lighten
from examples.scenes.pen import Pen

__all__ = ["balloon", "bird_flock", "butterfly", "kite", "moon", "plane", "rainbow"]


def balloon(pen: Pen, paint: RGB) -> None:
    """A hot-air balloon with light gores."""
    outline = (
        (0, 0.24),
        (0.16, 0.36),
        (0.3, 0.54),
        (0.34, 0.74),
        (0.24, 0.92),
        (0, 1.0),
        (-0.24, 0.92),
        (-0.34, 0.74),
        (-0.3, 0.54),
        (-0.16, 0.36),
    )
    if pen.dark:
        pen.glow(0, 0.6, 0.7, (255, 190, 110), 120)
    tone = darken(paint, 0.1) if pen.dark else paint
    pen.blob(outline, tone, lit=pen.dark)
    for squeeze, colour in ((0.72, (250, 240, 220)), (0.42, tone), (0.14, (250, 240, 220))):
        pen.blob([(x * squeeze, y) for x, y in outline], colour, lit=pen.dark)
    pen.blob(
        [(x, y) for x, y in ((0.06, 0.3), (0.2, 0.5), (0.26, 0.74), (0.16, 0.94), (0.32, 0.76), (0.28, 0.52))],
        darken(paint, 0.6),
        60,
    )
    for x in (-0.07, 0.07):
        pen.line(((x, 0.28), (x * 0.9, 0.14)), 0.01, (90, 70, 56))
    pen.shaded(((-0.09, 0.14), (-0.07, 0.0), (0.07, 0.0), (0.09, 0.14)), (150, 104, 64))
    pen.rect(-0.1, 0.12, 0.1, 0.15, (196, 148, 96))


def plane(pen: Pen, paint: RGB) -> None:
    """An airliner climbing to the right; `paint` colours the tail and the stripe."""
    body: RGB = (246, 248, 250)
    pen.poly(((-0.1, 0.5), (0.3, 0.55), (-0.2, 0.98), (-0.42, 0.96)), darken(body, 0.25))
    pen.blob(
        ((-1.1, 0.48), (-0.8, 0.36), (0.4, 0.4), (1.0, 0.56), (1.16, 0.68), (0.96, 0.78), (0.4, 0.76), (-0.7, 0.66)),
        body,
    )
    pen.blob(
        ((-1.06, 0.46), (-0.8, 0.36), (0.4, 0.4), (1.0, 0.56), (1.14, 0.66), (0.4, 0.5), (-0.7, 0.46)),
        darken(body, 0.2),
    )
    pen.poly(((-1.12, 0.5), (-0.74, 0.64), (-0.98, 1.04), (-1.2, 1.02)), paint)
    pen.line(((-0.8, 0.56), (0.96, 0.68)), 0.05, paint)
    for i in range(7):
        pen.ellipse(-0.4 + i * 0.17, 0.655 + i * 0.007, 0.04, 0.035, (90, 130, 164))
    pen.poly(((-0.16, 0.48), (0.34, 0.5), (-0.3, 0.0), (-0.54, 0.02)), darken(body, 0.1))
    pen.poly(((0.94, 0.7), (1.06, 0.72), (1.0, 0.77), (0.9, 0.77)), (70, 100, 130))


def bird_flock(pen: Pen, paint: RGB) -> None:
    """Seven birds in a loose V."""
    for x, y, s in (
        (0, 0.5, 0.34),
        (-0.5, 0.7, 0.28),
        (-0.46, 0.26, 0.3),
        (-1.0, 0.9, 0.24),
        (-0.94, 0.06, 0.27),
        (0.5, 0.34, 0.2),
        (-1.4, 0.4, 0.22),
    ):
        wing = (
            (-s, 0.5 * s),
            (-0.45 * s, 0.62 * s),
            (0, 0.1 * s),
            (0.45 * s, 0.62 * s),
            (s, 0.5 * s),
            (0.4 * s, 0.36 * s),
            (0, -0.16 * s),
            (-0.4 * s, 0.36 * s),
        )
        pen.poly([(x + a, y + b) for a, b in wing], paint)


def butterfly(pen: Pen, paint: RGB) -> None:
    """A butterfly with open wings."""
    for side in (-1, 1):
        upper = ((0.02, 0.5), (0.2, 0.86), (0.5, 0.98), (0.6, 0.8), (0.46, 0.56), (0.2, 0.46))
        lower = ((0.02, 0.48), (0.24, 0.44), (0.46, 0.32), (0.4, 0.1), (0.2, 0.08), (0.06, 0.3))
        for wing in (upper, lower):
            pen.blob([(side * x, y) for x, y in wing], darken(paint, 0.5))
            cx, cy = sum(p[0] for p in wing) / 6, sum(p[1] for p in wing) / 6
            pen.blob([(side * (cx + (x - cx) * 0.78), cy + (y - cy) * 0.78) for x, y in wing], paint)
        pen.ellipse(side * 0.46, 0.78, 0.06, 0.06, (255, 246, 220))
        pen.ellipse(side * 0.3, 0.22, 0.045, 0.045, (255, 246, 220))
        pen.line(((0, 0.7), (side * 0.12, 0.96)), 0.016, (50, 40, 40))
    pen.ellipse(0, 0.46, 0.04, 0.26, (50, 40, 40))


def kite(pen: Pen, paint: RGB) -> None:
    """A diamond kite with a ribbon tail."""
    pen.line(((0.0, 0.3), (-0.3, -0.3), (-0.8, -0.9)), 0.008, (240, 240, 240), 200)
    pen.poly(((0, 0.3), (-0.3, 0.7), (0, 1.0), (0.3, 0.7)), paint)
    pen.poly(((0, 0.3), (0.3, 0.7), (0, 1.0)), darken(paint, 0.2))
    pen.poly(((0, 0.7), (-0.3, 0.7), (0, 1.0)), lighten(paint, 0.4))
    tail = ((0, 0.3), (0.08, 0.16), (-0.02, 0.04), (0.08, -0.1), (0.0, -0.22))
    pen.line(tail, 0.015, (250, 240, 220))
    for i, (x, y) in enumerate(tail[1:]):
        colour: RGB = (246, 200, 60) if i % 2 else (230, 80, 70)
        pen.poly(((x, y), (x - 0.08, y + 0.05), (x - 0.08, y - 0.05)), colour)
        pen.poly(((x, y), (x + 0.08, y + 0.05), (x + 0.08, y - 0.05)), colour)


def moon(pen: Pen, _: RGB) -> None:
    """A full moon with a few seas, and its halo."""
    face: RGB = (250, 244, 214)
    pen.glow(0, 0.5, 1.5, face, 150)
    pen.ellipse(0, 0.5, 0.5, 0.5, face, lit=True)
    for x, y, r in ((-0.16, 0.64, 0.12), (0.14, 0.44, 0.16), (-0.12, 0.3, 0.08), (0.24, 0.72, 0.06)):
        pen.ellipse(x, y, r, r, (226, 218, 186), lit=True)


def rainbow(pen: Pen, _: RGB) -> None:
    """Half a ring of seven soft colours."""
    bands: tuple[RGB, ...] = (
        (226, 70, 70),
        (244, 148, 60),
        (250, 214, 90),
        (110, 190, 100),
        (80, 160, 220),
        (80, 96, 190),
        (148, 90, 180),
    )
    for i, band in enumerate(bands):
        outer, inner = 1.0 - i * 0.04, 0.96 - i * 0.04
        angles = [a * pi / 48 for a in range(49)]
        ring = [(outer * 1.25 * cos(a), outer * sin(a)) for a in angles]
        ring += [(inner * 1.25 * cos(a), inner * sin(a)) for a in reversed(angles)]
        pen.poly(ring, band, 150)
