"""How metrics, numbers and directions are written, and the points and bins of the plots."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from search.evaluate.bootstrap import Interval
from search.evaluate.evaluation import Direction, Evaluation

__all__ = [
    "bin_label",
    "curve_depths",
    "format_direction",
    "format_interval",
    "format_number",
    "main_metric",
    "metric_label",
    "rank_bins",
    "rank_shares",
    "short_definition",
]

_LABELS = {"mrr": "MRR", "map": "mAP", "ndcg": "nDCG", "recall": "R", "p": "P", "fraction_recall": "fraction R"}

_RANK_METRICS = ("median_rank", "mean_rank")

_MAX_CURVE_POINTS = 80


def metric_label(metric: str) -> str:
    """Return the usual spelling of a metric: `R@5` for `recall@5`."""
    family, at, depth = metric.partition("@")
    return _LABELS.get(family, family.replace("_", " ")) + at + depth


def format_number(metric: str, value: float, *, signed: bool = False) -> str:
    """Format ranks with at most one decimal, all other values with three."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "inf" if value > 0 else "-inf"
    sign = "+" if signed else ""
    if metric in _RANK_METRICS:
        return re.sub(r"\.0$", "", f"{value:{sign},.1f}")
    return f"{value:{sign}.3f}"


def format_interval(metric: str, interval: Interval, *, signed: bool = False) -> str:
    """Format an interval as `0.471-0.553`; signed numbers are separated by a comma."""
    low, high = (format_number(metric, end, signed=signed) for end in (interval.low, interval.high))
    return f"{low}, {high}" if signed else f"{low}-{high}"


def short_definition(definition: str) -> str:
    """Return the definition of a metric without the part that is common to all metrics."""
    return definition.partition("; ties count")[0]


def format_direction(direction: Direction) -> str:
    """Return `text to picture` or `picture to text`."""
    return direction.replace("-", " ")


def main_metric(evaluation: Evaluation) -> str:
    """Return the first metric between 0 and 1, for the plot over languages; otherwise the first metric."""
    names = [metric.name for metric in evaluation.metrics]
    return next((metric.name for metric in evaluation.metrics if metric.higher_is_better), names[0])


def curve_depths(candidates: int) -> list[int]:
    """Return whole numbers from 1 to `candidates`, evenly spaced on a logarithmic scale."""
    spaced = np.geomspace(1, max(candidates, 2), _MAX_CURVE_POINTS)
    return [int(depth) for depth in np.unique(spaced.round()) if depth <= candidates]


def rank_bins(candidates: int) -> list[int]:
    """Return the starts of the bins of a rank histogram, and the end of the last: 1, 2, 4, 8, ..."""
    edges = [1]
    while edges[-1] <= candidates:
        edges.append(edges[-1] * 2)
    return edges


def rank_shares(evaluation: Evaluation, edges: Sequence[int]) -> list[float]:
    """Return the share of queries in each bin. Queries without a relevant document are in no bin."""
    ranks = evaluation.first_ranks
    return [float(((ranks >= low) & (ranks < high)).mean()) for low, high in pairwise(edges)]


def bin_label(low: int, high: int) -> str:
    """Return `4-7` for the bin from 4 to before 8."""
    return str(low) if high == low + 1 else f"{low}-{high - 1}"
