"""Results that differ from each other, by maximal marginal relevance.

Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing summaries"
(SIGIR 1998). The next hit is the one with the largest

    lambda * similarity to the query - (1 - lambda) * largest similarity to a hit already chosen

Texts are less similar to any picture than pictures are to each other. With plain cosines the second hit would be the
picture least similar to the first, regardless of the query. So the candidates' similarity to the query is first
rescaled: 1 for the best of them, 0 for the last.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["diverse_order", "pool_size", "rescaled"]

POOL_FACTOR = 5
"""Diversity chooses from this many candidates per requested hit."""
MIN_POOL = 20


def pool_size(k: int) -> int:
    """Return the number of candidates from which `k` hits are chosen."""
    return max(MIN_POOL, POOL_FACTOR * k)


def rescaled(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rescale `scores` (n,) to 0 for the lowest and 1 for the highest; to 1 if all are equal."""
    wide = np.asarray(scores, np.float64)
    span = wide.max() - wide.min()
    return np.asarray((wide - wide.min()) / span if span > 0 else np.ones(len(wide)))


def diverse_order(scores: NDArray[np.floating], vectors: NDArray[np.float32], k: int, balance: float) -> list[int]:
    """Choose `k` candidates by maximal marginal relevance, in order.

    Returns row numbers of `scores` (n,) and of the candidates' unit `vectors` (n, D). `balance` is lambda.
    """
    to_query = np.asarray(scores, np.float64)  # (n,)
    to_chosen = np.zeros(len(to_query))  # (n,): the largest similarity to a chosen candidate
    chosen: list[int] = []
    remaining = np.ones(len(to_query), bool)
    while len(chosen) < min(k, len(to_query)):
        merit = np.where(remaining, balance * to_query - (1 - balance) * to_chosen, -np.inf)  # (n,)
        best = int(np.argmax(merit)) if chosen else int(np.argmax(to_query))
        chosen.append(best)
        remaining[best] = False
        similarity = (vectors @ vectors[best]).astype(np.float64)  # (n,)
        to_chosen = similarity if len(chosen) == 1 else np.maximum(to_chosen, similarity)
    return chosen
