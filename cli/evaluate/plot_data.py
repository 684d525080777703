"""The numbers behind the plots: recall by depth, and how the ranks are spread."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from search.evaluate.evaluation import Evaluation

__all__ = ["bin_words", "depths", "main_metric", "rank_bins", "rank_shares"]

_POINTS = 80
"""Depths of a curve, at most."""


def depths(candidates: int) -> list[int]:
    """Whole numbers from 1 to `candidates`, evenly spread on a logarithmic scale."""
    spread = np.geomspace(1, max(candidates, 2), _POINTS)
    return [int(depth) for depth in np.unique(spread.round()) if depth <= candidates]


def rank_bins(candidates: int) -> list[int]:
    """Where the bins of a rank histogram begin, and beyond the last: 1, 2, 4, 8, ..."""
    edges = [1]
    while edges[-1] <= candidates:
        edges.append(edges[-1] * 2)
    return edges


def rank_shares(evaluation: Evaluation, edges: Sequence[int]) -> list[float]:
    """The share of queries in each bin; those without an answer are in none."""
    ranks = evaluation.first_ranks
    return [float(((ranks >= low) & (ranks < high)).mean()) for low, high in pairwise(edges)]


def bin_words(low: int, high: int) -> str:
    """`4-7` for the bin from 4 to before 8."""
    return str(low) if high == low + 1 else f"{low}-{high - 1}"


def main_metric(evaluation: Evaluation) -> str:
    """The first measure that lies between 0 and 1, for a plot over languages; the first one if there is none."""
    names = [metric.name for metric in evaluation.metrics]
    return next((metric.name for metric in evaluation.metrics if metric.higher_is_better), names[0])
