"""The figures of a report: one measure over languages, recall by depth, how the ranks are spread."""

from collections.abc import Sequence

from cli.evaluate.formatting import label, number_words
from cli.evaluate.measure import Measured
from cli.evaluate.plot_data import depths, main_metric, rank_bins, rank_shares
from cli.evaluate.report.forest import Estimate, forest_panel
from cli.evaluate.report.markup import element, escaped
from cli.evaluate.report.panels import histogram_panel, legend, recall_panel
from search.evaluate.evaluation import EVERY_LANGUAGE

__all__ = ["forest_figure", "histogram_figure", "recall_figure"]


def forest_figure(systems: Sequence[Measured]) -> str:
    """The main measure with its intervals, a row a language."""
    name = main_metric(systems[0].pooled)
    rows = []
    for evaluations in zip(*(measured.evaluations for measured in systems), strict=True):
        estimates = []
        for series, evaluation in enumerate(evaluations):
            value, interval = evaluation.scores[name], evaluation.intervals[name]
            estimates.append(Estimate(series, value, interval.low, interval.high, number_words(name, value)))
        rows.append((evaluations[0].subject.lang, estimates))
    level = systems[0].pooled.resampling.level
    return _figure(f"{label(name)} by language.", f"Lines are {level:.0%} intervals.", systems, forest_panel(rows))


def recall_figure(systems: Sequence[Measured]) -> str:
    """Recall over depth, a panel a language."""
    at = depths(systems[0].pooled.candidates)
    pooled = systems[0].pooled.recall_curve(at) if len(systems) == 1 and len(systems[0].evaluations) > 1 else None
    panels = []
    for evaluations in zip(*(measured.evaluations for measured in systems), strict=True):
        lang = evaluations[0].subject.lang
        curves = [evaluation.recall_curve(at) for evaluation in evaluations]
        panels.append(recall_panel(lang, at, curves, None if lang == EVERY_LANGUAGE else pooled))
    says = "Share of queries with a right answer among the first k, over k."
    says += " In grey: all languages." if pooled else ""
    return _figure("Recall by depth.", says, systems, element("div", *panels, class_="panels"))


def histogram_figure(systems: Sequence[Measured]) -> str:
    """Where the first right answer is ranked, a panel a language; all panels have one scale."""
    edges = rank_bins(systems[0].pooled.candidates)
    shares = [
        (evaluations[0].subject.lang, [rank_shares(evaluation, edges) for evaluation in evaluations])
        for evaluations in zip(*(measured.evaluations for measured in systems), strict=True)
    ]
    highest = max((share for _, some in shares for of_system in some for share in of_system), default=0) or 1.0
    panels = [histogram_panel(lang, edges, some, highest) for lang, some in shares]
    says = "Share of queries by the rank of the first right answer. Bins are 1, 2-3, 4-7, ..., named by their start."
    return _figure("Ranks.", says, systems, element("div", *panels, class_="panels"))


def _figure(title: str, says: str, systems: Sequence[Measured], drawn: str) -> str:
    caption = element("figcaption", element("b", escaped(title)), " ", escaped(says))
    return element("figure", caption, legend(each.name for each in systems) if len(systems) > 1 else "", drawn)
