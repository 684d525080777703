"""Logistic regression by Newton's method for the coefficients of a calibration."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit"]

Floats = NDArray[np.floating]

PENALTY = 1e-5
"""Weight of the squared coefficients relative to the mean log loss: enough to keep a perfect separation finite."""


def fit(features: Floats, answered: Floats, weights: Floats, penalty: float = PENALTY) -> Floats:
    """Return coefficients (F + 1,), the constant last, of features (N, F) that predict `answered` (N,).

    `weights` (N,) sum to one; `penalty` is the weight of the squared coefficients, apart from the constant.
    """
    design = np.column_stack([features, np.ones(len(features))]).astype(np.float64)  # (N, F + 1)
    ridge = penalty * np.diag([1.0] * features.shape[1] + [0.0])
    found = np.zeros(design.shape[1])
    for _ in range(100):
        likely = 1 / (1 + np.exp(-design @ found))  # (N,)
        slope = design.T @ (weights * (likely - answered)) + ridge @ found
        bend = (design * (weights * likely * (1 - likely))[:, None]).T @ design + ridge
        step = np.linalg.solve(bend, slope)
        found = found - step
        if np.abs(step).max() < 1e-8:
            break
    return found
