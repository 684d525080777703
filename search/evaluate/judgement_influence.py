"""How much a judgement of one picture would change what is measured for a query, to judge the most important first.

For a picture d, a system s and a metric m, the change is m(s, d relevant) - m(s, d not relevant), where all other
pictures without a judgement count as not relevant, as in an evaluation. The influence of d is, averaged over metrics,

    one system          |change(s)|
    several systems     the largest |change(s) - change(t)| of two systems

so with several systems, a picture that all rank equally has none. This is the weight of a document in Carterette, Allan
and Sitaraman, "Minimal test collections for retrieval evaluation" (SIGIR 2006), who use the change of the difference in
average precision, for the metrics that `sightline eval` shows.
"""

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from search.evaluate.metrics import DEFAULT_METRICS, Metric, parse_metrics
from search.evaluate.ranks import Ranks

__all__ = ["INFLUENCE_METRICS", "by_influence", "judgement_influence"]

Item = TypeVar("Item", bound=Hashable)

INFLUENCE_METRICS: tuple[Metric, ...] = tuple(each for each in parse_metrics(DEFAULT_METRICS) if each.higher_is_better)
"""The default metrics between 0 and 1: MRR, recall@1, @5 and @10, and nDCG@10."""

_DIGITS = 12
"""Influences that differ only in their rounding errors are equal."""


def judgement_influence(
    rankings: Sequence[Sequence[Item]],
    grades: Mapping[Item, int],
    relevant_elsewhere: int = 0,
    metrics: Sequence[Metric] = INFLUENCE_METRICS,
) -> dict[Item, tuple[float, float]]:
    """Return the influence of each ranked item without a grade: on the differences of systems, and on their values.

    `rankings` are the first results of each system for one query, best first; an item beyond them is taken to be not
    ranked. `grades` are the judgements, above 0 for relevant items, and `relevant_elsewhere` counts relevant items that
    no system ranked. With one system both numbers are equal.
    """
    places = [{item: float(rank) for rank, item in enumerate(ranking, 1)} for ranking in rankings]
    relevant = [(item, grade) for item, grade in grades.items() if grade > 0]
    before = [_values(place, relevant, relevant_elsewhere, metrics) for place in places]
    influences: dict[Item, tuple[float, float]] = {}
    for item in dict.fromkeys(item for ranking in rankings for item in ranking if item not in grades):
        changes = [
            _values(place, [*relevant, (item, 1)], relevant_elsewhere, metrics) - old
            for place, old in zip(places, before, strict=True)
        ]  # of each system, (M,)
        on_values = float(np.max([np.abs(change).mean() for change in changes]))
        on_differences = [float(np.abs(left - right).mean()) for left, right in combinations(changes, 2)]
        on_difference = max(on_differences) if len(changes) > 1 else on_values
        influences[item] = round(on_difference, _DIGITS), round(on_values, _DIGITS)
    return influences


def by_influence(items: Sequence[Item], influences: Mapping[Item, tuple[float, float]]) -> list[Item]:
    """Return the items with the largest influence first: on differences, then on values, then in the given order."""
    return sorted(items, key=lambda item: influences.get(item, (0.0, 0.0)), reverse=True)


def _values(
    place: Mapping[Item, float], relevant: Sequence[tuple[Item, int]], elsewhere: int, metrics: Sequence[Metric]
) -> NDArray[np.float64]:
    """Return the value of each metric (M,) for the ranks of one system."""
    ranks = [place.get(item, np.inf) for item, _ in relevant] + [np.inf] * elsewhere
    ranked = Ranks.of(ranks, [grade for _, grade in relevant] + [1] * elsewhere)
    return np.array([metric.of(ranked) if len(ranks) else 0.0 for metric in metrics])
