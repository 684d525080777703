"""Random unit vectors, for tests that import or search vectors."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from store.exchange import ItemName, VectorSource

__all__ = ["Vectors", "everything", "unit_vectors"]

Vectors: TypeAlias = NDArray[np.floating]


def unit_vectors(count: int, dim: int = 8, dtype: str = "float32", seed: int = 0) -> Vectors:
    """Return (count, dim) random vectors of unit length, rounded to `dtype`."""
    raw = np.random.default_rng(seed).normal(size=(count, dim))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(dtype)


def everything(source: VectorSource) -> tuple[list[ItemName], Vectors]:
    """Return all names and vectors of a source."""
    blocks = list(source)
    return [name for names, _ in blocks for name in names], np.concatenate([vectors for _, vectors in blocks])
