"""The figures of a report as PNG files, drawn by matplotlib, which comes with the extra `eval`."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cli.evaluate.formatting import direction_words, label
from cli.evaluate.measure import Measured, together
from cli.evaluate.plot_data import depths, main_metric, rank_bins, rank_shares
from cli.output import shown
from core.errors import ExtraMissing
from search.evaluate.evaluation import Evaluation

__all__ = ["require_matplotlib", "write_plots"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""For any colour vision (Okabe and Ito, "Color universal design", 2008)."""

DASHES = ("-", "--", ":", "-.")

COLUMNS = 4
"""Panels side by side."""

DPI = 200


def write_plots(folder: Path, measured: Sequence[Measured]) -> list[Path]:
    """Three files for each data set and direction; returns their paths.

    Raises `ExtraMissing` without matplotlib, and `OSError` when a file cannot be written.
    """
    require_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for systems in together(measured):
        for kind, draw in (("intervals", _intervals), ("recall", _recall), ("ranks", _ranks)):
            path = folder / f"{_stem(systems[0])}-{kind}.png"
            draw(systems).savefig(path, dpi=DPI, bbox_inches="tight")
            written.append(path)
    return written


def require_matplotlib() -> None:
    """Raises `ExtraMissing` when it is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as exc:
        raise ExtraMissing("a plot as PNG", "eval") from exc


def _stem(first: Measured) -> str:
    name = f"{first.dataset.name}-{first.dataset.split}-{first.direction}"
    return re.sub(r"[^\w.-]+", "_", name)


def _intervals(systems: Sequence[Measured]) -> Any:
    """The main measure, a row a language."""
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
        rows = [place + (number + 0.5) / len(systems) * 0.7 - 0.35 for place in range(len(langs))]
        colour = COLOURS[number % len(COLOURS)]
        axes.errorbar(values, rows, xerr=errors, fmt="o", color=colour, label=_text(each.name), ms=4)
    axes.set_yticks(range(len(langs)), [_text(lang) for lang in langs])
    axes.invert_yaxis()
    axes.set_xlabel(f"{label(name)}, {systems[0].pooled.resampling.level:.0%} intervals")
    axes.grid(axis="x", alpha=0.3)
    _name(figure, systems)
    return figure


def _recall(systems: Sequence[Measured]) -> Any:
    at = depths(systems[0].pooled.candidates)

    def draw(axes: Any, number: int, evaluation: Evaluation) -> None:
        line = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        axes.plot(at, evaluation.recall_curve(at), label=_text(systems[number].name), **line)
        axes.set_xscale("log")
        axes.set_xticks([10**power for power in range(len(str(at[-1])))])
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(0, 1.02)

    return _panels(systems, draw, "k", "recall@k")


def _ranks(systems: Sequence[Measured]) -> Any:
    edges = rank_bins(systems[0].pooled.candidates)
    thick = 0.85 / len(systems)

    def draw(axes: Any, number: int, evaluation: Evaluation) -> None:
        shares = rank_shares(evaluation, edges)
        places = [place + (number + 0.5) * thick - 0.425 for place in range(len(shares))]
        axes.bar(places, shares, thick, color=COLOURS[number % len(COLOURS)], label=_text(systems[number].name))
        axes.set_xticks(range(len(shares)), [str(edge) for edge in edges[:-1]], rotation=90)

    return _panels(systems, draw, "rank of the first right answer, from", "share of queries")


def _panels(systems: Sequence[Measured], draw: Callable[[Any, int, Evaluation], None], x: str, y: str) -> Any:
    """One plot a language, all with one scale."""
    count = len(systems[0].evaluations)
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    figure = _figure(2.3 * columns + 0.6, 1.9 * rows + 0.5)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, evaluations in zip(grid, zip(*(each.evaluations for each in systems), strict=True), strict=False):
        for number, evaluation in enumerate(evaluations):
            draw(axes, number, evaluation)
        axes.set_title(_text(evaluations[0].subject.lang), fontsize=9)
        axes.set_axisbelow(True)
        axes.grid(alpha=0.3)
    for axes in grid[max(count - columns, 0) : count]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(x, fontsize=8)
    for axes in grid[count:]:
        axes.set_visible(False)
    figure.supylabel(y, fontsize=9)
    _name(figure, systems)
    return figure


def _figure(width: float, height: float) -> Any:
    """Inches. Made without pyplot, which keeps every figure for ever."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _name(figure: Any, systems: Sequence[Measured]) -> None:
    """A title, and whose the colours are."""
    first = systems[0]
    figure.suptitle(_text(f"{first.dataset.name}, {direction_words(first.direction)}"), fontsize=10)
    if len(systems) > 1:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", fontsize=8, ncols=2)


def _text(text: str) -> str:
    """What matplotlib can draw, and does not take for a formula."""
    return shown(text).replace("$", r"\$")
