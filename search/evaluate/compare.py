"""Significance tests: whether one system is better than another on the same queries, or the difference may be noise.

A paired randomisation test is used: if two systems are equally good, swapping their results on any query changes
nothing (Fisher,
"The design of experiments", 1935; Smucker, Allan and Carterette, "A comparison of statistical significance tests for
information retrieval evaluation", CIKM 2007). Queries that depend on one another are swapped together. The test
statistic is the mean difference; for ranks, which can be huge or infinite, the mean sign of the difference (whether
one system is better on more queries than the other).
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import IncomparableEvaluations
from search.evaluate.bootstrap import Interval, Resampling, cluster_numbers
from search.evaluate.evaluation import Evaluation, Subject, finite
from search.evaluate.intervals import difference_intervals
from search.evaluate.metrics import Metric

__all__ = ["Comparison", "ComparisonSettings", "compare", "compare_all", "holm", "randomisation_test"]

MAX_EXACT_CLUSTERS = 12
"""Up to this many differing clusters all 2^n ways to swap are tried."""

_MAX_SWAPS = 16_000_000
"""Numbers in memory at once while swapping: 128 MB."""

_MIN_P = 1e-6
"""The smallest p that is reported."""


@dataclass(frozen=True)
class ComparisonSettings:
    """Settings for significance tests. The same seed gives the same numbers."""

    alpha: float = 0.05
    """The family-wise error rate: the probability of any false positive over all comparisons made together."""
    permutations: int = 10_000
    resampling: Resampling = field(default_factory=Resampling)


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems on the same `queries`. `difference` is right minus left."""

    metric: Metric
    left: Subject
    right: Subject
    queries: int
    left_score: float
    right_score: float
    difference: float
    tested: float
    """The test statistic: the mean difference; for ranks, the mean sign of the difference."""
    interval: Interval
    """The confidence interval of the difference, by bootstrap over queries."""
    p: float
    adjusted_p: float
    """`p` corrected by Holm's method for all comparisons made together."""
    alpha: float
    better_queries: int = 0
    """The number of queries that the right system answers better."""
    worse_queries: int = 0
    """The number of queries that the right system answers worse."""
    depth: int | None = None
    """The number of results per query at which both rankings were cut; None if neither was."""

    @property
    def significant(self) -> bool:
        """Whether the difference is statistically significant."""
        return self.adjusted_p <= self.alpha

    @property
    def better(self) -> str:
        """`left` or `right`; `neither` when the difference may be noise, or when score and test statistic disagree.

        (A median can stay the same, or even fall, while the ranks of most queries rise.)
        """
        if not (self.significant and self.difference * self.tested > 0):
            return "neither"
        return "right" if (self.tested > 0) == self.metric.higher_is_better else "left"

    @property
    def verdict(self) -> str:
        """The outcome as a sentence, for a report."""
        if not self.metric.higher_is_better:
            return self._verdict_on_ranks
        difference = f"{self.metric.name} differs by {self.difference:+.4f} (p = {self.adjusted_p:.2g})"
        return f"{difference}: {self._conclusion}"

    @property
    def _verdict_on_ranks(self) -> str:
        """The outcome for ranks: the test counts the queries whose rank is higher, and those whose rank is lower."""
        change = f"goes from {self.left_score:g} to {self.right_score:g}"
        if self.left_score == self.right_score:
            change = f"is {self.left_score:g} for both"
        return (
            f"{self.metric.name} {change}; the first relevant result is higher for {self.better_queries:,} and lower "
            f"for {self.worse_queries:,} of {self.queries:,} queries (p = {self.adjusted_p:.2g} for these numbers): "
            f"{self._conclusion}"
        )

    @property
    def _conclusion(self) -> str:
        if not self.significant:
            return "this may be noise"
        if self.better == "neither":
            winner = self.right if self.better_queries > self.worse_queries else self.left
            return f"{winner.space} is better for more queries, but not in {self.metric.name}"
        return f"{getattr(self, self.better).space} is better"

    def as_dict(self) -> dict[str, object]:
        """Return a JSON object."""
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
            "better_queries": self.better_queries,
            "worse_queries": self.worse_queries,
            **({} if self.depth is None else {"depth": self.depth}),
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            "better": self.better,
            "verdict": self.verdict,
        }


def compare(
    left: Evaluation, right: Evaluation, settings: ComparisonSettings = ComparisonSettings()
) -> list[Comparison]:
    """Compare every metric that both have, corrected together. Raises `IncomparableEvaluations`."""
    return compare_all([(left, right)], settings)


def compare_all(
    pairs: Sequence[tuple[Evaluation, Evaluation]], settings: ComparisonSettings = ComparisonSettings()
) -> list[Comparison]:
    """Compare several pairs of evaluations by all metrics, corrected together. Raises `IncomparableEvaluations`."""
    uncorrected = [comparison for left, right in pairs for comparison in _compare_pair(left, right, settings)]
    adjusted = holm([comparison.p for comparison in uncorrected])
    return [replace(comparison, adjusted_p=p) for comparison, p in zip(uncorrected, adjusted, strict=True)]


