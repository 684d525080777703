"""The page: what was measured on what, then a section for each data set and direction, then how to read it."""

from collections.abc import Sequence

from cli.evaluate.comparisons import Standing, Standings
from cli.evaluate.formatting import direction_words, label, short_definition
from cli.evaluate.measure import Measured, together
from cli.evaluate.report.figures import forest_figure, histogram_figure, recall_figure
from cli.evaluate.report.markup import element, escaped
from cli.evaluate.report.queries import differing_queries, worst_queries
from cli.evaluate.report.style import STYLE
from cli.evaluate.report.tables import comparison_table, evaluation_table
from core.version import __version__

__all__ = ["page"]


def page(measured: Sequence[Measured], standings: Standings, command: str = "") -> str:
    """The page, as text; `command` is how to make it again."""
    names = list(dict.fromkeys(each.name for each in measured))
    datasets = list(dict.fromkeys(each.dataset.name for each in measured))
    title = f"Retrieval on {', '.join(datasets)}"
    sections = [_section(group, standings) for group in together(measured)]
    baseline = standings.baseline
    body = [
        element("h1", escaped(title)),
        element("p", escaped(f"Systems: {', '.join(names)}."), class_="faint"),
        *sections,
        _baseline(baseline, standings.verdicts) if baseline else "",
        _method(measured),
        element("p", escaped(f"Made by Sightline {__version__}. "), element("code", escaped(command)), class_="faint"),
    ]
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", escaped(title)),
        element("style", STYLE),
    ]
    return "<!DOCTYPE html>\n" + element("html", element("head", *head), element("body", *body), lang="en") + "\n"


def _section(systems: Sequence[Measured], standings: Standings) -> str:
    first = systems[0]
    parts = [
        element("h2", escaped(f"{first.dataset.name}, {direction_words(first.direction)}")),
        element("p", escaped(_facts(first)), class_="faint"),
        evaluation_table(systems),
        forest_figure(systems),
        recall_figure(systems),
        histogram_figure(systems),
    ]
    for standing in standings.systems:
        if standing.right in systems:
            parts += [element("h3", escaped(standing.title)), comparison_table(standing), differing_queries(standing)]
    for each in systems:
        if each.exact is None:
            title = "The queries that went worst" + (f" with {each.name}" if len(systems) > 1 else "")
            parts += [element("h3", escaped(title)), worst_queries(each)]
    return element("section", *parts)


def _facts(first: Measured) -> str:
    dataset, pooled = first.dataset, first.pooled
    kind = "pictures" if first.direction == "text-to-picture" else "captions"
    if kind == "captions" and len(dataset.languages) > 1:
        kind = "captions, or in one language only its own"
    langs = f"{len(dataset.languages)} languages ({', '.join(dataset.languages)})"
    if len(dataset.languages) == 1:
        langs = f"language: {dataset.languages[0]}"
    unanswerable = f"; {pooled.unanswerable:,} have no right answer and count as 0" if pooled.unanswerable else ""
    return (
        f"Split {dataset.split}; {len(pooled.queries):,} queries, each ranking all {pooled.candidates:,} {kind}; "
        f"{langs}{unanswerable}."
    )


def _baseline(standing: Standing, verdicts: Sequence[str]) -> str:
    said = [element("p", escaped(line)) for line in verdicts]
    return element("section", element("h2", escaped(standing.title)), *said, comparison_table(standing))


def _method(measured: Sequence[Measured]) -> str:
    evaluations = [evaluation for each in measured for evaluation in each.evaluations]
    meanings = {name: meaning for evaluation in evaluations for name, meaning in evaluation.definitions.items()}
    resampling = evaluations[0].resampling
    notes = [
        "Cosine similarity; the ranks are exact unless an index is named. Among equal scores the right answers come "
        "last, and a query without a right answer counts as 0, or as an infinite rank.",
        f"Intervals: percentile bootstrap, {resampling.level:.0%}, {resampling.resamples:,} resamples of pictures "
        "with all their queries, since the captions of a picture depend on each other (Efron, 1979; Field and Welsh, "
        "2007).",
        "Differences: paired randomisation test over pictures, two-sided, with p corrected for all comparisons of the "
        "report (Fisher, 1935; Smucker, Allan and Carterette, 2007; Holm, 1979). What is not below 0.05 may be noise. "
        "Of ranks the test counts the queries that went better and worse, so a median can stay and its p be small.",
    ]
    defined = [
        element("dt", escaped(label(name))) + element("dd", escaped(short_definition(meaning)))
        for name, meaning in meanings.items()
    ]
    said = [element("p", escaped(note)) for note in notes]
    return element("section", element("h2", "Definitions"), element("dl", *defined), *said)
