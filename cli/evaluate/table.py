"""Evaluations and comparisons as tables in plain text: a line of values, beneath it a line of intervals."""

from collections.abc import Iterable, Sequence

from cli.evaluate.formatting import direction_words, interval_words, label, number_words, short_definition
from cli.evaluate.measure import Measured
from search.evaluate.compare import Comparison
from search.evaluate.evaluation import Evaluation

__all__ = ["comparison_table", "definitions", "evaluation_table"]

_GAP = "  "


def evaluation_table(measured: Measured) -> list[str]:
    """A title, and two lines a language."""
    pooled = measured.pooled
    candidates = "pictures" if measured.direction == "text-to-picture" else "captions"
    title = (
        f"{measured.dataset.name}, split {measured.dataset.split}, {direction_words(measured.direction)}: "
        f"{measured.name}, {pooled.candidates:,} {candidates} to choose from"
    )
    head = ["lang", "queries", "pictures", *(label(metric.name) for metric in pooled.metrics)]
    rows = [head]
    for evaluation in measured.evaluations:
        rows += _evaluation_rows(evaluation)
    return [title, *_aligned(rows)]


def comparison_table(title: str, comparisons: Sequence[Comparison]) -> list[str]:
    """A title, and two lines a language: the differences, and how likely each is noise."""
    langs = list(dict.fromkeys((c.right.dataset, c.right.direction, c.right.lang) for c in comparisons))
    metrics = list(dict.fromkeys(comparison.metric.name for comparison in comparisons))
    rows = [["lang", "queries", *map(label, metrics)]]
    for lang in langs:
        mine = {c.metric.name: c for c in comparisons if (c.right.dataset, c.right.direction, c.right.lang) == lang}
        cells = [_difference_cells(mine[metric]) for metric in metrics]
        queries = next(iter(mine.values())).queries
        rows.append([lang[-1], f"{queries:,}", *(above for above, _ in cells)])
        rows.append(["", "", *(beneath for _, beneath in cells)])
    return [f"{title}: differences, and the p of those that are more than noise", *_aligned(rows)]


def definitions(measured: Iterable[Measured]) -> list[str]:
    """What the numbers mean, a line each."""
    evaluations = [evaluation for each in measured for evaluation in each.evaluations]
    meanings = {name: meaning for evaluation in evaluations for name, meaning in evaluation.definitions.items()}
    resampling = evaluations[0].resampling
    width = max(len(label(name)) for name in meanings)
    return [
        *(f"{label(name):<{width}}  {short_definition(meaning)}" for name, meaning in meanings.items()),
        "Ties count against the system; a query without an answer counts as 0, or as an infinite rank.",
        f"Beneath each value: its {resampling.level:.0%} interval, by bootstrap ({resampling.resamples:,} resamples) "
        "over pictures with all their queries.",
    ]


def _evaluation_rows(evaluation: Evaluation) -> list[list[str]]:
    record = evaluation.as_dict()
    values = [number_words(metric.name, evaluation.scores[metric.name]) for metric in evaluation.metrics]
    beneath = [interval_words(metric.name, evaluation.intervals[metric.name]) for metric in evaluation.metrics]
    counts = [f"{record['queries']:,}", f"{record['pictures']:,}"]
    return [[evaluation.subject.lang, *counts, *values], ["", "", "", *beneath]]


def _difference_cells(comparison: Comparison) -> tuple[str, str]:
    difference = number_words(comparison.metric.name, comparison.difference, signed=True)
    return difference, f"p={comparison.adjusted_p:.2g}" if comparison.significant else "noise"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _GAP.join([f"{row[0]:<{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
