"""Exact search on a GPU with PyTorch, for large libraries and for many queries at once.

It was tested with `torch.device("cpu")`. It has not run on a card yet; tests marked `gpu` check it there.
"""

import os
import sys
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.flat_index import FlatIndex
from store.spaces.mirrored_index import Mirror, MirroredIndex

if TYPE_CHECKING:
    import torch

__all__ = ["INDEX_DEVICE_VARIABLE", "TorchIndex", "TorchMirror"]

INDEX_DEVICE_VARIABLE = "SIGHTLINE_INDEX_DEVICE"
"""Environment variable with the PyTorch device of the index engine `torch`: cuda (default), cuda:1, mps, cpu."""

BLOCK_NUMBERS = 1 << 26
"""Numbers in the largest temporary array: 256 MiB in float32. There are about three of them at once."""
MAX_QUERIES = 1024
"""Queries that are compared with a block of vectors at once."""


class TorchIndex(MirroredIndex):
    """Exact search on a device of PyTorch; on the processor if PyTorch or the device cannot be used."""

    _when_imported = False

    @classmethod
    def when_imported(cls, flat: FlatIndex) -> Self:
        """Return an index that uses the device as soon as PyTorch has been imported by something else.

        Importing it takes seconds, more than the search of a single query on the processor.
        """
        self = cls.over(flat)
        self._when_imported = True
        return self

    def copy(self) -> Self:
        """Return a copy in memory."""
        other = super().copy()
        other._when_imported = self._when_imported
        return other

    def _make_mirror(self, flat: FlatIndex) -> Mirror | None:
        if self._when_imported and "torch" not in sys.modules:
            return None
        import torch

        return TorchMirror(flat.stored(), torch.device(os.environ.get(INDEX_DEVICE_VARIABLE) or "cuda"))


class TorchMirror:
    """The vectors (N, D) of an index, float16 or float32, on `device`. Scores are computed in float32."""

    def __init__(self, vectors: NDArray[np.floating], device: "torch.device") -> None:
        import torch

        kind = torch.float16 if vectors.dtype == np.float16 else torch.float32
        self._device = device
        self._vectors = torch.empty(vectors.shape, dtype=kind, device=device)
        step = max(1, BLOCK_NUMBERS // max(vectors.shape[1], 1))
        for start in range(0, len(vectors), step):
            # Copied, because the index may be mapped from a file that PyTorch must not write to.
            self._vectors[start : start + step] = torch.from_numpy(vectors[start : start + step].copy()).to(device)

    def best(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None) -> Ids:
        """Return the rows (Q, K) of the `k` best vectors for each query."""
        import torch

        with torch.inference_mode():
            forbidden = self._forbidden(allowed)
            rows = [
                self._best(self._on_device(queries[start : start + MAX_QUERIES]), k, forbidden)
                for start in range(0, len(queries), MAX_QUERIES)
            ]
        return np.concatenate(rows)

    def at_least(self, query: NDArray[np.float32], min_score: float, allowed: NDArray[np.bool_] | None) -> Ids:
        """Return the rows (n,) that score at least `min_score`."""
        import torch

        with torch.inference_mode():
            forbidden, one = self._forbidden(allowed), self._on_device(query[None])
            rows = [start + (scores[0] >= min_score).nonzero()[:, 0] for start, scores in self._blocks(one, forbidden)]
            found: Ids = torch.cat(rows).cpu().numpy()
        return found

    def _best(self, queries: Any, k: int, forbidden: Any) -> Ids:
        """As `best`, for queries (q, D) on the device: the best of each block are merged with those before."""
        import torch

        best = torch.empty((len(queries), 0), device=self._device)  # (q, at most k)
        rows = torch.empty((len(queries), 0), dtype=torch.int64, device=self._device)
        for start, scores in self._blocks(queries, forbidden):
            block, places = scores.topk(min(k, scores.shape[1]), sorted=False)
            best, rows = torch.cat([best, block], dim=1), torch.cat([rows, start + places], dim=1)
            best, places = best.topk(min(k, best.shape[1]), sorted=False)
            rows = rows.gather(1, places)
        found: Ids = rows.masked_fill(best.isneginf(), -1).cpu().numpy()
        return found

    def _blocks(self, queries: Any, forbidden: Any) -> Any:
        """Yield the first row of each block of vectors, and the scores (q, n) of `queries` (q, D) in float32."""
        step = max(1, BLOCK_NUMBERS // max(len(queries), queries.shape[1]))
        for start in range(0, len(self._vectors), step):
            scores = queries @ self._vectors[start : start + step].float().T  # (q, n)
            if forbidden is not None:
                scores.masked_fill_(forbidden[start : start + step], -np.inf)
            yield start, scores

    def _forbidden(self, allowed: NDArray[np.bool_] | None) -> Any:
        import torch

        return None if allowed is None else torch.from_numpy(~allowed).to(self._device)

    def _on_device(self, queries: NDArray[np.float32]) -> Any:
        import torch

        return torch.from_numpy(queries.astype(np.float32)).to(self._device)
