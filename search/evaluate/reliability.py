"""Reliability of relevance: whether pictures with a relevance of 0.8 are right in 80 % of cases.

The first results of the queries are put into ten bins by their relevance. In each bin the share of relevant pictures is
compared with the mean relevance (DeGroot and Fienberg, "The comparison and evaluation of forecasters", The Statistician
1983). The expected calibration error is the mean difference of the two over all results (Naeini, Cooper and Hauskrecht,
"Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluate.bootstrap import Interval, Resampling
from search.evaluate.intervals import confidence_intervals
from search.evaluate.measurement import VectorMeasurement
from search.evaluate.metrics import parse_metric
from search.query_kind import text_kind, without_articles
from search.relevance import Calibration

__all__ = ["BINS", "DEPTH", "MAX_QUERIES", "Reliability", "ReliabilityBin", "bin_results", "measure_reliability"]

BINS = 10
"""Bins of equal width between 0 and 1."""
DEPTH = 10
"""The first results of each query that are compared: about those that people look at."""
MAX_QUERIES = 2_000
"""Queries that are used; of more, a random sample with a fixed seed."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """The results with a relevance from `low` to `high`."""

    low: float
    high: float
    count: int
    relevance: float
    """The mean relevance: the share that should be relevant."""
    share: float
    """The share that is relevant."""
    interval: Interval
    """The confidence interval of the share. Results of one picture's queries depend on each other."""


@dataclass(frozen=True)
class Reliability:
    """The reliability of the relevance of one system's results. Bins without results are left out."""

    bins: tuple[ReliabilityBin, ...]
    error: float
    """The expected calibration error, from 0 to 1."""
    queries: int
    """Queries that were used."""
    is_sample: bool
    """Whether these are a random sample of the queries with a relevance."""
    results: int
    without_scale: int
    """Queries of a kind that has no calibrated relevance, or one that depends on an unknown number of tokens."""


def measure_reliability(measurement: VectorMeasurement, calibration: Calibration) -> Reliability | None:
    """Compare the relevance of the first results of the captions with the judgements, from text to picture.

    Pictures that are not judged relevant count as not relevant, as in all metrics. None if no query has a relevance.
    """
    pooled = measurement.pooled
    captions = measurement.dataset.captions
    kinds = [text_kind(caption.text) for caption in captions]
    count = measurement.count_tokens
    known = {kind for kind, scale in calibration.scales.items() if scale.tokens is None or count is not None}
    usable = [row for row, kind in enumerate(kinds) if kind in known]
    rows = usable
    if len(rows) > MAX_QUERIES:
        chosen = np.random.default_rng(pooled.resampling.seed).choice(len(rows), MAX_QUERIES, replace=False)
        rows = [usable[place] for place in sorted(chosen)]
    if not rows:
        return None
    clusters = pooled.clusters or pooled.queries
    cluster_of = dict(zip(pooled.queries, clusters, strict=True))
    run = measurement.ranking([captions[row].id for row in rows], DEPTH)
    relevance: list[Floats] = []
    right: list[bool] = []
    of_results: list[str] = []
    for row in rows:
        caption, kind = captions[row], kinds[row]
        assert kind is not None  # it has a scale
        results = run[caption.id]
        scores = np.array(list(results.values()))  # (K,)
        tokens = (count(without_articles(caption.text)) if count else None) or 1
        relevance.append(calibration.relevance(scores, measurement.captions[row], kind, tokens))
        right += [name in caption.images for name in results]
        of_results += [cluster_of[caption.id]] * len(results)
    bins, error = bin_results(np.concatenate(relevance), np.array(right), of_results, pooled.resampling)
    return Reliability(bins, error, len(rows), len(rows) < len(usable), len(right), len(captions) - len(usable))


def bin_results(
    relevance: Floats, right: NDArray[np.bool_], clusters: Sequence[str], resampling: Resampling
) -> tuple[tuple[ReliabilityBin, ...], float]:
    """Return the bins that have results, and the expected calibration error.

    `relevance` (R,) are probabilities, `right` (R,) the outcomes, and `clusters` names what each result depends on.
    """
    numbers = np.minimum((relevance * BINS).astype(np.int64), BINS - 1)  # (R,)
    share_metric = parse_metric("recall@1")  # a mean of zeros and ones
    bins, error = [], 0.0
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        values = right[rows].astype(np.float64)
        of_rows = [clusters[row] for row in rows.tolist()]
        (interval,) = confidence_intervals([(share_metric, values)], 1, of_rows, resampling)
        mean, share = float(relevance[rows].mean()), float(values.mean())
        bins.append(ReliabilityBin(number / BINS, (number + 1) / BINS, len(rows), mean, share, interval))
        error += len(rows) / len(relevance) * abs(share - mean)
    return tuple(bins), error
