"""A pen in a subject's own coordinates: foot at (0, 0), y up, size 1 = the subject's nominal height."""

from collections.abc import Sequence
from math import cos, pi, sin
from random import Random

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten

__all__ = ["Pen", "Points", "smooth"]

Points = Sequence[tuple[float, float]]
_LAMP: RGB = (255, 214, 130)
_GLASS: RGB = (120, 160, 186)


class Pen:
    """Paints at a place, size, direction and distance of a canvas."""

    def __init__(
        self, canvas: Canvas, at: tuple[float, float], size: float, flip: bool = False, depth: float = 0.0
    ) -> None:
        self.canvas = canvas
        self.x, self.y = at
        self.size = size
        self.depth = depth
        self._side = -1.0 if flip else 1.0
        self.dark = canvas.light.dark
        self.snowy = canvas.light.name == "snow"

    @property
    def rng(self) -> Random:
        """The scene's random numbers."""
        return self.canvas.rng

    def at(self, dx: float, dy: float, scale: float = 1.0) -> "Pen":
        """A pen for a part: its own foot and scale, the same direction and depth."""
        x, y = self._place(dx, dy)
        return Pen(self.canvas, (x, y), self.size * scale, self._side < 0, self.depth)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return self.x + self._side * x * self.size, self.y - y * self.size

    def _tone(self, colour: RGB, lit: bool) -> RGB:
        return colour if lit else self.canvas.light.grade(colour, self.depth)

    def poly(self, points: Points, colour: RGB, alpha: int = 255, lit: bool = False) -> None:
        """Fill a polygon."""
        self.canvas.polygon([self._place(*p) for p in points], self._tone(colour, lit), alpha)

    def blob(self, points: Points, colour: RGB, alpha: int = 255, lit: bool = False) -> None:
        """Fill the smooth closed curve through the points."""
        self.poly(smooth(points), colour, alpha, lit)

    def shaded(self, points: Points, colour: RGB, curved: bool = False, strength: float = 0.22) -> None:
        """Fill a shape with a gradient, lighter above and darker below."""
        shape = smooth(points) if curved else points
        top, bottom = self._tone(lighten(colour, strength), False), self._tone(darken(colour, strength), False)
        self.canvas.gradient([self._place(*p) for p in shape], top, bottom)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: RGB, alpha: int = 255, lit: bool = False
    ) -> None:
        """Fill an ellipse by centre and radii."""
        cx, cy = self._place(x, y)
        px, py = rx * self.size, ry * self.size
        self.canvas.ellipse((cx - px, cy - py, cx + px, cy + py), self._tone(colour, lit), alpha)

    def ball(self, x: float, y: float, rx: float, ry: float, colour: RGB) -> None:
        """Fill an ellipse shaded like a round body."""
        ring = [(x + rx * cos(a * pi / 18), y + ry * sin(a * pi / 18)) for a in range(36)]
        self.shaded(ring, colour)

    def rect(
        self, left: float, bottom: float, right: float, top: float, colour: RGB, alpha: int = 255, lit: bool = False
    ) -> None:
        """Fill an upright rectangle."""
        self.poly(((left, bottom), (right, bottom), (right, top), (left, top)), colour, alpha, lit)

    def line(self, points: Points, width: float, colour: RGB, alpha: int = 255, lit: bool = False) -> None:
        """Draw an open line; the width is in the subject's units."""
        self.canvas.line([self._place(*p) for p in points], width * self.size, self._tone(colour, lit), alpha)

    def wheel(self, x: float, y: float, radius: float, hub: RGB = (190, 194, 200)) -> None:
        """A tyre with its hub."""
        self.ellipse(x, y, radius, radius, (38, 38, 44))
        self.ellipse(x, y, radius * 0.55, radius * 0.55, hub)
        self.ellipse(x, y, radius * 0.2, radius * 0.2, (70, 72, 80))

    def eye(self, x: float, y: float, radius: float) -> None:
        """A small dark eye with a spark of light."""
        self.ellipse(x, y, radius, radius, (30, 26, 30))
        self.ellipse(x + radius * 0.3, y + radius * 0.3, radius * 0.35, radius * 0.35, (250, 250, 250))

    def window(self, left: float, bottom: float, right: float, top: float, glass: RGB = _GLASS) -> None:
        """A window pane: glass by day, lamplight by night."""
        if self.dark:
            middle = ((left + right) / 2, (bottom + top) / 2)
            self.glow(*middle, (top - bottom) * 1.4, _LAMP, 120)
            self.rect(left, bottom, right, top, _LAMP, lit=True)
        else:
            self.rect(left, bottom, right, top, glass)
            corner = (left + (right - left) * 0.6, top)
            self.poly(((left, bottom), (left, top), corner), lighten(glass, 0.35))

    def glow(self, x: float, y: float, radius: float, colour: RGB = _LAMP, alpha: int = 150) -> None:
        """The halo of something that shines."""
        r = radius * self.size
        self.canvas.soft_ellipse(self._place(x, y), (r, r), colour, alpha)

    def shadow(self, x: float, rx: float, ry: float = 0.05, y: float = 0.0) -> None:
        """A soft shadow on the ground beneath the subject."""
        radii = (rx * 1.25 * self.size, ry * 1.6 * self.size)
        self.canvas.soft_ellipse(self._place(x, y), radii, (16, 20, 40), min(255, self.canvas.light.shadow * 2))


def smooth(points: Points, steps: int = 6) -> list[tuple[float, float]]:
    """The closed Catmull-Rom curve through the points, as a polygon."""
    curve: list[tuple[float, float]] = []
    count = len(points)
    for i in range(count):
        p0, p1, p2, p3 = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append((_spline(p0[0], p1[0], p2[0], p3[0], t), _spline(p0[1], p1[1], p2[1], p3[1], t)))
    return curve


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
