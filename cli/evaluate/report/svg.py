"""The figures of a report as SVG: a metric over languages, recall by depth, and the distribution of the ranks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cli.evaluate.formatting import (
    bin_label,
    curve_depths,
    format_number,
    main_metric,
    metric_label,
    rank_bins,
    rank_shares,
)
from cli.evaluate.report.markup import COLOUR_COUNT, element, escaped
from search.evaluate.evaluation import ALL_LANGUAGES
from search.evaluate.measurement import Measurement

__all__ = ["forest_figure", "histogram_figure", "histogram_panel", "recall_figure", "recall_panel"]

WIDTH, HEIGHT = 260, 170
"""The size of a panel, in SVG units."""

LEFT, RIGHT, TOP, BOTTOM = 30, 14, 22, 22
"""The margins of a panel, for labels."""

FOREST_WIDTH, FOREST_LEFT, FOREST_RIGHT = 640, 70, 70
"""The width and the margins of a forest plot."""

ROW_HEIGHT, GROUP_GAP, SCALE_HEIGHT = 18, 6, 26
"""The heights of an estimate, of the gap after a language, and of the scale of a forest plot."""


@dataclass(frozen=True)
class Estimate:
    """A value of one system with its interval, and its text."""

    series: int
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class ForestScale:
    """Maps values to the horizontal axis of a forest plot. Values beyond the ends are clipped."""

    low: float
    high: float
    step: float

    def __call__(self, value: float) -> str:
        """Return the coordinate of a value."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return _coordinate(FOREST_LEFT + share * (FOREST_WIDTH - FOREST_LEFT - FOREST_RIGHT))


def forest_figure(systems: Sequence[Measurement]) -> str:
    """Draw the main metric with its intervals, one row per language."""
    name = main_metric(systems[0].pooled)
    rows = []
    for evaluations in zip(*(system.evaluations for system in systems), strict=True):
        estimates = []
        for series, evaluation in enumerate(evaluations):
            value, interval = evaluation.scores[name], evaluation.intervals[name]
            estimates.append(Estimate(series, value, interval.low, interval.high, format_number(name, value)))
        rows.append((evaluations[0].subject.lang, estimates))
    level = systems[0].pooled.resampling.level
    note = f"Lines are {level:.0%} confidence intervals."
    return _figure(f"{metric_label(name)} by language.", note, systems, _forest_plot(rows))


def recall_figure(systems: Sequence[Measurement]) -> str:
    """Draw recall over depth, one panel per language."""
    depths = curve_depths(systems[0].pooled.candidates)
    pooled = systems[0].pooled.recall_curve(depths) if len(systems) == 1 and len(systems[0].evaluations) > 1 else None
    panels = []
    for evaluations in zip(*(system.evaluations for system in systems), strict=True):
        lang = evaluations[0].subject.lang
        curves = [evaluation.recall_curve(depths) for evaluation in evaluations]
        panels.append(recall_panel(lang, depths, curves, None if lang == ALL_LANGUAGES else pooled))
    note = "Share of queries with a relevant result among the first k, over k."
    note += " Grey: all languages." if pooled else ""
    return _figure("Recall by depth.", note, systems, element("div", *panels, class_="panels"))


def histogram_figure(systems: Sequence[Measurement]) -> str:
    """Draw the distribution of the rank of the first relevant result, one panel per language, all with one scale."""
    edges = rank_bins(systems[0].pooled.candidates)
    shares = [
        (evaluations[0].subject.lang, [rank_shares(evaluation, edges) for evaluation in evaluations])
        for evaluations in zip(*(system.evaluations for system in systems), strict=True)
    ]
    highest = max((share for _, of_lang in shares for of_system in of_lang for share in of_system), default=0) or 1.0
    panels = [histogram_panel(lang, edges, of_lang, highest) for lang, of_lang in shares]
    note = (
        "Share of queries by the rank of the first relevant result. Bins are 1, 2-3, 4-7, ..., labelled by their start."
    )
    return _figure("Ranks.", note, systems, element("div", *panels, class_="panels"))


