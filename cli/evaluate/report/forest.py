"""One measure over languages: every system's value as a dot on its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cli.evaluate.report.axes import round_range, rounded, series_class
from cli.evaluate.report.markup import element, escaped

__all__ = ["Estimate", "forest_panel"]

WIDTH, LEFT, RIGHT = 640, 70, 70

ROW, BETWEEN, BELOW = 18, 6, 26
"""Height of one estimate, of the room after a language, and of the scale."""


@dataclass(frozen=True)
class Estimate:
    """A value and its interval, by one of the systems."""

    series: int
    value: float
    low: float
    high: float
    words: str


def forest_panel(rows: Sequence[tuple[str, Sequence[Estimate]]]) -> str:
    """A name and its estimates for each row."""
    ends = [end for _, estimates in rows for e in estimates for end in (e.low, e.high, e.value) if math.isfinite(end)]
    scale = _Scale(*round_range(ends))
    height = sum(ROW * len(estimates) + BETWEEN for _, estimates in rows) + BELOW
    parts = _grid(scale, height)
    top = 4.0
    for name, estimates in rows:
        middle = top + ROW * len(estimates) / 2 + 4
        parts.append(element("text", escaped(name), x=LEFT - 12, y=rounded(middle), text_anchor="end", class_="name"))
        for estimate in estimates:
            parts.append(_estimate(estimate, scale, top + ROW / 2))
            top += ROW
        top += BETWEEN
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", class_="forest")


@dataclass(frozen=True)
class _Scale:
    """From values to the width of the plot."""

    low: float
    high: float
    step: float

    def __call__(self, value: float) -> str:
        """Values beyond the ends are put there."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return rounded(LEFT + share * (WIDTH - LEFT - RIGHT))


def _grid(scale: _Scale, height: float) -> list[str]:
    parts = []
    for number in range(round((scale.high - scale.low) / scale.step) + 1):
        x = scale(scale.low + scale.step * number)
        parts.append(element("line", x1=x, x2=x, y1=4, y2=height - 22, class_="grid"))
        parts.append(element("text", f"{scale.low + scale.step * number:.3g}", x=x, y=height - 7, text_anchor="middle"))
    return parts


def _estimate(estimate: Estimate, scale: _Scale, y: float) -> str:
    whisker = element("line", x1=scale(estimate.low), x2=scale(estimate.high), y1=y, y2=y, class_="whisker")
    dot = element("circle", cx=scale(estimate.value), cy=y, r=4, class_="dot")
    words = element("text", escaped(estimate.words), x=WIDTH - RIGHT + 12, y=y + 3.5)
    return element("g", whisker, dot, words, class_=series_class(estimate.series))
