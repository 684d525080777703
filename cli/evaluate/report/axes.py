"""The frame of a small plot as SVG: its scales, the lines and labels on them, and what colour a series has."""

import math
from collections.abc import Iterable, Sequence

from cli.evaluate.report.markup import element, escaped
from cli.evaluate.report.style import SERIES

__all__ = [
    "BOTTOM",
    "HEIGHT",
    "LEFT",
    "RIGHT",
    "WIDTH",
    "below",
    "height_of",
    "panel",
    "polyline",
    "round_range",
    "rounded",
    "series_class",
    "share_lines",
    "spread",
    "tick_step",
]

WIDTH, HEIGHT = 260, 170
"""Of a panel, in SVG units; the plot leaves room for labels at its edges."""

LEFT, RIGHT, TOP, BOTTOM = 30, 14, 22, 22


def panel(name: str, parts: Iterable[str], label: str) -> str:
    """The plot of one language: its name above, the horizontal axis below, `parts` in between."""
    title = element("text", escaped(name), x=LEFT, y=13, class_="name")
    axis = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, class_="axis")
    return element("svg", title, *parts, axis, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)


def share_lines(highest: float, step: float) -> Iterable[str]:
    """Horizontal lines with their values at the left."""
    for number in range(int(highest / step + 1e-9) + 1):
        y = height_of(number * step / highest)
        yield element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=rounded(y), y2=rounded(y), class_="grid")
        yield element("text", f"{number * step:.3g}", x=LEFT - 5, y=rounded(y + 3.5), text_anchor="end")


def below(x: float, words: str) -> str:
    """A label under the horizontal axis."""
    return element("text", words, x=rounded(x), y=HEIGHT - BOTTOM + 13, text_anchor="middle")


def polyline(xs: Sequence[float], ys: Sequence[float], class_: str) -> str:
    """A line through all points."""
    points = " ".join(f"{rounded(x)},{rounded(y)}" for x, y in zip(xs, ys, strict=True))
    return element("polyline", points=points, class_=class_)


def spread(share: float) -> float:
    """Where from left to right a share (0 to 1) of the plot's width is."""
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def height_of(share: float) -> float:
    """Where from top to bottom a share (0 to 1) of the plot's height is."""
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def tick_step(span: float) -> float:
    """A round step that parts `span` into two to five."""
    power = 10.0 ** math.floor(math.log10(span))
    return next(power * factor for factor in (0.2, 0.25, 0.5, 1, 2) if span / (power * factor) <= 5)


def round_range(ends: Sequence[float]) -> tuple[float, float, float]:
    """Round numbers around all ends, and a round step between them."""
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    step = tick_step(high - low)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def series_class(number: int) -> str:
    """The class that gives series `number` its colour."""
    return f"s{number % SERIES}"


def rounded(number: float) -> str:
    """A coordinate, short."""
    return f"{number:.1f}".removesuffix(".0")
