"""Single queries of a report with their results: the worst ones, and those that two systems answer differently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cli.evaluate.comparisons import SystemComparison
from cli.evaluate.formatting import format_number
from cli.evaluate.report.markup import element, escaped
from cli.evaluate.report.pictures import PictureSheet
from search.evaluate.datasets import Caption
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement
from search.evaluate.trec import Run

__all__ = ["changed_queries", "worst_queries"]

RESULTS_PER_QUERY = 5

WORST_QUERIES = 12
"""Worst queries over all languages; at least two in each language."""

CHANGED_QUERIES = 5
"""Queries shown that are better with one system, and as many that are better with the other."""

MAX_RELEVANT_SHOWN = 3
"""Relevant pictures or captions shown for a query."""


@dataclass(frozen=True)
class QueryChange:
    """The rank of a query's first relevant result with one system and with another."""

    query: str
    before: float
    after: float
    before_text: str
    after_text: str

    @property
    def gain(self) -> float:
        """The difference of the reciprocal ranks."""
        return 1 / self.after - 1 / self.before


def worst_queries(system: Measurement, pictures: PictureSheet) -> str:
    """Show, for each language, the queries whose first relevant result is ranked lowest."""
    by_language = system.by_language()
    count = max(2, WORST_QUERIES // len(by_language))
    blocks = [block for each in by_language for block in _worst_of(each, pictures, count)]
    if not blocks:
        return element("p", "Every query has a relevant result at rank 1.")
    return element("div", *blocks, class_="queries")


def _worst_of(system: Measurement, pictures: PictureSheet, count: int) -> list[str]:
    """Show the worst queries in one language, without those whose first result is relevant."""
    evaluation = system.pooled
    ranks = dict(zip(evaluation.queries, evaluation.first_ranks.tolist(), strict=True))
    worst = [query for query in evaluation.worst(count) if ranks[query] > 1]
    if not worst:
        return []
    run = system.ranking(worst, RESULTS_PER_QUERY)
    renderer = QueryRenderer(system, pictures)
    lang = evaluation.subject.lang
    results = {"first results": run}
    return [renderer.block(query, lang, f"rank {_format_rank(ranks[query], evaluation)}", results) for query in worst]


def changed_queries(compared: SystemComparison, pictures: PictureSheet) -> str:
    """Show the queries whose reciprocal ranks differ most between two systems, in both directions."""
    left, right = compared.left, compared.right
    if left is None or right is None:
        return ""
    depth = min((each.pooled.depth for each in (left, right) if each.pooled.depth is not None), default=None)
    changes = _changes(left.pooled.cut(depth), right.pooled.cut(depth))
    better = [change for change in changes[::-1] if change.gain > 0][:CHANGED_QUERIES]
    worse = [change for change in changes if change.gain < 0][:CHANGED_QUERIES]
    # An approximate index has the same vectors as exact search, so they do not show what the index would return.
    systems = [left] if right.exact else [left, right]
    return "".join(
        _change_list(f"Better with {name}", changes, systems, pictures)
        for name, changes in ((right.name, better), (left.name, worse))
    )


def _changes(left: Evaluation, right: Evaluation) -> list[QueryChange]:
    """Return the ranks of every query with both systems, the largest losses of the right one first."""
    ranks = dict(zip(right.queries, right.first_ranks.tolist(), strict=True))
    changes = (
        QueryChange(query, before, ranks[query], _format_rank(before, left), _format_rank(ranks[query], right))
        for query, before in zip(left.queries, left.first_ranks.tolist(), strict=True)
    )
    return sorted(changes, key=lambda change: change.gain)


def _change_list(
    title: str, changes: Sequence[QueryChange], systems: Sequence[Measurement], pictures: PictureSheet
) -> str:
    if not changes:
        return ""
    queries = [change.query for change in changes]
    runs = {f"first results of {system.name}": system.ranking(queries, RESULTS_PER_QUERY) for system in systems}
    renderer = QueryRenderer(systems[0], pictures)
    blocks = [
        renderer.block(
            change.query,
            renderer.lang(change.query),
            f"rank {change.before_text} \u2192 {change.after_text}",
            runs,
        )
        for change in changes
    ]
    return element("h4", escaped(title)) + element("div", *blocks, class_="queries")


def _format_rank(rank: float, evaluation: Evaluation) -> str:
    """Format a rank; one beyond the depth of the ranking as `>100`."""
    if evaluation.depth is not None and rank > evaluation.depth:
        return f">{evaluation.depth:,}"
    return format_number("median_rank", rank)


class QueryRenderer:
    """Renders queries and results: pictures as thumbnails inside the page, captions as text."""

    def __init__(self, system: Measurement, pictures: PictureSheet) -> None:
        self._pictures = pictures
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
        if not caption.text:
            return element("span", escaped(query))
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
        text = element("span", escaped(caption.text or name), dir="auto", lang=caption.lang)
        return element("div", text + _score(score), class_="item text right" if relevant else "item text")

    def _picture(self, name: str, score: float | None, *, relevant: bool) -> str:
        shown = self._pictures.show(self._dataset.root / name)
        label = escaped(Path(name).name) if score is None or not shown else ""
        shown = shown or self._without_file(name)
        return element("div", shown, label, _score(score), class_="item right" if relevant else "item")

    def _without_file(self, name: str) -> str:
        """Show a picture whose file cannot be read by its first caption, if the data set has one."""
        caption = self._first_captions.get(name)
        if caption is None:
            return element("span", "no file", class_="gone")
        return element(
            "span", escaped(caption.text), class_="gone words", title="no file", dir="auto", lang=caption.lang
        )

    @cached_property
    def _first_captions(self) -> Mapping[str, Caption]:
        """Picture -> its first caption that has a text."""
        captions: dict[str, Caption] = {}
        for caption in self._dataset.captions:
            for image in caption.images if caption.text else ():
                captions.setdefault(image, caption)
        return captions


def _score(score: float | None) -> str:
    return "" if score is None else element("span", f" {score:.3f}")
