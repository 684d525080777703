"""Metrics of one query's ranking, and their names.

Every metric takes the ranks of the relevant documents (from 1, ascending, infinite if never ranked) and their grades.
A query without a relevant document counts as the worst: 0, or an infinite rank. The numbers are those of trec_eval
where it has the metric (`recip_rank`, `map`, `map_cut_k`, `P_k`, `ndcg_cut_k`, `success_k`,
`recall_k`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UnknownMetric
from search.evaluate.metric_names import read_metric_name, similar_names, split_metric_names
from search.evaluate.ranks import Ranks

__all__ = [
    "DEFAULT_METRICS",
    "METRIC_NAMES",
    "Metric",
    "average_precision",
    "first_rank",
    "fraction_recall",
    "ndcg",
    "parse_metric",
    "parse_metrics",
    "precision",
    "recall",
    "reciprocal_rank",
]

DEFAULT_METRICS = ("mrr", "recall@1", "recall@5", "recall@10", "ndcg@10", "median_rank")
"""The metrics of an evaluation unless others are given."""


@dataclass(frozen=True)
class Metric:
    """A metric: its name, its definition in one line, and how it is computed and averaged."""

    name: str
    definition: str
    of: Callable[[Ranks], float]
    summary: Literal["mean", "median"] = "mean"
    """How the values of all queries become one score."""
    higher_is_better: bool = True
    depth: int | None = None
    """The number of results that the metric looks at; None for all."""
    uses: Literal["first", "all"] = "all"
    """Whether only the first relevant document counts, or all of them."""

    def values(self, ranked: Iterable[Ranks]) -> NDArray[np.float64]:
        """Return one value per query (Q,)."""
        return np.array([self.of(ranks) for ranks in ranked], dtype=np.float64)

    def summarise(self, values: NDArray[np.float64]) -> float:
        """Return the score over all queries; NaN without queries."""
        if not len(values):
            return float("nan")
        return float(np.median(values) if self.summary == "median" else np.mean(values))


def reciprocal_rank(ranks: Ranks, k: int | None = None) -> float:
    """Return 1 / rank of the first relevant document, 0 if it is beyond `k` (Voorhees, "The TREC-8 question answering
    track report", 1999). The mean over queries is the MRR.
    """
    return 1 / ranks.first if k is None or ranks.first <= k else 0.0


def recall(ranks: Ranks, k: int) -> float:
    """Return 1 if any relevant document is among the first `k`, else 0.

    This is Recall@k in the literature on CLIP (Radford et al., "Learning transferable visual models from natural
    language supervision", 2021), and `success_k` of trec_eval. See `fraction_recall` for the fraction.
    """
    return float(ranks.first <= k)


def fraction_recall(ranks: Ranks, k: int) -> float:
    """Return the share of the relevant documents that are among the first `k` (trec_eval's `recall_k`)."""
    return float((ranks.ranks <= k).mean()) if len(ranks.ranks) else 0.0


def precision(ranks: Ranks, k: int) -> float:
    """Return the relevant documents among the first `k`, divided by `k` even if fewer were ranked (`P_k`)."""
    return float((ranks.ranks <= k).sum()) / k


def average_precision(ranks: Ranks, k: int | None = None) -> float:
    """Return the mean, over all relevant documents, of the precision at their rank; 0 if never ranked, or beyond `k`.

    trec_eval's `map` and `map_cut_k` for one query (Buckley and Voorhees, "Retrieval system evaluation", in TREC,
    2005).
    """
    if not len(ranks.ranks):
        return 0.0
    counts = np.arange(1, len(ranks.ranks) + 1)  # (R,) relevant documents up to and including each
    precisions = counts / ranks.ranks  # (R,)
    return float((precisions if k is None else np.where(ranks.ranks <= k, precisions, 0.0)).mean())


def ndcg(ranks: Ranks, k: int | None = None) -> float:
    """Return the discounted cumulated gain of the first `k`, divided by that of the best possible order.

    A document of grade g at rank r gains g / log2(r + 1): linear gain as in trec_eval's `ndcg_cut_k`, not 2^g - 1
    (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with the discount of
    Burges et al., "Learning to rank using gradient descent", ICML 2005).
    """
    depth = np.inf if k is None else k
    best = np.sort(ranks.grades)[::-1]  # (R,)
    positions = np.arange(1, len(best) + 1)
    ideal = float((best / np.log2(positions + 1))[positions <= depth].sum())
    gain = float((ranks.grades / np.log2(ranks.ranks + 1))[ranks.ranks <= depth].sum())
    return gain / ideal if ideal else 0.0


def first_rank(ranks: Ranks) -> float:
    """Return the rank of the first relevant document."""
    return ranks.first


_NOTE = "ties count against the system, a query without an answer counts as 0"


@dataclass(frozen=True)
class _Family:
    """Metrics of the first k results."""

    of: Callable[[Ranks, int], float]
    definition: str
    uses: Literal["first", "all"] = "all"

    def at(self, name: str, k: int) -> Metric:
        definition = f"{self.definition.format(k=k)}; {_NOTE}"
        return Metric(f"{name}@{k}", definition, lambda ranks: self.of(ranks, k), depth=k, uses=self.uses)


_FAMILIES: dict[str, _Family] = {
    "mrr": _Family(reciprocal_rank, "mean of 1 / rank of the first relevant document, 0 beyond rank {k}", uses="first"),
    "recall": _Family(recall, "share of queries with any relevant document among the first {k}", uses="first"),
    "fraction_recall": _Family(fraction_recall, "mean share of the relevant documents that are among the first {k}"),
    "p": _Family(precision, "mean share of relevant documents among the first {k}"),
    "map": _Family(average_precision, "mean of average precision, with nothing relevant beyond rank {k}"),
    "ndcg": _Family(ndcg, "mean normalised discounted cumulated gain of the first {k}; linear gain, log2 discount"),
}

_WHOLE_RANKING: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "mrr",
            f"mean of 1 / rank of the first relevant document; {_NOTE}",
            reciprocal_rank,
            uses="first",
        ),
        Metric("map", f"mean of average precision over the whole ranking; {_NOTE}", average_precision),
        Metric("ndcg", f"mean normalised discounted cumulated gain of the whole ranking; {_NOTE}", ndcg),
        Metric(
            "median_rank",
            "median over queries of the rank of the first relevant document; ties count against the system, a query "
            "without an answer ranks infinitely low",
            first_rank,
            summary="median",
            higher_is_better=False,
            uses="first",
        ),
        Metric(
            "mean_rank",
            "mean over queries of the rank of the first relevant document; ties count against the system, a query "
            "without an answer makes it infinite",
            first_rank,
            higher_is_better=False,
            uses="first",
        ),
    )
}

