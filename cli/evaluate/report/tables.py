"""Evaluations and comparisons as tables of a page: a row a language, values with their intervals."""

from collections.abc import Sequence

from cli.evaluate.comparisons import Standing
from cli.evaluate.formatting import interval_words, label, number_words
from cli.evaluate.measure import Measured
from cli.evaluate.report.markup import element, escaped
from search.evaluate.compare import Comparison
from search.evaluate.evaluation import EVERY_LANGUAGE, Evaluation

__all__ = ["comparison_table", "evaluation_table"]


def evaluation_table(systems: Sequence[Measured]) -> str:
    """All systems, one below the other."""
    metrics = [metric.name for metric in systems[0].pooled.metrics]
    head = ["language", "queries", "pictures", *map(label, metrics)]
    rows = []
    for measured in systems:
        if len(systems) > 1:
            rows.append(element("tr", element("td", escaped(measured.name), colspan=len(head)), class_="system"))
        rows += [_evaluation_row(evaluation) for evaluation in measured.evaluations]
    return _table(head, rows)


def comparison_table(standing: Standing) -> str:
    """The differences of one system to another, and how likely they are noise."""
    metrics = list(dict.fromkeys(comparison.metric.name for comparison in standing.comparisons))
    places = [(c.right.dataset, c.right.direction, c.right.lang) for c in standing.comparisons]
    rows = []
    for place in dict.fromkeys(places):
        mine = [c for c, its in zip(standing.comparisons, places, strict=True) if its == place]
        cells = [_language(place[-1]), element("td", f"{mine[0].queries:,}"), *map(_difference, mine)]
        rows.append(element("tr", *cells, class_="pooled" if place[-1] == EVERY_LANGUAGE else None))
    return _table(["language", "queries", *map(label, metrics)], rows)


def _evaluation_row(evaluation: Evaluation) -> str:
    record = evaluation.as_dict()
    lang = evaluation.subject.lang
    cells = [_language(lang)]
    cells += [element("td", f"{record[key]:,}") for key in ("queries", "pictures")]
    for metric in evaluation.metrics:
        value = number_words(metric.name, evaluation.scores[metric.name])
        interval = interval_words(metric.name, evaluation.intervals[metric.name])
        cells.append(element("td", value, element("small", interval)))
    return element("tr", *cells, class_="pooled" if lang == EVERY_LANGUAGE else None)


def _language(lang: str) -> str:
    return element("td", escaped("all languages" if lang == EVERY_LANGUAGE else lang))


def _difference(comparison: Comparison) -> str:
    name = comparison.metric.name
    value = number_words(name, comparison.difference, signed=True)
    interval = f"[{interval_words(name, comparison.interval, signed=True)}]"
    p = f"p = {comparison.adjusted_p:.2g}"
    kind = {"right": "up", "left": "down"}.get(comparison.better)
    noted = p if comparison.significant else f"{p}, noise"
    return element("td", value, element("small", interval), element("small", noted), class_=kind)


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    top = element("thead", element("tr", *(element("th", escaped(name), scope="col") for name in head)))
    return element("div", element("table", top, element("tbody", *rows), class_="numbers"), class_="wide")
