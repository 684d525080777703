"""Confidence intervals of scores over queries, and of the differences of two systems.

Queries that share a picture are one cluster: they are not independent, and only the clusters are.

- Proportions (every value is 0 or 1): Clopper and Pearson ("The use of confidence or fiducial limits illustrated in the
  case of the binomial", Biometrika 1934), with the effective number of queries of Korn and Graubard ("Confidence
  intervals for proportions with small expected number of positive counts estimated from survey data", Survey
  Methodology 1998) if queries are clustered.
- Means: the bias-corrected and accelerated bootstrap, BCa (Efron, "Better bootstrap confidence intervals", J. Am. Stat.
  Assoc. 1987), with the expansion for few clusters of Hesterberg ("What teachers should know about the bootstrap",
  Am. Stat. 2015).
- Means where fewer than ten clusters differ from the others: the bootstrap would draw nearly equal means, and its
  interval would be too narrow, or have no width at all. The mean is treated as a proportion of as many trials as there
  are clusters, because no distribution between the same limits has a larger variance. Where all values are 1, this is
  Clopper and Pearson's "rule of three" (97.5 % one-sided: 3.7 / clusters).
- Differences of two systems: BCa. Where fewer than ten clusters have a difference, or all have the same, the shares of
  larger and of smaller differences are bounded by Clopper and Pearson, and their values by the limits of the metric.
- Medians: order statistics (Thompson, "On confidence ranges for the median", Ann. Math. Stat. 1936).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.evaluate.bootstrap import Interval, Resampling, bootstrap, cluster_numbers, percentile_interval
from search.evaluate.metrics import Metric
from search.evaluate.quantiles import beta_quantile, binomial_cdf, student_quantile

__all__ = ["Interval", "confidence_intervals", "difference_intervals", "proportion_interval"]

MIN_DIFFERING_CLUSTERS = 10
"""With fewer clusters that differ from the others, a bootstrap does not show how large the differences can be."""

DEFAULT_RESAMPLING = Resampling()

Values: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class _Sums:
    """The sums (C,) of the values of each cluster, and their number (C,)."""

    sums: Values
    counts: Values

    @classmethod
    def of(cls, values: Values, cluster: NDArray[np.int64]) -> "_Sums":
        return cls(np.bincount(cluster, values).astype(np.float64), np.bincount(cluster).astype(np.float64))

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / self.counts.sum())

    @property
    def means(self) -> Values:
        """The mean (C,) of each cluster, without the rounding errors of the sums."""
        return np.round(self.sums / self.counts, 12)

    @property
    def usual(self) -> float:
        """The most frequent mean of a cluster."""
        means, frequency = np.unique(self.means, return_counts=True)
        return float(means[frequency.argmax()])

    @property
    def differing(self) -> int:
        """The number of clusters with another mean than the most frequent one."""
        return int((self.means != self.usual).sum())


def confidence_intervals(
    samples: Sequence[tuple[Metric, Values]],
    candidates: int,
    clusters: Sequence[Hashable] | None = None,
    settings: Resampling = DEFAULT_RESAMPLING,
) -> list[Interval]:
    """Return the interval of each metric's score from its values (Q,); NaN without queries.

    `candidates` is the largest possible rank. `clusters` names, for each query, what it depends on.
    """
    if not samples or not len(samples[0][1]):
        return [Interval(math.nan, math.nan) for _ in samples]
    cluster = cluster_numbers(clusters, len(samples[0][1]))  # (Q,)
    found: dict[int, Interval] = {}
    resampled = []
    for number, (metric, values) in enumerate(samples):
        interval = _without_bootstrap(metric, values, cluster, candidates, settings.level)
        if interval is None:
            resampled.append(number)
        else:
            found[number] = interval
    drawn = bootstrap([samples[number] for number in resampled], clusters, settings) if resampled else []
    for number, scores in zip(resampled, drawn, strict=True):
        found[number] = _from_bootstrap(samples[number][1], scores, cluster, settings.level)
    return [found[number] for number in range(len(samples))]


def difference_intervals(
    samples: Sequence[tuple[Metric, Values, Values]],
    candidates: int,
    clusters: Sequence[Hashable] | None = None,
    settings: Resampling = DEFAULT_RESAMPLING,
) -> list[Interval]:
    """Return the interval of the difference of each metric between two systems, from the values (Q,) of both.

    The difference is the second minus the first. The interval is a percentile interval for medians and infinite ranks.
    """
    if not samples or not len(samples[0][1]):
        return [Interval(0.0, 0.0) for _ in samples]
    cluster = cluster_numbers(clusters, len(samples[0][1]))
    both = [(metric, side) for metric, *sides in samples for side in sides]
    drawn = bootstrap(both, clusters, settings)  # the same clusters for every metric and both systems
    with np.errstate(invalid="ignore"):
        differences = [right - left for left, right in zip(drawn[::2], drawn[1::2], strict=True)]
    return [
        _difference_interval(metric, (left, right), of_metric, cluster, candidates, settings.level)
        for (metric, left, right), of_metric in zip(samples, differences, strict=True)
    ]


def proportion_interval(successes: float, trials: float, level: float = 0.95) -> Interval:
    """Return the interval of Clopper and Pearson; both numbers may be fractions."""
    outside = (1 - level) / 2
    failures = max(trials - successes, 0.0)
    low = beta_quantile(outside, successes, failures + 1) if successes > 0 else 0.0
    high = beta_quantile(1 - outside, successes + 1, failures) if failures > 0 else 1.0
    return Interval(low, high)


def _without_bootstrap(
    metric: Metric, values: Values, cluster: NDArray[np.int64], candidates: int, level: float
) -> Interval | None:
    """Return the interval of a median, of a proportion, or of nearly equal values; None for all others."""
    limits = (0.0, 1.0) if metric.higher_is_better else (1.0, float(max(candidates, 1)))
    if metric.summary == "median":
        return _median_interval(values, cluster, limits, level)
    if not np.isfinite(values).all():
        return None
    sums = _Sums.of(values, cluster)
    if metric.higher_is_better and np.isin(values, (0, 1)).all():
        trials = _effective_trials(sums)
    elif sums.differing < MIN_DIFFERING_CLUSTERS:
        trials = float(len(sums.sums))
    else:
        return None
    low, high = limits
    if high <= low:
        return Interval(low, high)
    share = min(max((sums.mean - low) / (high - low), 0.0), 1.0)
    found = proportion_interval(share * trials, trials, level)
    return Interval(low + found.low * (high - low), low + found.high * (high - low))


def _effective_trials(sums: _Sums) -> float:
    """Return the number of independent queries that a proportion over clusters is worth.

    This is the number of clusters, if too few of them differ to show how much the queries of a cluster depend on each
    other.
    """
    clusters, queries, share = len(sums.sums), float(sums.counts.sum()), sums.mean
    if clusters == queries:
        return queries
    if sums.differing < MIN_DIFFERING_CLUSTERS:
        return float(clusters)
    residuals = sums.sums - share * sums.counts
    variance = clusters / (clusters - 1) * float((residuals**2).sum()) / queries**2
    trials = share * (1 - share) / variance if variance else float(clusters)
    return min(trials * (student_quantile(0.95, queries - 1) / student_quantile(0.95, clusters - 1)) ** 2, queries)


def _median_interval(values: Values, cluster: NDArray[np.int64], limits: tuple[float, float], level: float) -> Interval:
    """Return the order statistics around the median that contain it with probability `level`.

    With fewer than six clusters there are none, and the limits are returned; infinite if a value is.
    """
    ordered = np.sort(values)
    below = (values <= ordered[(len(ordered) - 1) // 2]).astype(np.float64)
    trials = max(int(_effective_trials(_Sums.of(below, cluster))), 1)
    first, last = 0, trials // 2 + 1
    while last - first > 1:  # the largest number of order statistics to leave out
        middle = (first + last) // 2
        first, last = (middle, last) if binomial_cdf(middle - 1, trials, 0.5) <= (1 - level) / 2 else (first, middle)
    if not first:
        return Interval(limits[0], max(limits[1], float(ordered[-1])))
    place = (first - 1) * len(ordered) // trials
    return Interval(float(ordered[place]), float(ordered[len(ordered) - 1 - place]))


def _from_bootstrap(values: Values, drawn: Values, cluster: NDArray[np.int64], level: float) -> Interval:
    """Return the BCa interval of a mean; the percentile interval of ranks that are partly infinite."""
    if not np.isfinite(values).all():
        return percentile_interval(drawn, level)
    return _bca_interval(_Sums.of(values, cluster), drawn, level)


def _bca_interval(sums: _Sums, drawn: Values, level: float) -> Interval:
    """Return the BCa interval of a mean from its resamples (B,) and the means without each of the clusters."""
    mean, clusters = sums.mean, len(sums.sums)
    without = (sums.sums.sum() - sums.sums) / (sums.counts.sum() - sums.counts)  # (C,)
    influence = without.mean() - without
    spread = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * spread**1.5) if spread else 0.0
    normal = NormalDist()
    below = (np.count_nonzero(drawn < mean) + np.count_nonzero(drawn == mean) / 2) / len(drawn)
    bias = normal.inv_cdf(min(max(below, 1 / (len(drawn) + 1)), 1 - 1 / (len(drawn) + 1)))
    reach = student_quantile(level, clusters - 1) * math.sqrt(clusters / (clusters - 1))
    ordered = np.sort(drawn)
    ends = []
    for z in (bias - reach, bias + reach):
        scale = 1 - acceleration * z
        place = normal.cdf(bias + z / scale) if scale > 0 else float(z > 0)
        ends.append(float(ordered[min(max(round(place * (len(drawn) + 1)) - 1, 0), len(drawn) - 1)]))
    return Interval(min(ends[0], mean), max(ends[1], mean))


def _difference_interval(
    metric: Metric,
    sides: tuple[Values, Values],
    drawn: Values,
    cluster: NDArray[np.int64],
    candidates: int,
    level: float,
) -> Interval:
    limit = 1.0 if metric.higher_is_better else float(max(candidates - 1, 0))
    if metric.summary == "median" or not np.isfinite(sides).all():
        return percentile_interval(np.nan_to_num(drawn, nan=0.0, posinf=np.inf, neginf=-np.inf), level)
    sums = _Sums.of(sides[1] - sides[0], cluster)
    if not sums.differing or (sums.usual == 0 and sums.differing < MIN_DIFFERING_CLUSTERS):
        return _nearly_equal_interval(sums, limit, level)
    return _bca_interval(sums, drawn, level)


def _nearly_equal_interval(sums: _Sums, limit: float, level: float) -> Interval:
    """Return the interval of the mean of values between -limit and limit that are mostly equal.

    The shares of clusters below and above are at most the upper ends of their intervals, and their values are within
    the limits.
    """
    usual, clusters = sums.usual, len(sums.sums)
    below, above = (int(which.sum()) for which in (sums.means < usual, sums.means > usual))
    low = usual - proportion_interval(below, clusters, level).high * (usual + limit)
    high = usual + proportion_interval(above, clusters, level).high * (limit - usual)
    return Interval(min(low, sums.mean), max(high, sums.mean))
