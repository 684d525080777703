"""How metrics, numbers and directions are written, and the points and bins of the plots."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from search.evaluate.bootstrap import Interval
from search.evaluate.compare import Comparison
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.evaluation import ALL_LANGUAGES, Direction, Evaluation
from search.evaluate.measurement import Measurement, RunMeasurement

__all__ = [
    "bin_label",
    "curve_depths",
    "format_difference",
    "format_direction",
    "format_interval",
    "format_language",
    "format_number",
    "format_score",
    "format_score_interval",
    "format_task",
    "format_title",
    "has_judgements_only",
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


def format_score(evaluation: Evaluation, metric: str) -> str:
    """Format a score; with `>=` if results beyond the depth of the ranking could raise it."""
    if metric in evaluation.bounds:
        return f">={format_number(metric, evaluation.bounds[metric])}"
    return format_number(metric, evaluation.scores[metric])


def format_score_interval(evaluation: Evaluation, metric: str) -> str:
    """Format the interval of a score; a rank beyond the depth of the ranking as `>100`."""
    interval = evaluation.intervals[metric]
    if evaluation.depth is None or math.isfinite(interval.high):
        return format_interval(metric, interval)
    end = f">{evaluation.depth:,}"
    return f"{format_number(metric, interval.low)} to {end}" if math.isfinite(interval.low) else end


def format_difference(comparison: Comparison) -> str:
    """Format a difference; of ranks with the numbers of queries that are better and worse: `+0 (40 up, 11 down)`.

    These numbers are what is tested for ranks, so a median can stay the same although p is small.
    """
    name = comparison.metric.name
    difference = format_number(name, comparison.difference, signed=True)
    if comparison.metric.higher_is_better:
        return difference
    return f"{difference} ({comparison.better_queries:,} up, {comparison.worse_queries:,} down)"


def format_title(measurement: Measurement) -> str:
    """Return the data set, the task, and what there is to choose from, for the title of a table."""
    dataset, count = measurement.dataset, measurement.pooled.candidates
    if has_judgements_only(measurement):
        return f"{dataset.name}: {measurement.name}, {count:,} documents ranked or judged"
    candidates = "pictures" if measurement.direction == "text-to-picture" else "captions"
    return (
        f"{dataset.name}, split {dataset.split}, {format_direction(measurement.direction)}: "
        f"{measurement.name}, {count:,} {candidates} to choose from"
    )


def format_task(measurement: Measurement) -> str:
    """Return the direction, after a comma; nothing for judgements without a data set, which do not tell it."""
    return "" if has_judgements_only(measurement) else f", {format_direction(measurement.direction)}"


def has_judgements_only(measurement: Measurement) -> bool:
    """Return whether a run was measured without a data set that has captions."""
    return isinstance(measurement, RunMeasurement) and not any(each.text for each in measurement.dataset.captions)


def format_language(lang: str) -> str:
    """Return the language of an evaluation; `all` where captions have none."""
    return ALL_LANGUAGES if lang == UNKNOWN_LANGUAGE else lang


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
