"""The page of a report: tables, figures, single queries with their results, and the definitions."""

from collections.abc import Sequence

from cli.evaluate.comparisons import ComparisonReport, SystemComparison
from cli.evaluate.formatting import (
    format_difference,
    format_interval,
    format_task,
    has_judgements_only,
    metric_label,
    short_definition,
)
from cli.evaluate.notes import depth_notes, interval_note
from cli.evaluate.report.lengths import length_section, value_cells
from cli.evaluate.report.markup import STYLE, element, escaped, numbers_table
from cli.evaluate.report.pictures import PictureSheet
from cli.evaluate.report.published import published_table
from cli.evaluate.report.queries import changed_queries, worst_queries
from cli.evaluate.report.reliability import reliability_section
from cli.evaluate.report.svg import forest_figure, histogram_figure, recall_figure
from core.version import __version__
from search.evaluate.compare import Comparison
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.evaluation import ALL_LANGUAGES, Evaluation
from search.evaluate.measurement import Measurement, group_by_task

__all__ = ["render_page"]

MAX_SIZE = 2_900_000
"""The size of a page in bytes, up to which thumbnails are made smaller."""


def render_page(measurements: Sequence[Measurement], comparisons: ComparisonReport, command: str = "") -> str:
    """Return the page as text: a single file without scripts. `command` is the command that creates it."""
    names = list(dict.fromkeys(each.name for each in measurements))
    datasets = list(dict.fromkeys(each.dataset.name for each in measurements))
    title = f"Retrieval on {', '.join(datasets)}"
    pictures = PictureSheet()
    sections = [_section(group, comparisons, pictures) for group in group_by_task(measurements)]
    baseline = comparisons.baseline
    body = [
        element("h1", escaped(title)),
        element("p", escaped(f"Systems: {', '.join(names)}."), class_="faint"),
        *sections,
        _baseline_section(baseline, comparisons.verdicts) if baseline else "",
        _definitions(measurements),
        element("p", escaped(f"Made by Sightline {__version__}. "), element("code", escaped(command)), class_="faint"),
    ]
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", escaped(title)),
        element("style", STYLE),
    ]
    size = sum(len(part.encode()) for part in (*head, *body))
    body.append(pictures.symbols(MAX_SIZE - size))
    return "<!DOCTYPE html>\n" + element("html", element("head", *head), element("body", *body), lang="en") + "\n"


def _section(systems: Sequence[Measurement], comparisons: ComparisonReport, pictures: PictureSheet) -> str:
    """Return the section of one data set and direction."""
    first = systems[0]
    parts = [
        element("h2", escaped(f"{first.dataset.name}{format_task(first)}")),
        element("p", escaped(_summary(first)), class_="faint"),
        _evaluation_table(systems),
        published_table(first, comparisons.published),
        forest_figure(systems),
        recall_figure(systems),
        histogram_figure(systems),
        length_section(systems),
        reliability_section(systems),
    ]
    for compared in comparisons.systems:
        if compared.right in systems:
            parts += [element("h3", escaped(compared.title)), _comparison_table(compared)]
            parts.append(changed_queries(compared, pictures))
    for system in systems:
        if system.exact is None:
            title = "Worst queries" + (f" with {system.name}" if len(systems) > 1 else "")
            parts += [element("h3", escaped(title)), worst_queries(system, pictures)]
    return element("section", *parts)


def _summary(first: Measurement) -> str:
    dataset, pooled = first.dataset, first.pooled
    if has_judgements_only(first):
        return f"{len(pooled.queries):,} queries; {pooled.candidates:,} candidates."
    kind = "pictures" if first.direction == "text-to-picture" else "captions"
    if kind == "captions" and len(dataset.languages) > 1:
        kind = "captions, or in a single language only the captions in it"
    langs = f"{len(dataset.languages)} languages ({', '.join(dataset.languages)})"
    if len(dataset.languages) == 1:
        langs = f"language: {dataset.languages[0]}"
    unanswerable = f"; {pooled.unanswerable:,} have no relevant result and count as 0" if pooled.unanswerable else ""
    return (
        f"Split {dataset.split}; {len(pooled.queries):,} queries, each ranking all {pooled.candidates:,} {kind}; "
        f"{langs}{unanswerable}."
    )


