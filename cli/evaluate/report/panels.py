"""Small plots for one language: recall by depth, and ranks as a histogram."""

import math
from collections.abc import Iterable, Sequence

from cli.evaluate.plot_data import bin_words
from cli.evaluate.report.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    below,
    height_of,
    panel,
    polyline,
    rounded,
    series_class,
    share_lines,
    spread,
    tick_step,
)
from cli.evaluate.report.markup import element, escaped

__all__ = ["histogram_panel", "legend", "recall_panel"]


def recall_panel(
    name: str, depths: Sequence[int], curves: Sequence[Sequence[float]], pooled: Sequence[float] | None = None
) -> str:
    """Recall (0 to 1) over depth, on a logarithmic scale; `pooled` in grey behind it."""
    largest = max(depths[-1], 2)
    x = [spread(math.log(depth) / math.log(largest)) for depth in depths]
    parts = [*share_lines(1.0, 0.25)]
    labelled = [10**power for power in range(int(math.log10(largest)) + 1)]
    parts += [below(spread(math.log(depth) / math.log(largest)), f"{depth:,}") for depth in labelled]
    if pooled is not None:
        parts.append(polyline(x, [height_of(share) for share in pooled], class_="pooled"))
    for series, shares in enumerate(curves):
        line = polyline(x, [height_of(share) for share in shares], class_="line")
        parts.append(element("g", line, class_=series_class(series)))
    return panel(name, parts, f"{name}: recall over depth")


def histogram_panel(name: str, edges: Sequence[int], shares: Sequence[Sequence[float]], highest: float) -> str:
    """The share of queries in each bin of ranks, a bar a system; `highest` is the top of the scale."""
    bins = len(edges) - 1
    step = (WIDTH - LEFT - RIGHT) / bins
    thick = step * 0.82 / len(shares)
    parts = [*share_lines(highest, tick_step(highest))]
    labelled = max(1, math.ceil(bins / 7))
    parts += [below(LEFT + (place + 0.5) * step, f"{edges[place]:,}") for place in range(0, bins, labelled)]
    for series, of_system in enumerate(shares):
        left = LEFT + step * 0.09 + series * thick
        bars = [
            _bar(left + place * step, thick, share / highest, _bar_words(edges, place, share))
            for place, share in enumerate(of_system)
        ]
        parts.append(element("g", *bars, class_=series_class(series)))
    return panel(name, parts, f"{name}: ranks")


def legend(names: Iterable[str]) -> str:
    """Which series is whose."""
    items = []
    for series, name in enumerate(names):
        line = element("line", x1=0, x2=30, y1=5, y2=5, class_="line")
        dot = element("circle", cx=15, cy=5, r=3.4, class_="dot")
        both = element("g", line, dot, class_=series_class(series))
        items.append(element("li", element("svg", both, viewBox="0 0 30 10", aria_hidden="true"), escaped(name)))
    return element("ul", *items, class_="legend")


def _bar(left: float, thick: float, share: float, words: str) -> str:
    top = height_of(share)
    size = {"width": rounded(thick), "height": rounded(HEIGHT - BOTTOM - top)}
    says = element("title", escaped(words))
    return element("rect", says, x=rounded(left), y=rounded(top), class_="bar", **size)


def _bar_words(edges: Sequence[int], place: int, share: float) -> str:
    return f"rank {bin_words(edges[place], edges[place + 1])}: {share:.1%}"
