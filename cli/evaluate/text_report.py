"""Results on standard output: JSON, or plain-text tables with a line of values and below it a line of intervals."""

from collections.abc import Iterable, Sequence

from cli.evaluate.comparisons import ComparisonReport
from cli.evaluate.formatting import (
    format_difference,
    format_language,
    format_number,
    format_score,
    format_score_interval,
    format_task,
    format_title,
    has_judgements_only,
    metric_label,
    short_definition,
)
from cli.evaluate.notes import depth_notes, interval_note, published_note
from cli.output import print_json, print_text
from search.evaluate.compare import Comparison
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement, group_by_task

__all__ = ["print_records", "print_tables"]

_GAP = "  "


def print_records(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> None:
    """Print one JSON object per evaluation, with its comparisons."""
    for measurement in measurements:
        for evaluation in measurement.evaluations:
            lengths = measurement.by_length if evaluation is measurement.pooled else []
            record = evaluation.as_dict()
            if lengths:
                record["lengths"] = [each.as_dict() for each in lengths]
            print_json({**record, **comparisons.records(evaluation)})


def print_tables(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> None:
    """Print a table per measurement and comparison, then the definitions and the verdicts."""
    for measurement in measurements:
        _print_lines([*_evaluation_table(measurement), ""])
        if measurement.by_length:
            _print_lines([*_length_table(measurement), ""])
    for group in group_by_task(measurements):
        _print_lines(_published_table(group[0], comparisons))
    for compared in comparisons.all:
        _print_lines([*_comparison_table(compared.title, compared.comparisons), ""])
    _print_lines(_definitions(measurements))
    _print_lines(comparisons.verdicts)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print_text(line)


def _evaluation_table(measurement: Measurement) -> list[str]:
    """Return a title, and two lines per language."""
    metrics = [metric_label(metric.name) for metric in measurement.pooled.metrics]
    kind = "documents" if has_judgements_only(measurement) else "pictures"
    rows = [["lang", "queries", kind, *metrics]]
    for evaluation in measurement.evaluations:
        rows += _evaluation_rows(evaluation)
    return [format_title(measurement), *_align(rows)]


def _length_table(measurement: Measurement) -> list[str]:
    """Return a title, and two lines per slice of queries by their length."""
    rows = [["length", "queries", *(metric_label(metric.name) for metric in measurement.pooled.metrics)]]
    for part in measurement.by_length:
        rows += _value_rows([part.label, f"{len(part.evaluation.queries):,}"], part.evaluation)
    return [f"{measurement.name}{format_task(measurement)}: by the length of the query", *_align(rows)]


def _published_table(measurement: Measurement, comparisons: ComparisonReport) -> list[str]:
    """Return a title, and a line for each published result on the task of a measurement; nothing without results."""
    sources = comparisons.published.sources(measurement.evaluations)
    if not sources:
        return []
    metrics = [metric.name for metric in measurement.pooled.metrics]
    rows = [["system", "lang", *map(metric_label, metrics)]]
    for evaluation in measurement.evaluations:
        for result in comparisons.published.of(evaluation):
            values = [format_number(name, result.scores[name]) if name in result.scores else "" for name in metrics]
            rows.append([result.model, format_language(evaluation.subject.lang), *values])
    title = f"{measurement.dataset.name}{format_task(measurement)}: published results"
    return [title, *_align(rows), published_note(sources), ""]


def _comparison_table(title: str, comparisons: Sequence[Comparison]) -> list[str]:
    """Return a title, and two lines per language: the differences, and their p-values."""
    tasks = list(dict.fromkeys((c.right.dataset, c.right.direction, c.right.lang) for c in comparisons))
    metrics = list(dict.fromkeys(comparison.metric.name for comparison in comparisons))
    rows = [["lang", "queries", *map(metric_label, metrics)]]
    for task in tasks:
        of_task = {c.metric.name: c for c in comparisons if (c.right.dataset, c.right.direction, c.right.lang) == task}
        cells = [_difference_cells(of_task[metric]) for metric in metrics]
        queries = next(iter(of_task.values())).queries
        rows.append([format_language(task[-1]), f"{queries:,}", *(difference for difference, _ in cells)])
        rows.append(["", "", *(p for _, p in cells)])
    return [f"{title}: differences, and p where they are significant", *_align(rows)]


def _definitions(measurements: Sequence[Measurement]) -> list[str]:
    """Return the definitions of the metrics, and how to read the intervals."""
    evaluations = [evaluation for each in measurements for evaluation in each.evaluations]
    meanings = {name: meaning for evaluation in evaluations for name, meaning in evaluation.definitions.items()}
    width = max(len(metric_label(name)) for name in meanings)
    return [
        *(f"{metric_label(name):<{width}}  {short_definition(meaning)}" for name, meaning in meanings.items()),
        "Ties count against the system. A query without a relevant document counts as 0, or as an infinite rank.",
        *depth_notes(measurements),
        f"Below each value: {interval_note(evaluations[0].resampling)}",
    ]


def _evaluation_rows(evaluation: Evaluation) -> list[list[str]]:
    record = evaluation.as_dict()
    counts = [f"{record['queries']:,}", f"{record['pictures']:,}"]
    return _value_rows([format_language(evaluation.subject.lang), *counts], evaluation)


def _value_rows(names: Sequence[str], evaluation: Evaluation) -> list[list[str]]:
    """Return a row that begins with the names, with the values, and below it a row with their intervals."""
    values = [format_score(evaluation, metric.name) for metric in evaluation.metrics]
    intervals = [format_score_interval(evaluation, metric.name) for metric in evaluation.metrics]
    return [[*names, *values], [*[""] * len(names), *intervals]]


def _difference_cells(comparison: Comparison) -> tuple[str, str]:
    difference = format_difference(comparison)
    return difference, f"p={comparison.adjusted_p:.2g}" if comparison.significant else "noise"


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Format rows as columns: the first one left-aligned, the others right-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _GAP.join([f"{row[0]:<{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
