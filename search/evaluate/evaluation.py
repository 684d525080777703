"""The result of an evaluation: values per query, scores, confidence intervals, and JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.evaluate.bootstrap import Interval, Resampling, bootstrap_intervals
from search.evaluate.metrics import Metric, parse_metrics
from search.evaluate.ranks import Ranks

__all__ = ["ALL_LANGUAGES", "Direction", "Evaluation", "Subject", "finite"]

Direction: TypeAlias = Literal["text-to-picture", "picture-to-text"]

ALL_LANGUAGES = "all"
"""The `lang` of an evaluation that is pooled over languages."""


@dataclass(frozen=True)
class Subject:
    """The data set, the system and the task of an evaluation."""

    dataset: str
    split: str
    space: str
    """The system: an embedding space, or the name of a run."""
    lang: str = ALL_LANGUAGES
    direction: Direction = "text-to-picture"


@dataclass(frozen=True)
class Evaluation:
    """The ranks of every query's relevant documents among `candidates`, and the metrics computed from them.

    `clusters` names, for each query, what it depends on, usually its picture; None when queries are independent.
    """

    subject: Subject
    queries: tuple[str, ...]
    ranked: tuple[Ranks, ...]
    candidates: int
    clusters: tuple[str, ...] | None = None
    metrics: tuple[Metric, ...] = field(default_factory=parse_metrics)
    resampling: Resampling = field(default_factory=Resampling)

    @cached_property
    def values(self) -> Mapping[str, NDArray[np.float64]]:
        """Metric -> one value per query (Q,), in the order of `queries`."""
        return {metric.name: metric.values(self.ranked) for metric in self.metrics}

    @cached_property
    def scores(self) -> Mapping[str, float]:
        """Metric -> its mean or median over the queries."""
        return {metric.name: metric.summarise(self.values[metric.name]) for metric in self.metrics}

    @cached_property
    def intervals(self) -> Mapping[str, Interval]:
        """Metric -> the confidence interval of its score."""
        samples = [(metric, self.values[metric.name]) for metric in self.metrics]
        intervals = bootstrap_intervals(samples, self.clusters, self.resampling)
        return {metric.name: interval for metric, interval in zip(self.metrics, intervals, strict=True)}

    @cached_property
    def first_ranks(self) -> NDArray[np.float64]:
        """The rank (Q,) of each query's first relevant document; infinite if the query has none."""
        return np.array([ranks.first for ranks in self.ranked], dtype=np.float64)

    @property
    def definitions(self) -> Mapping[str, str]:
        """Metric -> its definition in one line."""
        return {metric.name: metric.definition for metric in self.metrics}

    @property
    def unanswerable(self) -> int:
        """The number of queries without a relevant document; they count as 0, as in trec_eval."""
        return sum(not len(ranks.ranks) for ranks in self.ranked)

    def worst(self, count: int = 10) -> list[str]:
        """Return the queries whose first relevant document is ranked lowest, the worst first."""
        order = np.argsort(-self.first_ranks, kind="stable")[:count]
        return [self.queries[row] for row in order]

    def recall_curve(self, depths: Sequence[int]) -> list[float]:
        """Return recall@k (any hit) for every k in `depths`."""
        return [float((self.first_ranks <= depth).mean()) for depth in depths]

    def as_dict(self) -> dict[str, object]:
        """Return a JSON object. Numbers that are not finite become None."""
        pictures = self.candidates if self.subject.direction == "text-to-picture" else len(self.queries)
        return {
            "dataset": self.subject.dataset,
            "split": self.subject.split,
            "space": self.subject.space,
            "lang": self.subject.lang,
            "direction": self.subject.direction,
            "queries": len(self.queries),
            "pictures": pictures,
            "candidates": self.candidates,
            **{name: finite(score) for name, score in self.scores.items()},
            "intervals": {name: [finite(i.low), finite(i.high)] for name, i in self.intervals.items()},
            "level": self.resampling.level,
            "clusters": len(self.queries if self.clusters is None else set(self.clusters)),
            "unanswerable": self.unanswerable,
            "definitions": dict(self.definitions),
        }


def finite(number: float) -> float | None:
    """Return the number, or None when it is infinite or NaN, which JSON cannot represent."""
    return number if math.isfinite(number) else None
