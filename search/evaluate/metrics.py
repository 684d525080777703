"""Measures of one query's ranking, and their names.

Every measure takes the ranks of the relevant documents (from 1, ascending, infinite when never ranked) and their
grades. A query without an answer counts as the worst: 0, or an infinite rank. Names and numbers are those of trec_eval
where it has the measure (`recip_rank`, `map`, `P_k`, `ndcg_cut_k`, `success_k`, `recall_k`).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UnknownMetric
from search.evaluate.ranks import Ranks

__all__ = [
    "KNOWN",
    "STANDARD",
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

STANDARD = ("mrr", "recall@1", "recall@5", "recall@10", "ndcg@10", "median_rank")
"""What an evaluation measures unless told otherwise."""


@dataclass(frozen=True)
class Metric:
    """A measure: its name, what it says in one line, and how it is computed and summed up."""

    name: str
    definition: str
    of: Callable[[Ranks], float]
    summary: Literal["mean", "median"] = "mean"
    """Of the values of all queries."""
    higher_is_better: bool = True

    def values(self, ranked: Iterable[Ranks]) -> NDArray[np.float64]:
        """One value a query, (Q,)."""
        return np.array([self.of(ranks) for ranks in ranked], dtype=np.float64)

    def summarise(self, values: NDArray[np.float64]) -> float:
        """One number for all queries; NaN when there are none."""
        if not len(values):
            return float("nan")
        return float(np.median(values) if self.summary == "median" else np.mean(values))


def reciprocal_rank(ranks: Ranks, k: int | None = None) -> float:
    """1 / rank of the first relevant document, 0 if that is beyond `k` (Voorhees, "The TREC-8 question answering
    track report", 1999). The mean over queries is the MRR.
    """
    return 1 / ranks.first if k is None or ranks.first <= k else 0.0


def recall(ranks: Ranks, k: int) -> float:
    """1 if any relevant document is among the first `k`, else 0.

    What the literature on CLIP calls Recall@k (Radford et al., "Learning transferable visual models from natural
    language supervision", 2021) and trec_eval success; the fraction found is `fraction_recall`.
    """
    return float(ranks.first <= k)


def fraction_recall(ranks: Ranks, k: int) -> float:
    """The share of the relevant documents that are among the first `k`: recall as in trec_eval (`recall_k`)."""
    return float((ranks.ranks <= k).mean()) if len(ranks.ranks) else 0.0


def precision(ranks: Ranks, k: int) -> float:
    """The relevant documents among the first `k`, divided by `k` even when fewer were ranked (trec_eval's `P_k`)."""
    return float((ranks.ranks <= k).sum()) / k


def average_precision(ranks: Ranks) -> float:
    """The mean, over all relevant documents, of the precision at the rank of each; 0 for one that was never ranked.

    trec_eval's `map` for one query (Buckley and Voorhees, "Retrieval system evaluation", in TREC, 2005).
    """
    if not len(ranks.ranks):
        return 0.0
    found = np.arange(1, len(ranks.ranks) + 1)  # (R,) relevant documents down to and with each
    return float((found / ranks.ranks).mean())


def ndcg(ranks: Ranks, k: int | None = None) -> float:
    """Discounted cumulated gain of the first `k`, divided by that of the best possible order.

    A document of grade g at rank r gains g / log2(r + 1): linear gain, as trec_eval's `ndcg_cut_k` has it, not 2^g - 1
    (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with the discount of
    Burges et al., "Learning to rank using gradient descent", ICML 2005).
    """
    depth = np.inf if k is None else k
    best = np.sort(ranks.grades)[::-1]  # (R,)
    places = np.arange(1, len(best) + 1)
    ideal = float((best / np.log2(places + 1))[places <= depth].sum())
    gained = float((ranks.grades / np.log2(ranks.ranks + 1))[ranks.ranks <= depth].sum())
    return gained / ideal if ideal else 0.0


def first_rank(ranks: Ranks) -> float:
    """The rank of the first relevant document."""
    return ranks.first


_NOTE = "ties count against the system, a query without an answer counts as 0"

_FAMILIES: dict[str, tuple[Callable[[Ranks, int], float], str]] = {
    "mrr": (reciprocal_rank, "mean of 1 / rank of the first relevant document, 0 beyond rank {k}"),
    "recall": (recall, "share of queries with any relevant document among the first {k}"),
    "fraction_recall": (fraction_recall, "mean share of the relevant documents that are among the first {k}"),
    "p": (precision, "mean share of relevant documents among the first {k}"),
    "ndcg": (ndcg, "mean normalised discounted cumulated gain of the first {k}; linear gain, log2 discount"),
}

_WHOLE: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mrr", f"mean of 1 / rank of the first relevant document; {_NOTE}", reciprocal_rank),
        Metric("map", f"mean of average precision over the whole ranking; {_NOTE}", average_precision),
        Metric("ndcg", f"mean normalised discounted cumulated gain of the whole ranking; {_NOTE}", ndcg),
        Metric(
            "median_rank",
            "median over queries of the rank of the first relevant document; ties count against the system, a query "
            "without an answer ranks infinitely low",
            first_rank,
            summary="median",
            higher_is_better=False,
        ),
        Metric(
            "mean_rank",
            "mean over queries of the rank of the first relevant document; ties count against the system, a query "
            "without an answer makes it infinite",
            first_rank,
            higher_is_better=False,
        ),
    )
}

_ALIASES = {"hit": "recall", "success": "recall", "precision": "p"}

KNOWN = (*_WHOLE, *(f"{name}@k" for name in _FAMILIES))
"""Every name, with k for a whole number from 1."""


def parse_metric(name: str) -> Metric:
    """The measure called `name`: `mrr`, `mrr@10`, `recall@5`, `fraction_recall@5`, `p@10`, `map`, `ndcg@10`, ...

    `success@k` and `hit@k` are other names for `recall@k`. Raises `UnknownMetric`.
    """
    wanted = name.strip().lower()
    if wanted in _WHOLE:
        return _WHOLE[wanted]
    parts = re.fullmatch(r"([a-z_]+)@([1-9][0-9]{0,8})", wanted)
    family = _ALIASES.get(parts[1], parts[1]) if parts else ""
    if parts is None or family not in _FAMILIES:
        raise UnknownMetric(name, KNOWN)
    measure, definition = _FAMILIES[family]
    k = int(parts[2])
    return Metric(f"{family}@{k}", f"{definition.format(k=k)}; {_NOTE}", lambda ranks: measure(ranks, k))


def parse_metrics(names: Sequence[str] = STANDARD) -> tuple[Metric, ...]:
    """The measures of these names, each once, in order."""
    metrics = [parse_metric(name) for name in names]
    return tuple({metric.name: metric for metric in metrics}.values())
