"""The page of a report: tables, figures, single queries with their results, and the definitions."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cli.evaluate.comparisons import ComparisonReport, SystemComparison
from cli.evaluate.formatting import (
    format_direction,
    format_interval,
    format_number,
    metric_label,
    short_definition,
)
from cli.evaluate.report.markup import STYLE, element, escaped
from cli.evaluate.report.svg import forest_figure, histogram_figure, recall_figure
from cli.thumbnails import thumbnail
from core.version import __version__
from search.evaluate.compare import Comparison
from search.evaluate.evaluation import ALL_LANGUAGES, Evaluation
from search.evaluate.measurement import Measurement, group_by_task
from search.evaluate.trec import Run

__all__ = ["render_page"]

RESULTS_PER_QUERY = 5

WORST_QUERIES = 12
"""Worst queries over all languages; at least two in each language."""

CHANGED_QUERIES = 5
"""Queries shown that are better with one system, and as many that are better with the other."""

MAX_RELEVANT_SHOWN = 3
"""Relevant pictures or captions shown for a query."""

THUMBNAIL_SIDE = 200
"""The longer side of a thumbnail in pixels, about twice its size on the page."""


def render_page(measurements: Sequence[Measurement], comparisons: ComparisonReport, command: str = "") -> str:
    """Return the page as text: a single file without scripts. `command` is the command that creates it."""
    names = list(dict.fromkeys(each.name for each in measurements))
    datasets = list(dict.fromkeys(each.dataset.name for each in measurements))
    title = f"Retrieval on {', '.join(datasets)}"
    sections = [_section(group, comparisons) for group in group_by_task(measurements)]
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
    return "<!DOCTYPE html>\n" + element("html", element("head", *head), element("body", *body), lang="en") + "\n"


def _section(systems: Sequence[Measurement], comparisons: ComparisonReport) -> str:
    """Return the section of one data set and direction."""
    first = systems[0]
    parts = [
        element("h2", escaped(f"{first.dataset.name}, {format_direction(first.direction)}")),
        element("p", escaped(_summary(first)), class_="faint"),
        _evaluation_table(systems),
        forest_figure(systems),
        recall_figure(systems),
        histogram_figure(systems),
    ]
    for compared in comparisons.systems:
        if compared.right in systems:
            parts += [element("h3", escaped(compared.title)), _comparison_table(compared), _changed_queries(compared)]
    for system in systems:
        if system.exact is None:
            title = "Worst queries" + (f" with {system.name}" if len(systems) > 1 else "")
            parts += [element("h3", escaped(title)), _worst_queries(system)]
    return element("section", *parts)


def _summary(first: Measurement) -> str:
    dataset, pooled = first.dataset, first.pooled
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
        f"Intervals: percentile bootstrap, {resampling.level:.0%}, {resampling.resamples:,} resamples of pictures "
        "with all their queries, since the captions of a picture depend on each other (Efron, 1979; Field and Welsh, "
        "2007).",
        "Differences: paired randomisation test over pictures, two-sided, with p corrected for all comparisons of the "
        "report (Fisher, 1935; Smucker, Allan and Carterette, 2007; Holm, 1979). A difference with p above 0.05 may be "
        "noise. For ranks the test counts the queries that improved and those that became worse, so a median "
        "can stay the same although p is small.",
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
    return _table(head, rows)


def _evaluation_row(evaluation: Evaluation) -> str:
    record = evaluation.as_dict()
    lang = evaluation.subject.lang
    cells = [_language_cell(lang)]
    cells += [element("td", f"{record[key]:,}") for key in ("queries", "pictures")]
    for metric in evaluation.metrics:
        value = format_number(metric.name, evaluation.scores[metric.name])
        interval = format_interval(metric.name, evaluation.intervals[metric.name])
        cells.append(element("td", value, element("small", interval)))
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
    return _table(["language", "queries", *map(metric_label, metrics)], rows)


def _language_cell(lang: str) -> str:
    return element("td", escaped("all languages" if lang == ALL_LANGUAGES else lang))


def _difference_cell(comparison: Comparison) -> str:
    name = comparison.metric.name
    value = format_number(name, comparison.difference, signed=True)
    interval = f"[{format_interval(name, comparison.interval, signed=True)}]"
    p = f"p = {comparison.adjusted_p:.2g}"
    class_ = {"right": "up", "left": "down"}.get(comparison.better)
    note = p if comparison.significant else f"{p}, noise"
    return element("td", value, element("small", interval), element("small", note), class_=class_)


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    top = element("thead", element("tr", *(element("th", escaped(name), scope="col") for name in head)))
    return element("div", element("table", top, element("tbody", *rows), class_="numbers"), class_="wide")


@dataclass(frozen=True)
class QueryChange:
    """The rank of a query's first relevant result with one system and with another."""

    query: str
    before: float
    after: float

    @property
    def gain(self) -> float:
        """The difference of the reciprocal ranks."""
        return 1 / self.after - 1 / self.before


