"""Tables for a paper: Markdown, LaTeX (booktabs) and CSV, with intervals, significance marks and captions."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cli.evaluate.comparisons import ComparisonReport
from cli.evaluate.formatting import (
    format_language,
    format_number,
    format_score,
    format_score_interval,
    format_task,
    metric_label,
    short_definition,
)
from cli.evaluate.notes import depth_notes, interval_note, published_note
from cli.output import print_text
from search.evaluate.compare import Comparison
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement, group_by_task

__all__ = ["TABLE_FORMATS", "PaperTable", "paper_tables", "print_paper_tables", "to_latex", "to_markdown"]

BETTER, WORSE = "†", "‡"
PUBLISHED = "*"
"""Stands after the names of published systems."""


@dataclass(frozen=True)
class Cell:
    """A value with its interval, its significance mark, and whether it is the best of its kind."""

    value: str
    interval: str = ""
    """Empty for published values."""
    mark: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class PaperTable:
    """The systems on one task: a caption, the heads of the columns, and rows of names and cells."""

    label: str
    caption: str
    names: Sequence[str]
    metrics: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Sequence[Cell]]]


def print_paper_tables(measurements: Sequence[Measurement], comparisons: ComparisonReport, kind: str) -> None:
    """Print all tables in one of the formats."""
    for line in TABLE_FORMATS[kind](measurements, comparisons):
        print_text(line)


def paper_tables(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> list[PaperTable]:
    """Return a table for each data set and direction."""
    return [_table(group, comparisons) for group in group_by_task(measurements)]


def to_markdown(table: PaperTable) -> str:
    """Return a table of GitHub's Markdown, with its caption above."""
    lines = [["", *table.names, *table.metrics], ["", *["---"] * len(table.names), *["---:"] * len(table.metrics)]]
    for names, cells in table.rows:
        lines.append(["", *map(_escape_markdown, names), *map(_markdown_cell, cells)])
    return "\n".join([_escape_markdown(table.caption), "", *(" | ".join([*line, ""]).strip() for line in lines)])


def to_latex(table: PaperTable) -> str:
    """Return a LaTeX table, for `\\usepackage{booktabs}`."""
    head = " & ".join(map(_escape_latex, [*table.names, *table.metrics]))
    rows = [
        "    " + " & ".join([*map(_escape_latex, names), *map(_latex_cell, cells)]) + r" \\"
        for names, cells in table.rows
    ]
    columns = "l" * len(table.names) + "r" * len(table.metrics)
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{_escape_latex(table.caption)}}}",
            rf"  \label{{tab:{table.label}}}",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            rf"    {head} \\",
            r"    \midrule",
            *rows,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _table(group: Sequence[Measurement], comparisons: ComparisonReport) -> PaperTable:
    metrics = [metric.name for metric in group[0].pooled.metrics]
    several_languages = len(group[0].evaluations) > 1
    compared = _comparisons_by_cell(group, comparisons)
    rows = []
    for evaluations in zip(*(each.evaluations for each in group), strict=True):
        best = {name: _best(evaluations, name) for name in metrics}
        for measurement, evaluation in zip(group, evaluations, strict=True):
            names = [measurement.name, format_language(evaluation.subject.lang)]
            cells = []
            for name in metrics:
                mark = _mark(compared.get((measurement.name, evaluation.subject.lang, name)))
                is_best = len(group) > 1 and evaluation.scores[name] == best[name]
                value, interval = format_score(evaluation, name), format_score_interval(evaluation, name)
                cells.append(Cell(value, interval, mark, is_best))
            rows.append((names if several_languages else names[:1], cells))
        for result in comparisons.published.of(evaluations[0]):
            names = [result.model + PUBLISHED, format_language(evaluations[0].subject.lang)]
            cells = [Cell(format_number(m, result.scores[m]) if m in result.scores else "") for m in metrics]
            rows.append((names if several_languages else names[:1], cells))
    label = re.sub(r"[^A-Za-z0-9]+", "-", f"{group[0].dataset.name}-{group[0].direction}").strip("-")
    heads = ["system", "language"] if several_languages else ["system"]
    return PaperTable(label, _caption(group, comparisons), heads, list(map(metric_label, metrics)), rows)


def _best(evaluations: Sequence[Evaluation], name: str) -> float:
    scores = [evaluation.scores[name] for evaluation in evaluations]
    metric = next(metric for metric in evaluations[0].metrics if metric.name == name)
    return max(scores) if metric.higher_is_better else min(scores)


def _comparisons_by_cell(
    group: Sequence[Measurement], comparisons: ComparisonReport
) -> Mapping[tuple[str, str, str], Comparison]:
    """Return the comparison of each system, language and metric with the system that it is compared with."""
    return {
        (compared.right.name, each.right.lang, each.metric.name): each
        for compared in comparisons.systems
        if compared.right is not None and compared.right in group
        for each in compared.comparisons
    }


def _mark(comparison: Comparison | None) -> str:
    return "" if comparison is None else {"right": BETTER, "left": WORSE}.get(comparison.better, "")


