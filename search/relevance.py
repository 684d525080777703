"""Hits with their relevance, where somebody has measured what their scores mean."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery
from search.calibration import RELEVANT, Calibration, Kind
from search.hits import Hit

__all__ = ["judged", "lowest_relevant"]


def judged(
    hits: Sequence[Hit], vector: NDArray[np.float32], calibration: Calibration | None, kind: Kind | None
) -> list[Hit]:
    """`hits` of the query `vector` (D,) with their relevance; as they are where it is not known."""
    if calibration is None or kind is None:
        return list(hits)
    scores = np.array([hit.score for hit in hits])  # (k,)
    likely = calibration.relevance(scores, vector, kind)  # (k,)
    return [replace(hit, relevance=float(p)) for hit, p in zip(hits, likely, strict=True)]


def lowest_relevant(
    vector: NDArray[np.float32], calibration: Calibration | None, kind: Kind | None, model: str
) -> float:
    """A score that every relevant hit reaches. Raises `InvalidQuery` where nobody has measured which are."""
    if calibration is None or kind is None:
        what = "words and pictures together, regions, or weights of one's own" if calibration else f"the model {model}"
        raise InvalidQuery(f"nobody has measured which scores are relevant for {what}; give a lowest score instead")
    return calibration.score_of(RELEVANT, vector, kind) - 1e-6