METRIC_NAMES = (*_WHOLE_RANKING, *(f"{name}@k" for name in _FAMILIES))
"""Every metric name; k stands for a whole number from 1."""


def parse_metric(name: str) -> Metric:
    """Return the metric called `name`: `mrr`, `mrr@10`, `recall@5`, `fraction_recall@5`, `p@10`, `map`, `ndcg@10`, ...

    Names are understood as papers, tables and other tools write them (see `metric_names`): `R@5`, `success_1`,
    `ndcg_cut_10`, `MedR`. Raises `UnknownMetric`.
    """
    family, k = read_metric_name(name)
    if k is None and family in _WHOLE_RANKING:
        return _WHOLE_RANKING[family]
    if k is None or family not in _FAMILIES:
        raise UnknownMetric(name, METRIC_NAMES, similar_names(name, _WHOLE_RANKING, _FAMILIES))
    return _FAMILIES[family].at(family, k)


def parse_metrics(names: Sequence[str] | str = DEFAULT_METRICS) -> tuple[Metric, ...]:
    """Return the metrics with these names, each once, in order; a text is split at commas: `mrr,R@1,5,10`.

    Raises `UnknownMetric`.
    """
    listed = split_metric_names(names) if isinstance(names, str) else names
    metrics = [parse_metric(name) for name in listed]
    return tuple({metric.name: metric for metric in metrics}.values())
