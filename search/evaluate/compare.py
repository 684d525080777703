"""Whether one system is better than another on the same queries, or the difference is noise.

A paired randomisation test: if the two systems are alike, swapping their results on any query changes nothing (Fisher,
"The design of experiments", 1935; Smucker, Allan and Carterette, "A comparison of statistical significance tests for
information retrieval evaluation", CIKM 2007). Queries that depend on one another are swapped together. What is tested
is the mean difference; of ranks, which can be huge or infinite, the mean sign of the difference (whether one system is
better on more queries than the other).
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import Incomparable
from search.evaluate.bootstrap import Interval, Resampling, bootstrap, cluster_numbers, percentile_interval
from search.evaluate.evaluation import Evaluation, Subject, finite
from search.evaluate.metrics import Metric

__all__ = ["Comparison", "ComparisonSettings", "compare", "compare_all", "holm", "randomisation_test"]

_EXACT = 12
"""Clusters that differ up to which all 2^n ways to swap are tried."""

_CELLS = 16_000_000
"""Numbers held at once while swapping: 128 MB."""

_LEAST = 1e-6
"""No p is said to be less."""


@dataclass(frozen=True)
class ComparisonSettings:
    """How differences are judged. The same seed gives the same numbers."""

    alpha: float = 0.05
    """Chance, over all comparisons made together, of calling any difference real that is not."""
    permutations: int = 10_000
    resampling: Resampling = field(default_factory=Resampling)


@dataclass(frozen=True)
class Comparison:
    """One measure of two systems on the same `queries`: `difference` is right minus left."""

    metric: Metric
    left: Subject
    right: Subject
    queries: int
    left_score: float
    right_score: float
    difference: float
    tested: float
    """What the test looked at: the mean difference; of ranks, the mean sign of the difference."""
    interval: Interval
    """Of the difference: bootstrap over queries, as for a score."""
    p: float
    adjusted_p: float
    """Corrected by Holm's method for the comparisons made together."""
    alpha: float

    @property
    def significant(self) -> bool:
        """Whether the difference is more than noise."""
        return self.adjusted_p <= self.alpha

    @property
    def better(self) -> str:
        """`left` or `right`; `neither` when the difference may be noise, or a median did not go the way of the queries.

        (It can stay where it is, or even fall, while the ranks of most queries rise.)
        """
        if not (self.significant and self.difference * self.tested > 0):
            return "neither"
        return "right" if (self.tested > 0) == self.metric.higher_is_better else "left"

    @property
    def verdict(self) -> str:
        """In words, for a report."""
        difference = f"{self.metric.name} differs by {self.difference:+.4f} (p = {self.adjusted_p:.2g}"
        if not self.significant:
            return f"{difference}): this may be noise"
        if self.better == "neither":
            return f"{difference}): the score and the single queries disagree"
        return f"{difference}): {getattr(self, self.better).space} is better"

    def as_dict(self) -> dict[str, object]:
        """One JSON object."""
        return {
            "metric": self.metric.name,
            "dataset": self.right.dataset,
            "split": self.right.split,
            "lang": self.right.lang,
            "direction": self.right.direction,
            "left": self.left.space,
            "right": self.right.space,
            "queries": self.queries,
            "left_score": finite(self.left_score),
            "right_score": finite(self.right_score),
            "difference": finite(self.difference),
            "interval": [finite(self.interval.low), finite(self.interval.high)],
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            "better": self.better,
            "verdict": self.verdict,
        }


def compare(
    left: Evaluation, right: Evaluation, settings: ComparisonSettings = ComparisonSettings()
) -> list[Comparison]:
    """Every measure that both have, corrected together. Raises `Incomparable` for different queries."""
    return compare_all([(left, right)], settings)


def compare_all(
    pairs: Sequence[tuple[Evaluation, Evaluation]], settings: ComparisonSettings = ComparisonSettings()
) -> list[Comparison]:
    """Several pairs (languages, systems against one) and all measures, corrected together."""
    plain = [comparison for left, right in pairs for comparison in _apart(left, right, settings)]
    adjusted = holm([comparison.p for comparison in plain])
    return [replace(comparison, adjusted_p=p) for comparison, p in zip(plain, adjusted, strict=True)]


