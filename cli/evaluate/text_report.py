"""Results on standard output: JSON, or plain-text tables with a line of values and below it a line of intervals."""

from collections.abc import Iterable, Sequence

from cli.evaluate.comparisons import ComparisonReport
from cli.evaluate.formatting import (
    format_direction,
    format_interval,
    format_number,
    metric_label,
    short_definition,
)
from cli.output import print_json, print_text
from search.evaluate.compare import Comparison
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement

__all__ = ["print_records", "print_tables"]

_GAP = "  "


def print_records(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> None:
    """Print one JSON object per evaluation, with its comparisons."""
    for measurement in measurements:
        for evaluation in measurement.evaluations:
            print_json({**evaluation.as_dict(), **comparisons.records(evaluation)})


def print_tables(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> None:
    """Print a table per measurement and comparison, then the definitions and the verdicts."""
    for measurement in measurements:
        _print_lines([*_evaluation_table(measurement), ""])
    for compared in comparisons.all:
        _print_lines([*_comparison_table(compared.title, compared.comparisons), ""])
    _print_lines(_definitions(measurements))
    _print_lines(comparisons.verdicts)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print_text(line)


def _evaluation_table(measurement: Measurement) -> list[str]:
    """Return a title, and two lines per language."""
    pooled = measurement.pooled
    candidates = "pictures" if measurement.direction == "text-to-picture" else "captions"
    title = (
        f"{measurement.dataset.name}, split {measurement.dataset.split}, {format_direction(measurement.direction)}: "
        f"{measurement.name}, {pooled.candidates:,} {candidates} to choose from"
    )
    rows = [["lang", "queries", "pictures", *(metric_label(metric.name) for metric in pooled.metrics)]]
    for evaluation in measurement.evaluations:
        rows += _evaluation_rows(evaluation)
    return [title, *_align(rows)]


def _comparison_table(title: str, comparisons: Sequence[Comparison]) -> list[str]:
    """Return a title, and two lines per language: the differences, and their p-values."""
    tasks = list(dict.fromkeys((c.right.dataset, c.right.direction, c.right.lang) for c in comparisons))
    metrics = list(dict.fromkeys(comparison.metric.name for comparison in comparisons))
    rows = [["lang", "queries", *map(metric_label, metrics)]]
    for task in tasks:
        of_task = {c.metric.name: c for c in comparisons if (c.right.dataset, c.right.direction, c.right.lang) == task}
        cells = [_difference_cells(of_task[metric]) for metric in metrics]
        queries = next(iter(of_task.values())).queries
        rows.append([task[-1], f"{queries:,}", *(difference for difference, _ in cells)])
        rows.append(["", "", *(p for _, p in cells)])
    return [f"{title}: differences, and p where they are significant", *_align(rows)]


def _definitions(measurements: Iterable[Measurement]) -> list[str]:
    """Return the definitions of the metrics, and how to read the intervals."""
    evaluations = [evaluation for each in measurements for evaluation in each.evaluations]
    meanings = {name: meaning for evaluation in evaluations for name, meaning in evaluation.definitions.items()}
    resampling = evaluations[0].resampling
    width = max(len(metric_label(name)) for name in meanings)
    return [
        *(f"{metric_label(name):<{width}}  {short_definition(meaning)}" for name, meaning in meanings.items()),
        "Ties count against the system. A query without a relevant document counts as 0, or as an infinite rank.",
        f"Below each value: its {resampling.level:.0%} confidence interval, by bootstrap ({resampling.resamples:,} "
        "resamples) over pictures with all their queries.",
    ]


def _evaluation_rows(evaluation: Evaluation) -> list[list[str]]:
    record = evaluation.as_dict()
    values = [format_number(metric.name, evaluation.scores[metric.name]) for metric in evaluation.metrics]
    intervals = [format_interval(metric.name, evaluation.intervals[metric.name]) for metric in evaluation.metrics]
    counts = [f"{record['queries']:,}", f"{record['pictures']:,}"]
    return [[evaluation.subject.lang, *counts, *values], ["", "", "", *intervals]]


def _difference_cells(comparison: Comparison) -> tuple[str, str]:
    difference = format_number(comparison.metric.name, comparison.difference, signed=True)
    return difference, f"p={comparison.adjusted_p:.2g}" if comparison.significant else "noise"


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Format rows as columns: the first one left-aligned, the others right-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _GAP.join([f"{row[0]:<{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