def _baseline_section(compared: SystemComparison, verdicts: Sequence[str]) -> str:
    paragraphs = [element("p", escaped(line)) for line in verdicts]
    return element("section", element("h2", escaped(compared.title)), *paragraphs, _comparison_table(compared))


def _definitions(measurements: Sequence[Measurement]) -> str:
    evaluations = [evaluation for each in measurements for evaluation in each.evaluations]
    meanings = {name: meaning for evaluation in evaluations for name, meaning in evaluation.definitions.items()}
    resampling = evaluations[0].resampling
    notes = [
        "Scores are cosine similarities, and ranks are exact unless an index is named. Among equal scores relevant "
        "results come last. A query without a relevant result counts as 0, or as an infinite rank.",
        *depth_notes(measurements),
        f"Intervals: {interval_note(resampling)} The captions of a picture depend on each other, so pictures are drawn "
        "(Clopper and Pearson, 1934; Korn and Graubard, 1998; Thompson, 1936; Efron, 1987; Field and Welsh, 2007).",
        "Differences: paired randomisation test over pictures, two-sided, with p corrected for all comparisons of the "
        "report (Fisher, 1935; Smucker, Allan and Carterette, 2007; Holm, 1979). A difference with p above 0.05 may be "
        "noise. For ranks the test counts the queries with a higher and with a lower rank, which are shown below the "
        "difference: a median can stay the same although most ranks rise.",
    ]
    terms = [
        element("dt", escaped(metric_label(name))) + element("dd", escaped(short_definition(meaning)))
        for name, meaning in meanings.items()
    ]
    paragraphs = [element("p", escaped(note)) for note in notes]
    return element("section", element("h2", "Definitions"), element("dl", *terms), *paragraphs)


def _evaluation_table(systems: Sequence[Measurement]) -> str:
    """Return one table of all systems: a row per language, values with their intervals."""
    metrics = [metric.name for metric in systems[0].pooled.metrics]
    head = ["language", "queries", "pictures", *map(metric_label, metrics)]
    rows = []
    for system in systems:
        if len(systems) > 1:
            rows.append(element("tr", element("td", escaped(system.name), colspan=len(head)), class_="system"))
        rows += [_evaluation_row(evaluation) for evaluation in system.evaluations]
    return numbers_table(head, rows)


def _evaluation_row(evaluation: Evaluation) -> str:
    record = evaluation.as_dict()
    lang = evaluation.subject.lang
    cells = [_language_cell(lang)]
    cells += [element("td", f"{record[key]:,}") for key in ("queries", "pictures")]
    cells += value_cells(evaluation)
    return element("tr", *cells, class_="pooled" if lang == ALL_LANGUAGES else None)


def _comparison_table(compared: SystemComparison) -> str:
    """Return a table of differences with their intervals and p-values."""
    metrics = list(dict.fromkeys(comparison.metric.name for comparison in compared.comparisons))
    tasks = [(c.right.dataset, c.right.direction, c.right.lang) for c in compared.comparisons]
    rows = []
    for task in dict.fromkeys(tasks):
        of_task = [c for c, its in zip(compared.comparisons, tasks, strict=True) if its == task]
        cells = [_language_cell(task[-1]), element("td", f"{of_task[0].queries:,}"), *map(_difference_cell, of_task)]
        rows.append(element("tr", *cells, class_="pooled" if task[-1] == ALL_LANGUAGES else None))
    return numbers_table(["language", "queries", *map(metric_label, metrics)], rows)


def _language_cell(lang: str) -> str:
    return element("td", escaped("all languages" if lang in (ALL_LANGUAGES, UNKNOWN_LANGUAGE) else lang))


def _difference_cell(comparison: Comparison) -> str:
    name = comparison.metric.name
    value = format_difference(comparison)
    interval = f"[{format_interval(name, comparison.interval, signed=True)}]"
    p = f"p = {comparison.adjusted_p:.2g}"
    class_ = {"right": "up", "left": "down"}.get(comparison.better)
    note = p if comparison.significant else f"{p}, noise"
    return element("td", value, element("small", interval), element("small", note), class_=class_)
