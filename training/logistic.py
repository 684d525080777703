"""Logistic regression by Newton's method for the two coefficients of a calibration, and the area under the curve."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["auc", "fit"]

Floats = NDArray[np.floating]

_PENALTY = 1e-5
"""Weight of the squared coefficients relative to the mean log loss: enough to keep a perfect separation finite."""


def fit(features: Floats, answered: Floats, weights: Floats) -> Floats:
    """Return coefficients (F + 1,), the constant last, of features (N, F) that predict `answered` (N,).

    `weights` (N,) sum to one.
    """
    design = np.column_stack([features, np.ones(len(features))]).astype(np.float64)  # (N, F + 1)
    penalty = _PENALTY * np.diag([1.0] * features.shape[1] + [0.0])
    found = np.zeros(design.shape[1])
    for _ in range(100):
        likely = 1 / (1 + np.exp(-design @ found))  # (N,)
        slope = design.T @ (weights * (likely - answered)) + penalty @ found
        bend = (design * (weights * likely * (1 - likely))[:, None]).T @ design + penalty
        step = np.linalg.solve(bend, slope)
        found = found - step
        if np.abs(step).max() < 1e-8:
            break
    return found


def auc(positive: Floats, negative: Floats) -> float:
    """Return how often a value of `positive` is above one of `negative`; ties count half (Mann and Whitney, 1947)."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / 2 / len(negative))