def recall_panel(
    name: str, depths: Sequence[int], curves: Sequence[Sequence[float]], pooled: Sequence[float] | None = None
) -> str:
    """Draw recall (0 to 1) over depth, on a logarithmic scale; `pooled` in grey behind it."""
    deepest = max(depths[-1], 2)
    x = [_x_of(math.log(depth) / math.log(deepest)) for depth in depths]
    parts = [*_horizontal_grid(1.0, 0.25)]
    ticks = [10**power for power in range(int(math.log10(deepest)) + 1)]
    parts += [_x_label(_x_of(math.log(depth) / math.log(deepest)), f"{depth:,}") for depth in ticks]
    if pooled is not None:
        parts.append(_polyline(x, [_y_of(share) for share in pooled], class_="pooled"))
    for series, shares in enumerate(curves):
        line = _polyline(x, [_y_of(share) for share in shares], class_="line")
        parts.append(element("g", line, class_=_series_class(series)))
    return _panel(name, parts, f"{name}: recall over depth")


def histogram_panel(name: str, edges: Sequence[int], shares: Sequence[Sequence[float]], highest: float) -> str:
    """Draw the share of queries in each bin of ranks, one bar per system; `highest` is the top of the scale."""
    bins = len(edges) - 1
    step = (WIDTH - LEFT - RIGHT) / bins
    width = step * 0.82 / len(shares)
    parts = [*_horizontal_grid(highest, _tick_step(highest))]
    label_every = max(1, math.ceil(bins / 7))
    parts += [_x_label(LEFT + (number + 0.5) * step, f"{edges[number]:,}") for number in range(0, bins, label_every)]
    for series, of_system in enumerate(shares):
        left = LEFT + step * 0.09 + series * width
        bars = [
            _bar(left + number * step, width, share / highest, _bar_title(edges, number, share))
            for number, share in enumerate(of_system)
        ]
        parts.append(element("g", *bars, class_=_series_class(series)))
    return _panel(name, parts, f"{name}: ranks")


def _figure(title: str, note: str, systems: Sequence[Measurement], drawing: str) -> str:
    caption = element("figcaption", element("b", escaped(title)), " ", escaped(note))
    legend = _legend(system.name for system in systems) if len(systems) > 1 else ""
    return element("figure", caption, legend, drawing)


def _legend(names: Iterable[str]) -> str:
    items = []
    for series, name in enumerate(names):
        line = element("line", x1=0, x2=30, y1=5, y2=5, class_="line")
        dot = element("circle", cx=15, cy=5, r=3.4, class_="dot")
        both = element("g", line, dot, class_=_series_class(series))
        items.append(element("li", element("svg", both, viewBox="0 0 30 10", aria_hidden="true"), escaped(name)))
    return element("ul", *items, class_="legend")


def _panel(name: str, parts: Iterable[str], label: str) -> str:
    """Draw the frame of one panel: the name above, the horizontal axis below, `parts` in between."""
    title = element("text", escaped(name), x=LEFT, y=13, class_="name")
    axis = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, class_="axis")
    return element("svg", title, *parts, axis, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)


def _horizontal_grid(highest: float, step: float) -> Iterable[str]:
    """Draw horizontal lines with their values on the left."""
    for number in range(int(highest / step + 1e-9) + 1):
        y = _y_of(number * step / highest)
        yield element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=_coordinate(y), y2=_coordinate(y), class_="grid")
        yield element("text", f"{number * step:.3g}", x=LEFT - 5, y=_coordinate(y + 3.5), text_anchor="end")


def _x_label(x: float, text: str) -> str:
    """Draw a label below the horizontal axis."""
    return element("text", text, x=_coordinate(x), y=HEIGHT - BOTTOM + 13, text_anchor="middle")