def randomisation_test(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    metric: Metric,
    clusters: Sequence[Hashable] | None = None,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """The two-sided p of the difference of two systems' values (Q,) on the same queries.

    Exact when few clusters differ; else from `permutations` drawn ones, with one added to both counts, so that p is
    never 0 (Phipson and Smyth, "Permutation p-values should never be zero", 2010). Where none of those is as extreme, a
    bound on what all of them would give is taken if it is less (Hoeffding, "Probability inequalities for sums of
    bounded random variables", J. Am. Stat. Assoc. 1963): the number drawn would else limit how many comparisons can be
    corrected together.
    """
    paired = _paired(left, right, metric)  # (Q,)
    sums = np.bincount(cluster_numbers(clusters, len(paired)), paired)  # (C,)
    sums = sums[sums != 0]
    observed = abs(sums.sum()) * (1 - 1e-9)  # equal sums may differ in their last bits
    as_extreme, tried = 0, 0
    for swapped in _swaps(len(sums), permutations, seed):  # (b, C)
        as_extreme += int((np.abs(sums.sum() - 2 * (swapped @ sums)) >= observed).sum())
        tried += len(swapped)
    if len(sums) <= _EXACT:
        return as_extreme / tried
    drawn = (as_extreme + 1) / (tried + 1)
    bound = 2 * np.exp(-(observed**2) / (2 * (sums**2).sum()))
    return drawn if as_extreme else min(drawn, max(float(bound), _LEAST))


def holm(ps: Sequence[float]) -> list[float]:
    """Each p corrected for all of them (Holm, "A simple sequentially rejective multiple test procedure", 1979)."""
    order = sorted(range(len(ps)), key=lambda number: ps[number])
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for tried, number in enumerate(order):
        highest = max(highest, min(1.0, ps[number] * (len(ps) - tried)))
        adjusted[number] = highest
    return adjusted


def _apart(left: Evaluation, right: Evaluation, settings: ComparisonSettings) -> Iterator[Comparison]:
    """The measures that both have, not yet corrected."""
    right = _in_order_of(left, right)
    metrics = [metric for metric in left.metrics if metric.name in right.values]
    samples = [(metric, side.values[metric.name]) for metric in metrics for side in (left, right)]
    drawn = bootstrap(samples, left.clusters, settings.resampling)  # the same pictures for every measure
    for metric, ours, theirs in zip(metrics, drawn[::2], drawn[1::2], strict=True):
        values = left.values[metric.name], right.values[metric.name]
        scores = left.scores[metric.name], right.scores[metric.name]
        p = randomisation_test(*values, metric, left.clusters, settings.permutations, settings.resampling.seed)
        yield Comparison(
            metric,
            left.subject,
            right.subject,
            queries=len(left.queries),
            left_score=scores[0],
            right_score=scores[1],
            difference=scores[1] - scores[0],
            tested=float(_paired(*values, metric).mean()) if len(left.queries) else 0.0,
            interval=_interval(ours, theirs, settings.resampling.level),
            p=p,
            adjusted_p=p,
            alpha=settings.alpha,
        )


def _interval(ours: NDArray[np.float64], theirs: NDArray[np.float64], level: float) -> Interval:
    """Of the difference of two systems, from their scores (B,) in the same resamples."""
    with np.errstate(invalid="ignore"):
        differences = theirs - ours
    return percentile_interval(np.nan_to_num(differences, nan=0.0, posinf=np.inf, neginf=-np.inf), level)


def _in_order_of(left: Evaluation, right: Evaluation) -> Evaluation:
    """`right` with its queries in the order of `left`."""
    if left.queries == right.queries:
        return right
    places = {query: number for number, query in enumerate(right.queries)}
    difference = set(left.queries) ^ places.keys()
    if difference:
        raise Incomparable(left.subject.space, right.subject.space, tuple(sorted(difference)))
    ranked = tuple(right.ranked[places[query]] for query in left.queries)
    return replace(right, queries=left.queries, ranked=ranked, clusters=left.clusters)


def _swaps(clusters: int, permutations: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Which clusters to swap, (b, C), some ways at a time: all ways there are, if they are few."""
    if clusters <= _EXACT:
        yield (np.arange(2**clusters)[:, None] >> np.arange(clusters)) % 2 == 1
        return
    generator = np.random.default_rng(seed)
    batch = max(1, _CELLS // clusters)
    for start in range(0, permutations, batch):
        size = min(batch, permutations - start)
        yield generator.integers(2, size=(size, clusters), dtype=np.int8) == 1


def _paired(left: NDArray[np.float64], right: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """What is tested, (Q,), positive where the value of the right system is higher: differences, or signs of ranks'."""
    if metric.higher_is_better:
        return np.asarray(right - left)
    return np.asarray((right > left).astype(np.float64) - (right < left))