def _worst_queries(system: Measurement) -> str:
    """Show, for each language, the queries whose first relevant result is ranked lowest."""
    by_language = system.by_language()
    blocks = [block for each in by_language for block in _worst_of(each, max(2, WORST_QUERIES // len(by_language)))]
    if not blocks:
        return element("p", "Every query has a relevant result at rank 1.")
    return element("div", *blocks, class_="queries")


def _worst_of(system: Measurement, count: int) -> list[str]:
    """Show the worst queries in one language, without those whose first result is relevant."""
    evaluation = system.pooled
    ranks = dict(zip(evaluation.queries, evaluation.first_ranks.tolist(), strict=True))
    worst = [query for query in evaluation.worst(count) if ranks[query] > 1]
    if not worst:
        return []
    run = system.ranking(worst, RESULTS_PER_QUERY)
    renderer = QueryRenderer(system)
    lang = evaluation.subject.lang
    return [renderer.block(query, lang, _format_rank(ranks[query]), {"first results": run}) for query in worst]


def _changed_queries(compared: SystemComparison) -> str:
    """Show the queries whose reciprocal ranks differ most between two systems, in both directions."""
    left, right = compared.left, compared.right
    if left is None or right is None:
        return ""
    ranks = dict(zip(right.pooled.queries, right.pooled.first_ranks.tolist(), strict=True))
    changes = sorted(
        (
            QueryChange(query, before, ranks[query])
            for query, before in zip(left.pooled.queries, left.pooled.first_ranks.tolist(), strict=True)
        ),
        key=lambda change: change.gain,
    )
    better = [change for change in changes[::-1] if change.gain > 0][:CHANGED_QUERIES]
    worse = [change for change in changes if change.gain < 0][:CHANGED_QUERIES]
    # An approximate index has the same vectors as exact search, so they do not show what the index would return.
    systems = [left] if right.exact else [left, right]
    return _change_list(f"Better with {right.name}", better, systems) + _change_list(
        f"Better with {left.name}", worse, systems
    )


def _change_list(title: str, changes: Sequence[QueryChange], systems: Sequence[Measurement]) -> str:
    if not changes:
        return ""
    queries = [change.query for change in changes]
    runs = {f"first results of {system.name}": system.ranking(queries, RESULTS_PER_QUERY) for system in systems}
    renderer = QueryRenderer(systems[0])
    blocks = [
        renderer.block(
            change.query,
            renderer.lang(change.query),
            f"{_format_rank(change.before)} \u2192 {format_number('median_rank', change.after)}",
            runs,
        )
        for change in changes
    ]
    return element("h4", escaped(title)) + element("div", *blocks, class_="queries")


def _format_rank(rank: float) -> str:
    return f"rank {format_number('median_rank', rank)}"


class QueryRenderer:
    """Renders queries and results: pictures as thumbnails inside the page, captions as text."""

    def __init__(self, system: Measurement) -> None:
        self._dataset = system.dataset
        self._queries_are_pictures = system.direction == "picture-to-text"
        self._captions = {caption.id: caption for caption in system.dataset.captions}
        self._qrels = system.qrels

    def block(self, query: str, lang: str, rank: str, runs: Mapping[str, Run]) -> str:
        """Render a query with its rank, its relevant results, and the results of each run."""
        head = element("p", element("b", escaped(rank)), " ", escaped(f"{lang} " if lang else ""), self._query(query))
        rows = [("relevant", self._relevant(query))]
        rows += [(title, self._results(query, run[query])) for title, run in runs.items()]
        divs = [element("div", element("small", escaped(title)), items) for title, items in rows]
        return element("div", head, element("div", *divs, class_="rows"), class_="query")

    def lang(self, query: str) -> str:
        """Return the language of a caption; empty for a picture."""
        return "" if self._queries_are_pictures else self._captions[query].lang

    def _query(self, query: str) -> str:
        if self._queries_are_pictures:
            return self._picture(query, None, relevant=False)
        caption = self._captions[query]
        return element("q", escaped(caption.text), dir="auto", lang=caption.lang)

    def _relevant(self, query: str) -> str:
        names = [name for name, grade in self._qrels.get(query, {}).items() if grade > 0]
        items = "".join(self._candidate(name, None, relevant=True) for name in names[:MAX_RELEVANT_SHOWN])
        hidden = len(names) - MAX_RELEVANT_SHOWN
        more = element("small", f"and {hidden:,} more") if hidden > 0 else ""
        return element("div", items + more, class_="items")

    def _results(self, query: str, scores: Mapping[str, float]) -> str:
        """Render results with their scores; relevant ones are marked."""
        grades = self._qrels.get(query, {})
        items = [self._candidate(name, score, relevant=grades.get(name, 0) > 0) for name, score in scores.items()]
        return element("div", *items, class_="items")

    def _candidate(self, name: str, score: float | None, *, relevant: bool) -> str:
        if not self._queries_are_pictures:
            return self._picture(name, score, relevant=relevant)
        caption = self._captions[name]
        text = element("span", escaped(caption.text), dir="auto", lang=caption.lang)
        return element("div", text + _score(score), class_="item text right" if relevant else "item text")

    def _picture(self, name: str, score: float | None, *, relevant: bool) -> str:
        label = _score(score) or escaped(Path(name).name)
        return element("div", _thumbnail(self._dataset.root / name), label, class_="item right" if relevant else "item")


def _score(score: float | None) -> str:
    return "" if score is None else element("span", f" {score:.3f}")


@lru_cache(maxsize=4096)
def _thumbnail(path: Path) -> str:
    """Return an `img` element with the picture inside; cached, because pictures appear in several places."""
    image = thumbnail(path, THUMBNAIL_SIDE)
    if image is None:
        return element("span", "no file", class_="gone")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return element("img", src=f"data:image/jpeg;base64,{data}", alt=path.name, title=path.name, loading="lazy")
