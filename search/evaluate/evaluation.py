"""The result of an evaluation: values per query, scores, confidence intervals, and JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.evaluate.bootstrap import Resampling
from search.evaluate.intervals import Interval, confidence_intervals
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
    depth: int | None = None
    """The number of results per query, if the ranking ends there: ranks beyond it are infinite, because they are not
    known. None for a ranking of all candidates."""

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
        intervals = confidence_intervals(samples, self.candidates, self.clusters, self.resampling)
        return {metric.name: interval for metric, interval in zip(self.metrics, intervals, strict=True)}

    @cached_property
    def first_ranks(self) -> NDArray[np.float64]:
        """The rank (Q,) of each query's first relevant document; infinite if the query has none."""
        return np.array([ranks.first for ranks in self.ranked], dtype=np.float64)

    @cached_property
    def bounds(self) -> Mapping[str, float]:
        """Metric -> a lower bound of its score in the whole ranking, where the results beyond `depth` could change it.

        For ranks it is the score if the first relevant document of the queries without one came next, at `depth` + 1.
        """
        if self.depth is None:
            return {}
        beyond = {
            "first": any(len(each.ranks) and math.isinf(each.first) for each in self.ranked),
            "all": any(len(each.ranks) and math.isinf(each.ranks[-1]) for each in self.ranked),
        }
        return {
            metric.name: self._lower_bound(metric, self.depth)
            for metric in self.metrics
            if beyond[metric.uses]
            and (metric.depth is None or metric.depth > self.depth)
            and (metric.summary == "mean" or math.isinf(self.scores[metric.name]))
        }

    def cut(self, depth: int | None) -> "Evaluation":
        """Return the evaluation of the first `depth` results; None for all that there are."""
        if depth is None or (self.depth is not None and self.depth <= depth):
            return self
        ranked = tuple(
            each
            if not len(each.ranks) or each.ranks[-1] <= depth
            else Ranks.of(np.where(each.ranks > depth, np.inf, each.ranks).tolist(), each.grades.tolist())
            for each in self.ranked
        )
        return replace(self, ranked=ranked, depth=depth if depth < self.candidates else None)

    def part(self, rows: Sequence[int]) -> "Evaluation":
        """Return the evaluation of the queries in these rows, which were ranked together with the others."""
        part = replace(
            self,
            queries=tuple(self.queries[row] for row in rows),
            ranked=tuple(self.ranked[row] for row in rows),
            clusters=None if self.clusters is None else tuple(self.clusters[row] for row in rows),
        )
        # The values are taken from the whole, because computing them takes long.
        part.__dict__["values"] = {name: values[list(rows)] for name, values in self.values.items()}
        return part

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
            **(
                {}
                if self.depth is None
                else {"depth": self.depth, "lower_bounds": {n: finite(b) for n, b in self.bounds.items()}}
            ),
            "definitions": dict(self.definitions),
        }

    def _lower_bound(self, metric: Metric, depth: int) -> float:
        if metric.higher_is_better:
            return self.scores[metric.name]
        answerable = np.array([len(each.ranks) > 0 for each in self.ranked])  # (Q,)
        return metric.summarise(np.where(answerable, np.minimum(self.first_ranks, depth + 1), np.inf))


def finite(number: float) -> float | None:
    """Return the number, or None when it is infinite or NaN, which JSON cannot represent."""
    return number if math.isfinite(number) else None