def _caption(group: Sequence[Measurement], comparisons: ComparisonReport) -> str:
    first = group[0]
    pooled = first.pooled
    split = "" if first.dataset.split == "all" else f", split {first.dataset.split}"
    parts = [
        f"{first.dataset.name}{split}{format_task(first)}: {len(pooled.queries):,} queries, {pooled.candidates:,} "
        "candidates.",
        f"Brackets: {interval_note(pooled.resampling)}",
        *depth_notes(group),
    ]
    references = {c.left.name: c for c in comparisons.systems if c.right in group and c.left is not None}
    if references:
        name = next(iter(references)) if len(references) == 1 else "the system it is compared with"
        parts.append(
            f"Bold: the best value. {BETTER} significantly better, {WORSE} significantly worse than {name} (paired "
            "randomisation test, p <= 0.05 after Holm's correction)."
        )
    sources = comparisons.published.sources(first.evaluations)
    if sources:
        parts.append(f"{PUBLISHED} {published_note(sources)}")
    return " ".join(parts)


def _markdown_cell(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.is_best else cell.value
    return f"{value}{cell.mark} [{cell.interval}]" if cell.interval else value


def _latex_cell(cell: Cell) -> str:
    value = rf"\textbf{{{_escape_latex(cell.value)}}}" if cell.is_best else _escape_latex(cell.value)
    if not cell.interval:
        return value
    return rf"{value}{_escape_latex(cell.mark)} {{\footnotesize [{_escape_latex(cell.interval)}]}}"


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\|*_`<>\[\]])", r"\\\1", text)


_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", ">=": r"$\ge$", "<=": r"$\le$",
    ">": "$>$", "<": "$<$", BETTER: r"\textsuperscript{\dag}", WORSE: r"\textsuperscript{\ddag}", "inf": r"$\infty$",
    **{char: f"\\{char}" for char in "&%$#_{}"},
}  # fmt: skip
_LATEX_SPECIAL = re.compile(r">=|<=|\binf\b|" + "|".join(re.escape(key) for key in _LATEX if len(key) == 1))


def _escape_latex(text: str) -> str:
    return _LATEX_SPECIAL.sub(lambda match: _LATEX[match[0]], text)


def _markdown_lines(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> Iterator[str]:
    yield from "\n\n".join(map(to_markdown, paper_tables(measurements, comparisons))).splitlines()
    yield ""
    for name, meaning in _definitions(measurements):
        yield f"- {name}: {_escape_markdown(meaning)}"


def _latex_lines(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> Iterator[str]:
    yield r"% Needs \usepackage{booktabs}."
    for name, meaning in _definitions(measurements):
        yield f"% {name}: {meaning}"
    yield from "\n\n".join(map(to_latex, paper_tables(measurements, comparisons))).splitlines()


def _definitions(measurements: Iterable[Measurement]) -> Iterator[tuple[str, str]]:
    meanings = {name: meaning for each in measurements for name, meaning in each.pooled.definitions.items()}
    return ((metric_label(name), short_definition(meaning)) for name, meaning in meanings.items())


_CSV_COLUMNS = (
    "dataset", "split", "direction", "language", "system", "queries", "candidates", "metric", "value", "low", "high",
    "is_lower_bound", "compared_with", "difference", "difference_low", "difference_high", "p", "better", "source",
)  # fmt: skip


def _csv_lines(measurements: Sequence[Measurement], comparisons: ComparisonReport) -> Iterator[str]:
    """Yield a row for each value, in full precision."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for group in group_by_task(measurements):
        compared = _comparisons_by_cell(group, comparisons)
        for each in group:
            for evaluation in each.evaluations:
                writer.writerows(_csv_rows(each, evaluation, compared))
        for evaluation in group[0].evaluations:
            writer.writerows(_published_csv_rows(evaluation, comparisons))
    yield from target.getvalue().splitlines()


def _csv_rows(
    measurement: Measurement, evaluation: Evaluation, compared: Mapping[tuple[str, str, str], Comparison]
) -> Iterator[Sequence[object]]:
    subject = evaluation.subject
    for metric in evaluation.metrics:
        interval = evaluation.intervals[metric.name]
        value = evaluation.bounds.get(metric.name, evaluation.scores[metric.name])
        comparison = compared.get((measurement.name, subject.lang, metric.name))
        difference: Sequence[object] = ["", "", "", "", "", ""]
        if comparison is not None:
            ends = comparison.interval.low, comparison.interval.high
            winner = {"left": "no", "right": "yes"}.get(comparison.better, "noise")
            difference = [comparison.left.space, comparison.difference, *ends, comparison.adjusted_p, winner]
        yield [
            subject.dataset, subject.split, subject.direction, format_language(subject.lang), measurement.name,
            len(evaluation.queries), evaluation.candidates, metric_label(metric.name), value, interval.low,
            interval.high, "yes" if metric.name in evaluation.bounds else "no", *difference, "",
        ]  # fmt: skip


def _published_csv_rows(evaluation: Evaluation, comparisons: ComparisonReport) -> Iterator[Sequence[object]]:
    """Yield a row for each published value; the columns that only measurements have are empty."""
    subject = evaluation.subject
    task = subject.dataset, subject.split, subject.direction, format_language(subject.lang)
    for result in comparisons.published.of(evaluation):
        for metric in evaluation.metrics:
            if metric.name in result.scores:
                label = metric_label(metric.name)
                yield [*task, result.model, "", "", label, result.scores[metric.name], *[""] * 9, result.source]


TABLE_FORMATS: Mapping[str, Callable[[Sequence[Measurement], ComparisonReport], Iterator[str]]] = {
    "markdown": _markdown_lines,
    "latex": _latex_lines,
    "csv": _csv_lines,
}
"""Formats by name, each with a function that yields the lines."""
