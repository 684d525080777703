"""Hits that differ from each other: maximal marginal relevance.

Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing summaries"
(SIGIR 1998): the next hit is the one with the largest

    lambda * similarity to the query - (1 - lambda) * largest similarity to a hit that is shown already

Words are less similar to any picture than pictures are to each other. Were both cosines weighed as they are, what is
least like the first hit would come second, whatever it shows. So the candidates' similarity to the query is stretched
first: 1 for the best of them, 0 for the last.
"""

import math

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery

__all__ = ["BALANCE", "POOL", "checked", "diverse_order", "stretched"]

BALANCE = 0.5
"""Lambda unless one is given: 1 ranks by similarity alone, 0 by difference alone (after the first)."""
POOL = 5
"""So many candidates are looked at for each hit that is wanted, and `POOL_LEAST` at least."""
POOL_LEAST = 20


def checked(balance: float) -> float:
    """`balance`, if it can be one. Raises `InvalidQuery`."""
    if not (math.isfinite(balance) and 0 <= balance <= 1):
        raise InvalidQuery(f"{balance:g} cannot balance likeness and difference: give a number from 0 to 1")
    return balance


def stretched(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """`scores` (n,) from 0 for the lowest to 1 for the highest; all 1 where they are equal."""
    wide = np.asarray(scores, np.float64)
    span = wide.max() - wide.min()
    return np.asarray((wide - wide.min()) / span if span > 0 else np.ones(len(wide)))


def diverse_order(scores: NDArray[np.floating], vectors: NDArray[np.float32], k: int, balance: float) -> list[int]:
    """Which `k` candidates to show, in order, as rows of `scores` (n,) and of their unit `vectors` (n, D)."""
    likeness = np.asarray(scores, np.float64)  # (n,)
    nearest = np.zeros(len(likeness))  # to what is chosen; nothing is, at first
    chosen: list[int] = []
    left = np.ones(len(likeness), bool)
    while len(chosen) < min(k, len(likeness)):
        merit = np.where(left, balance * likeness - (1 - balance) * nearest, -np.inf)  # (n,)
        best = int(np.argmax(merit)) if chosen else int(np.argmax(likeness))
        chosen.append(best)
        left[best] = False
        similar = (vectors @ vectors[best]).astype(np.float64)  # (n,)
        nearest = similar if len(chosen) == 1 else np.maximum(nearest, similar)
    return chosen
