"""The figures of a report as PNG files, drawn with matplotlib (the extra `eval`)."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cli.evaluate.formatting import (
    curve_depths,
    format_direction,
    main_metric,
    metric_label,
    rank_bins,
    rank_shares,
)
from cli.output import shown
from core.errors import ExtraMissing
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement, group_by_task

__all__ = ["require_matplotlib", "write_plots"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Distinguishable with any colour vision (Okabe and Ito, "Color universal design", 2008)."""

DASHES = ("-", "--", ":", "-.")

MAX_COLUMNS = 4
"""Panels in one row."""

DPI = 200


def write_plots(folder: Path, measurements: Sequence[Measurement]) -> list[Path]:
    """Write three files for each data set and direction; return their paths.

    Raises `ExtraMissing` without matplotlib, and `OSError` when a file cannot be written.
    """
    require_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for systems in group_by_task(measurements):
        for kind, draw in (("intervals", _draw_intervals), ("recall", _draw_recall), ("ranks", _draw_ranks)):
            path = folder / f"{_file_stem(systems[0])}-{kind}.png"
            draw(systems).savefig(path, dpi=DPI, bbox_inches="tight")
            written.append(path)
    return written


def require_matplotlib() -> None:
    """Raise `ExtraMissing` if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as exc:
        raise ExtraMissing("A plot as PNG", "eval") from exc


def _file_stem(first: Measurement) -> str:
    name = f"{first.dataset.name}-{first.dataset.split}-{first.direction}"
    return re.sub(r"[^\w.-]+", "_", name)


def _draw_intervals(systems: Sequence[Measurement]) -> Any:
    """Draw the main metric with its intervals, one row per language."""
    name = main_metric(systems[0].pooled)
    langs = [evaluation.subject.lang for evaluation in systems[0].evaluations]
    figure = _figure(5.6, 0.6 + 0.26 * len(langs) * len(systems))
    axes = figure.subplots()
    for number, each in enumerate(systems):
        values = [evaluation.scores[name] for evaluation in each.evaluations]
        ends = [evaluation.intervals[name] for evaluation in each.evaluations]
        errors = [
            [value - end.low for value, end in zip(values, ends, strict=True)],
            [end.high - value for value, end in zip(values, ends, strict=True)],
        ]
        rows = [row + (number + 0.5) / len(systems) * 0.7 - 0.35 for row in range(len(langs))]
        colour = COLOURS[number % len(COLOURS)]
        axes.errorbar(values, rows, xerr=errors, fmt="o", color=colour, label=_escape(each.name), ms=4)
    axes.set_yticks(range(len(langs)), [_escape(lang) for lang in langs])
    axes.invert_yaxis()
    axes.set_xlabel(f"{metric_label(name)}, {systems[0].pooled.resampling.level:.0%} intervals")
    axes.grid(axis="x", alpha=0.3)
    _add_title_and_legend(figure, systems)
    return figure


def _draw_recall(systems: Sequence[Measurement]) -> Any:
    depths = curve_depths(systems[0].pooled.candidates)

    def draw(axes: Any, number: int, evaluation: Evaluation) -> None:
        line = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        axes.plot(depths, evaluation.recall_curve(depths), label=_escape(systems[number].name), **line)
        axes.set_xscale("log")
        axes.set_xticks([10**power for power in range(len(str(depths[-1])))])
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(0, 1.02)

    return _draw_panels(systems, draw, "k", "recall@k")


def _draw_ranks(systems: Sequence[Measurement]) -> Any:
    edges = rank_bins(systems[0].pooled.candidates)
    width = 0.85 / len(systems)

    def draw(axes: Any, number: int, evaluation: Evaluation) -> None:
        shares = rank_shares(evaluation, edges)
        centres = [place + (number + 0.5) * width - 0.425 for place in range(len(shares))]
        axes.bar(centres, shares, width, color=COLOURS[number % len(COLOURS)], label=_escape(systems[number].name))
        axes.set_xticks(range(len(shares)), [str(edge) for edge in edges[:-1]], rotation=90)

    return _draw_panels(systems, draw, "rank of the first relevant result, from", "share of queries")


def _draw_panels(systems: Sequence[Measurement], draw: Callable[[Any, int, Evaluation], None], x: str, y: str) -> Any:
    """Draw one panel per language, all with the same scale."""
    count = len(systems[0].evaluations)
    columns = min(count, MAX_COLUMNS)
    rows = -(-count // columns)
    figure = _figure(2.3 * columns + 0.6, 1.9 * rows + 0.5)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, evaluations in zip(grid, zip(*(each.evaluations for each in systems), strict=True), strict=False):
        for number, evaluation in enumerate(evaluations):
            draw(axes, number, evaluation)
        axes.set_title(_escape(evaluations[0].subject.lang), fontsize=9)
        axes.set_axisbelow(True)
        axes.grid(alpha=0.3)
    for axes in grid[max(count - columns, 0) : count]:  # the lowest panel of each column
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(x, fontsize=8)
    for axes in grid[count:]:
        axes.set_visible(False)
    figure.supylabel(y, fontsize=9)
    _add_title_and_legend(figure, systems)
    return figure


def _figure(width: float, height: float) -> Any:
    """Create a figure, in inches, without pyplot, which keeps a reference to every figure."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _add_title_and_legend(figure: Any, systems: Sequence[Measurement]) -> None:
    first = systems[0]
    figure.suptitle(_escape(f"{first.dataset.name}, {format_direction(first.direction)}"), fontsize=10)
    if len(systems) > 1:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", fontsize=8, ncols=2)


def _escape(text: str) -> str:
    """Return text that matplotlib can draw and does not read as a formula."""
    return shown(text).replace("$", r"\$")
