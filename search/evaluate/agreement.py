"""Agreement between two people who judged the same pictures: Cohen's kappa.

Cohen, "A coefficient of agreement for nominal scales", 1960. Judgements are right (a grade above 0) or wrong. The
confidence interval resamples queries, because judgements of one query depend on each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.trec import Qrels

__all__ = ["Agreement", "measure_agreement"]

_SEED = 0
_RESAMPLES = 2_000
_LEVEL = 0.95


@dataclass(frozen=True)
class Agreement:
    """How often two people agree on pictures that both have judged."""

    both_right: int
    both_wrong: int
    only_first: int
    """Right for the first person only."""
    only_second: int
    queries: int
    """Queries with pictures that both have judged."""
    low: float
    high: float
    """The interval of kappa (95 %); NaN with a single query."""
    disputed: tuple[tuple[str, str], ...]
    """Queries and documents on which they disagree."""

    @property
    def judged(self) -> int:
        """The number of pictures that both have judged."""
        return self.both_right + self.both_wrong + self.only_first + self.only_second

    @property
    def observed(self) -> float:
        """The share of judgements on which they agree."""
        return (self.both_right + self.both_wrong) / self.judged

    @property
    def kappa(self) -> float:
        """(observed - expected) / (1 - expected); NaN if chance alone makes them agree on everything."""
        table = np.array([self.both_right, self.only_first, self.only_second, self.both_wrong], np.float64)
        return float(_kappas(table[None])[0])


def measure_agreement(first: Qrels, second: Qrels) -> Agreement:
    """Compare the judgements of two people. Raises `EvaluationError` if they have judged no picture in common."""
    tables = []
    disputed: list[tuple[str, str]] = []
    for query in first:
        common = first[query].keys() & second.get(query, {}).keys()
        pairs = [(first[query][document] > 0, second[query][document] > 0) for document in sorted(common)]
        disputed += [(query, name) for name, (one, two) in zip(sorted(common), pairs, strict=True) if one != two]
        if pairs:
            tables.append([pairs.count(pair) for pair in _PAIRS])
    if not tables:
        raise EvaluationError("The two have judged no picture in common.")
    counts = np.array(tables)  # (Q, 4)
    low, high = _interval(counts)
    right, only_first, only_second, wrong = counts.sum(axis=0).tolist()
    return Agreement(right, wrong, only_first, only_second, len(tables), low, high, tuple(disputed))


_PAIRS: Sequence[tuple[bool, bool]] = ((True, True), (True, False), (False, True), (False, False))


def _interval(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the percentile interval of kappa over resampled queries."""
    queries = len(counts)
    if queries < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(queries, np.full(queries, 1 / queries), size=_RESAMPLES)  # (R, Q)
    kappas = _kappas((drawn @ counts).astype(np.float64))  # (R,)
    kappas = kappas[np.isfinite(kappas)]
    if not len(kappas):
        return float("nan"), float("nan")
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(kappas, [tail, 1 - tail]).tolist()
    return low, high


def _kappas(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return kappa (R,) of tables (R, 4) of counts in the order of `_PAIRS`."""
    total = tables.sum(axis=1)  # (R,)
    observed = (tables[:, 0] + tables[:, 3]) / total
    first = (tables[:, 0] + tables[:, 1]) / total  # share that the first takes for right
    second = (tables[:, 0] + tables[:, 2]) / total
    expected = first * second + (1 - first) * (1 - second)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)