def randomisation_test(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    metric: Metric,
    clusters: Sequence[Hashable] | None = None,
    permutations: int = 10_000,
    seed: int = 0,
    max_exact_clusters: int = MAX_EXACT_CLUSTERS,
) -> float:
    """Return the two-sided p of the difference of two systems' values (Q,) on the same queries.

    The test is exact when few clusters differ. Otherwise `permutations` are drawn, with one added to both counts, so
    that p is never 0 (Phipson and Smyth, "Permutation p-values should never be zero", 2010). If none of them is as
    extreme, an upper bound on the exact p is used where it is smaller (Hoeffding, "Probability inequalities for sums of
    bounded random variables", J. Am. Stat. Assoc. 1963). Otherwise the number of permutations would limit how many
    comparisons can be corrected together.
    """
    paired = _paired(left, right, metric)  # (Q,)
    sums = np.bincount(cluster_numbers(clusters, len(paired)), paired)  # (C,)
    sums = sums[sums != 0]
    observed = abs(sums.sum()) * (1 - 1e-9)  # equal sums may differ in their last bits
    as_extreme, tried = 0, 0
    for swapped in _swaps(len(sums), permutations, seed, max_exact_clusters):  # (b, C)
        as_extreme += int((np.abs(sums.sum() - 2 * (swapped @ sums)) >= observed).sum())
        tried += len(swapped)
    if len(sums) <= max_exact_clusters:
        return as_extreme / tried
    drawn = (as_extreme + 1) / (tried + 1)
    bound = 2 * np.exp(-(observed**2) / (2 * (sums**2).sum()))
    return drawn if as_extreme else min(drawn, max(float(bound), _MIN_P))


def holm(ps: Sequence[float]) -> list[float]:
    """Return all p, corrected together (Holm, "A simple sequentially rejective multiple test procedure", 1979)."""
    order = sorted(range(len(ps)), key=lambda number: ps[number])
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for tried, number in enumerate(order):
        highest = max(highest, min(1.0, ps[number] * (len(ps) - tried)))
        adjusted[number] = highest
    return adjusted


def _compare_pair(left: Evaluation, right: Evaluation, settings: ComparisonSettings) -> Iterator[Comparison]:
    """Yield the comparisons by each metric that both have, not yet corrected; both rankings cut at one depth."""
    right = _in_order_of(left, right)
    depth = min((each.depth for each in (left, right) if each.depth is not None), default=None)
    left, right = left.cut(depth), right.cut(depth)
    metrics = [metric for metric in left.metrics if metric.name in right.values]
    samples = [(metric, left.values[metric.name], right.values[metric.name]) for metric in metrics]
    intervals = difference_intervals(samples, left.candidates, left.clusters, settings.resampling)
    for (metric, *sides), interval in zip(samples, intervals, strict=True):
        values = sides[0], sides[1]
        scores = left.scores[metric.name], right.scores[metric.name]
        p = randomisation_test(*values, metric, left.clusters, settings.permutations, settings.resampling.seed)
        paired = _paired(*values, metric)
        yield Comparison(
            metric,
            left.subject,
            right.subject,
            queries=len(left.queries),
            left_score=scores[0],
            right_score=scores[1],
            difference=scores[1] - scores[0],
            tested=float(paired.mean()) if len(left.queries) else 0.0,
            interval=interval,
            p=p,
            adjusted_p=p,
            alpha=settings.alpha,
            better_queries=int(((paired > 0) if metric.higher_is_better else (paired < 0)).sum()),
            worse_queries=int(((paired < 0) if metric.higher_is_better else (paired > 0)).sum()),
            depth=depth,
        )


def _in_order_of(left: Evaluation, right: Evaluation) -> Evaluation:
    """Return `right` with its queries in the order of `left`."""
    if left.queries == right.queries:
        return right
    rows = {query: row for row, query in enumerate(right.queries)}
    difference = set(left.queries) ^ rows.keys()
    if difference:
        raise IncomparableEvaluations(left.subject.space, right.subject.space, tuple(sorted(difference)))
    ranked = tuple(right.ranked[rows[query]] for query in left.queries)
    return replace(right, queries=left.queries, ranked=ranked, clusters=left.clusters)


def _swaps(clusters: int, permutations: int, seed: int, max_exact: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which clusters to swap (b, C), a batch at a time: all ways to swap if there are few clusters."""
    if clusters <= max_exact:
        yield (np.arange(2**clusters)[:, None] >> np.arange(clusters)) % 2 == 1
        return
    generator = np.random.default_rng(seed)
    batch = max(1, _MAX_SWAPS // clusters)
    for start in range(0, permutations, batch):
        size = min(batch, permutations - start)
        yield generator.integers(2, size=(size, clusters), dtype=np.int8) == 1


def _paired(left: NDArray[np.float64], right: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Return differences (Q,), positive where the value of the right system is higher; for ranks only their signs."""
    if metric.higher_is_better:
        return np.asarray(right - left)
    return np.asarray((right > left).astype(np.float64) - (right < left))