def _polyline(xs: Sequence[float], ys: Sequence[float], class_: str) -> str:
    points = " ".join(f"{_coordinate(x)},{_coordinate(y)}" for x, y in zip(xs, ys, strict=True))
    return element("polyline", points=points, class_=class_)


def _bar(left: float, width: float, share: float, title: str) -> str:
    top = _y_of(share)
    size = {"width": _coordinate(width), "height": _coordinate(HEIGHT - BOTTOM - top)}
    tooltip = element("title", escaped(title))
    return element("rect", tooltip, x=_coordinate(left), y=_coordinate(top), class_="bar", **size)


def _bar_title(edges: Sequence[int], number: int, share: float) -> str:
    return f"rank {bin_label(edges[number], edges[number + 1])}: {share:.1%}"


def _forest_plot(rows: Sequence[tuple[str, Sequence[Estimate]]]) -> str:
    """Draw a name and its estimates for each row."""
    ends = [end for _, estimates in rows for e in estimates for end in (e.low, e.high, e.value) if math.isfinite(end)]
    scale = ForestScale(*_round_range(ends))
    height = sum(ROW_HEIGHT * len(estimates) + GROUP_GAP for _, estimates in rows) + SCALE_HEIGHT
    parts = _forest_grid(scale, height)
    top = 4.0
    for name, estimates in rows:
        y = _coordinate(top + ROW_HEIGHT * len(estimates) / 2 + 4)
        parts.append(element("text", escaped(name), x=FOREST_LEFT - 12, y=y, text_anchor="end", class_="name"))
        for estimate in estimates:
            parts.append(_estimate(estimate, scale, top + ROW_HEIGHT / 2))
            top += ROW_HEIGHT
        top += GROUP_GAP
    return element("svg", *parts, viewBox=f"0 0 {FOREST_WIDTH} {height}", role="img", class_="forest")


def _forest_grid(scale: ForestScale, height: float) -> list[str]:
    parts = []
    decimals = next(number for number in range(10) if math.isclose(round(scale.step, number), scale.step))
    for number in range(round((scale.high - scale.low) / scale.step) + 1):
        value = scale.low + scale.step * number
        x = scale(value)
        parts.append(element("line", x1=x, x2=x, y1=4, y2=height - 22, class_="grid"))
        parts.append(element("text", f"{value:.{decimals}f}", x=x, y=height - 7, text_anchor="middle"))
    return parts


def _estimate(estimate: Estimate, scale: ForestScale, y: float) -> str:
    whisker = element("line", x1=scale(estimate.low), x2=scale(estimate.high), y1=y, y2=y, class_="whisker")
    dot = element("circle", cx=scale(estimate.value), cy=y, r=4, class_="dot")
    text = element("text", escaped(estimate.text), x=FOREST_WIDTH - FOREST_RIGHT + 12, y=y + 3.5)
    return element("g", whisker, dot, text, class_=_series_class(estimate.series))


def _x_of(share: float) -> float:
    """Return the horizontal position of a share (0 to 1) of the width of a panel."""
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y_of(share: float) -> float:
    """Return the vertical position of a share (0 to 1) of the height of a panel."""
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _tick_step(span: float) -> float:
    """Return a round step that divides `span` into two to five."""
    power = 10.0 ** math.floor(math.log10(span))
    return next(power * factor for factor in (0.2, 0.25, 0.5, 1, 2) if span / (power * factor) <= 5)


def _round_range(ends: Sequence[float]) -> tuple[float, float, float]:
    """Return round numbers that enclose all ends, and a round step between them."""
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    step = _tick_step(high - low)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _series_class(number: int) -> str:
    """Return the CSS class with the colour of a series."""
    return f"s{number % COLOUR_COUNT}"


def _coordinate(number: float) -> str:
    """Format a coordinate with at most one decimal."""
    return f"{number:.1f}".removesuffix(".0")
