"""How measures, numbers and directions are written for people."""

import math
import re

from search.evaluate.bootstrap import Interval
from search.evaluate.evaluation import Direction

__all__ = ["direction_words", "interval_words", "label", "number_words", "short_definition"]

_LABELS = {"mrr": "MRR", "map": "mAP", "ndcg": "nDCG", "recall": "R", "p": "P", "fraction_recall": "fraction R"}

_RANKS = ("median_rank", "mean_rank")


def label(metric: str) -> str:
    """`recall@5` as `R@5`."""
    family, at, depth = metric.partition("@")
    return _LABELS.get(family, family.replace("_", " ")) + at + depth


def number_words(metric: str, value: float, *, signed: bool = False) -> str:
    """Ranks with one decimal at most, everything else with three."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "inf" if value > 0 else "-inf"
    sign = "+" if signed else ""
    if metric in _RANKS:
        return re.sub(r"\.0$", "", f"{value:{sign},.1f}")
    return f"{value:{sign}.3f}"


def interval_words(metric: str, interval: Interval, *, signed: bool = False) -> str:
    """`0.471-0.553`; signed numbers are parted by a comma."""
    low, high = (number_words(metric, end, signed=signed) for end in (interval.low, interval.high))
    return f"{low}, {high}" if signed else f"{low}-{high}"


def short_definition(definition: str) -> str:
    """Without what holds for every measure."""
    return definition.partition("; ties count")[0]


def direction_words(direction: Direction) -> str:
    """`text to picture`."""
    return direction.replace("-", " ")
