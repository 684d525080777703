"""Single queries: those that went worst, and those on which two systems differ most."""

from collections.abc import Sequence
from typing import NamedTuple

from cli.evaluate.comparisons import Standing
from cli.evaluate.formatting import number_words
from cli.evaluate.measure import Measured
from cli.evaluate.report.markup import element, escaped
from cli.evaluate.report.pictures import Showcase
from search.evaluate.trec import Run

__all__ = ["differing_queries", "worst_queries"]

SHOWN = 5
"""Of each ranking."""

WORST = 12
"""Queries over all languages; at least two of each."""

DIFFERING = 5
"""Queries that went better with one system, and as many that went better with the other."""


class _Change(NamedTuple):
    """The rank of a query's first right answer with one system and with another."""

    query: str
    before: float
    after: float

    @property
    def gain(self) -> float:
        """Of the reciprocal rank."""
        return 1 / self.after - 1 / self.before


def worst_queries(measured: Measured) -> str:
    """For each language the queries whose first right answer is ranked lowest."""
    langs = measured.apart()
    blocks = [block for each in langs for block in _worst_of(each, max(2, WORST // len(langs)))]
    if not blocks:
        return element("p", "Every query found a right answer first.")
    return element("div", *blocks, class_="queries")


def differing_queries(standing: Standing) -> str:
    """The queries whose reciprocal ranks differ most between two systems, in both directions."""
    left, right = standing.left, standing.right
    if left is None or right is None:
        return ""
    ranks = dict(zip(right.pooled.queries, right.pooled.first_ranks.tolist(), strict=True))
    changes = sorted(
        (
            _Change(query, before, ranks[query])
            for query, before in zip(left.pooled.queries, left.pooled.first_ranks.tolist(), strict=True)
        ),
        key=lambda change: change.gain,
    )
    better = [change for change in changes[::-1] if change.gain > 0][:DIFFERING]
    worse = [change for change in changes if change.gain < 0][:DIFFERING]
    # An approximate index has the vectors of exact search; what it would have ranked is not known from them.
    shown = [left] if right.exact else [left, right]
    return _changed(f"Better with {right.name}", better, shown) + _changed(f"Better with {left.name}", worse, shown)


def _worst_of(measured: Measured, count: int) -> list[str]:
    """Of one language; those that found a right answer first are none of them."""
    evaluation = measured.pooled
    ranks = dict(zip(evaluation.queries, evaluation.first_ranks.tolist(), strict=True))
    worst = [query for query in evaluation.worst(count) if ranks[query] > 1]
    if not worst:
        return []
    found = measured.ranking(worst, SHOWN)
    showcase = Showcase(measured)
    lang = evaluation.subject.lang
    return [_query(showcase, query, lang, _rank_words(ranks[query]), {"ranked first": found[query]}) for query in worst]


def _changed(title: str, changes: Sequence[_Change], shown: Sequence[Measured]) -> str:
    if not changes:
        return ""
    queries = [change.query for change in changes]
    rankings = {each.name: each.ranking(queries, SHOWN) for each in shown}
    showcase = Showcase(shown[0])
    items = [
        _query(
            showcase,
            change.query,
            showcase.lang(change.query),
            f"{_rank_words(change.before)} \u2192 {number_words('median_rank', change.after)}",
            {f"ranked first by {name}": ranking[change.query] for name, ranking in rankings.items()},
        )
        for change in changes
    ]
    return element("h4", escaped(title)) + element("div", *items, class_="queries")


def _query(showcase: Showcase, query: str, lang: str, rank: str, found: Run) -> str:
    """What was asked, what should have come, and what did come first."""
    head = element("p", element("b", escaped(rank)), " ", escaped(f"{lang} " if lang else ""), showcase.query(query))
    sides = [
        ("to be found", showcase.targets(query)),
        *((title, showcase.found(query, some)) for title, some in found.items()),
    ]
    rows = [element("div", element("small", escaped(title)), items) for title, items in sides]
    return element("div", head, element("div", *rows, class_="rows"), class_="query")


def _rank_words(rank: float) -> str:
    return f"rank {number_words('median_rank', rank)}"
