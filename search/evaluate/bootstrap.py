"""Bootstrap resamples of means and medians over queries, from which confidence intervals are computed.

Queries are resampled with replacement (Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 1979).
Captions of one picture are not independent of each other, so where queries share a picture, whole pictures are drawn
with all their queries (Field and Welsh, "Bootstrapping clustered data", J. R. Statist. Soc. B 2007): intervals that
ignore this are too narrow.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluate.metrics import Metric

__all__ = ["Interval", "Resampling", "bootstrap", "cluster_numbers", "percentile_interval"]

_MAX_WEIGHTS = 16_000_000
"""Weights in memory at once: 128 MB."""


@dataclass(frozen=True)
class Resampling:
    """Settings for the bootstrap. The same seed gives the same numbers."""

    resamples: int = 2000
    level: float = 0.95
    """The confidence level: the share of intervals that contain the true value."""
    seed: int = 0


@dataclass(frozen=True)
class Interval:
    """A confidence interval, including both ends."""

    low: float
    high: float


def cluster_numbers(clusters: Sequence[Hashable] | None, count: int) -> NDArray[np.int64]:
    """Return the cluster (Q,) of each of `count` queries, from 0; each query is its own if `clusters` is None."""
    if clusters is None:
        return np.arange(count)
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in clusters], dtype=np.int64)


def bootstrap(
    samples: Sequence[tuple[Metric, NDArray[np.float64]]],
    clusters: Sequence[Hashable] | None = None,
    settings: Resampling = Resampling(),
) -> list[NDArray[np.float64]]:
    """Return the scores (B,) of each metric in every resample."""
    queries = len(samples[0][1]) if samples else 0
    if not queries:
        return [np.full(1, np.nan) for _ in samples]
    cluster = cluster_numbers(clusters, queries)  # (Q,)
    drawn: list[list[NDArray[np.float64]]] = [[] for _ in samples]
    for weights in _weights(int(cluster.max()) + 1, settings):  # (b, C)
        for results, (metric, values) in zip(drawn, samples, strict=True):
            summary = _medians if metric.summary == "median" else _means
            results.append(summary(values, cluster, weights))
    return [np.concatenate(results) for results in drawn]


def percentile_interval(drawn: NDArray[np.float64], level: float) -> Interval:
    """Return the middle `level` of the scores (B,), between two that were drawn."""
    ordered = np.sort(drawn)
    outside = round((1 - level) / 2 * len(ordered))
    return Interval(float(ordered[outside]), float(ordered[len(ordered) - 1 - outside]))


def _weights(clusters: int, settings: Resampling) -> Iterator[NDArray[np.float64]]:
    """Yield how often each cluster is drawn (b, C), a batch of resamples at a time."""
    generator = np.random.default_rng(settings.seed)
    batch = max(1, _MAX_WEIGHTS // clusters)
    for start in range(0, settings.resamples, batch):
        size = min(batch, settings.resamples - start)
        picked = generator.integers(clusters, size=(size, clusters))
        picked += np.arange(size)[:, None] * clusters
        yield np.bincount(picked.ravel(), minlength=size * clusters).reshape(size, clusters).astype(np.float64)


def _means(
    values: NDArray[np.float64], cluster: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weighted means (b,); infinite where an infinite value was drawn."""
    infinite = np.isinf(values)
    sums = np.bincount(cluster, np.where(infinite, 0, values), minlength=weights.shape[1])  # (C,)
    counts = np.bincount(cluster, minlength=weights.shape[1])  # (C,)
    means = (weights @ sums) / (weights @ counts)
    if infinite.any():
        means[weights @ np.bincount(cluster, infinite, minlength=weights.shape[1]) > 0] = np.inf
    return np.asarray(means, dtype=np.float64)


def _medians(
    values: NDArray[np.float64], cluster: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weighted medians (b,): the mean of the two middle values if their number is even."""
    order = np.argsort(values, kind="stable")
    ordered, of_cluster = values[order], cluster[order]
    medians = np.empty(len(weights))
    for row, drawn in enumerate(weights):
        upto = np.cumsum(drawn[of_cluster])  # (Q,) values drawn up to and including each
        middle = np.searchsorted(upto, [(upto[-1] - 1) // 2, upto[-1] // 2], side="right")
        medians[row] = ordered[middle].mean()
    return medians
