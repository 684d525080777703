"""Principal components of the teacher's features: fewer numbers to store and to match, with little loss."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["PCA", "fit_pca"]


@dataclass(frozen=True)
class PCA:
    """`(x - mean) @ basis`: mean (D,), basis (D, d). Scaled so that the mean square of an output value is one."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    explained: float
    """Fraction of the variance that the components explain."""

    @property
    def dim(self) -> int:
        """Number of components kept."""
        return int(self.basis.shape[1])

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project (..., D) to (..., d)."""
        return np.asarray((x - self.mean) @ self.basis, dtype=np.float32)

    def save(self, file: Path) -> None:
        """Write to an .npz file."""
        np.savez(file, mean=self.mean, basis=self.basis, explained=self.explained)

    @classmethod
    def load(cls, file: Path) -> "PCA":
        """Read a file written by `save`."""
        with np.load(file) as stored:
            return cls(stored["mean"], stored["basis"], float(stored["explained"]))


def fit_pca(chunks: Iterable[NDArray[np.float32]], dim: int = 256) -> PCA:
    """Fit the first `dim` components of rows in chunks (n, D); only their sums are kept in memory."""
    count, total, products = 0, np.zeros(1), np.zeros((1, 1))
    for chunk in chunks:
        rows = chunk.astype(np.float64)
        count, total, products = count + len(rows), total + rows.sum(0), products + rows.T @ rows
    mean = np.asarray(total / count)  # (D,)
    variances, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))  # ascending
    kept, basis = variances[::-1][:dim], vectors[:, ::-1][:, :dim]  # (d,), (D, d)
    basis = basis / np.sqrt(kept.mean())
    return PCA(mean.astype(np.float32), basis.astype(np.float32), float(kept.sum() / variances.sum()))
