"""Retrieval scores of a set of ranks, for the training log and the final evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scores", "pessimistic_ranks"]


@dataclass(frozen=True)
class Scores:
    """Means over `n` queries, each with one right picture."""

    n: int
    recall_1: float
    recall_5: float
    recall_10: float
    mrr: float
    median_rank: float

    @classmethod
    def of(cls, ranks: NDArray[np.int64]) -> "Scores":
        """Scores of ranks counted from 1."""
        one, five, ten = (float((ranks <= k).mean()) for k in (1, 5, 10))
        return cls(len(ranks), one, five, ten, float((1 / ranks).mean()), float(np.median(ranks)))


def pessimistic_ranks(
    texts: NDArray[np.float32], pictures: NDArray[np.float32], owners: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rank from 1 of picture owners[i] for text i: texts (Q, D), pictures (N, D). Ties count against us."""
    scores = texts @ pictures.T  # (Q, N)
    right = scores[np.arange(len(texts)), owners][:, None]  # (Q, 1)
    return np.asarray((scores >= right).sum(1), dtype=np.int64)
