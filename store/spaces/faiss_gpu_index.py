"""Exact search on an NVIDIA GPU with the GPU build of FAISS (the `gpu` extra).

Untested on a card: what is specific to the GPU build has only been checked against its interface.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.catalog.id_sets import Ids
from store.spaces.faiss_build import faiss_build
from store.spaces.flat_index import FlatIndex
from store.spaces.mirrored_index import Mirror, MirroredIndex

__all__ = ["FaissGpuIndex", "FaissMirror"]

MAX_K = 2048
"""The largest number of neighbours that FAISS searches for on a GPU."""


class FaissGpuIndex(MirroredIndex):
    """Exact search on the first GPU of FAISS; on the processor if the installed FAISS has none."""

    def _make_mirror(self, flat: FlatIndex) -> Mirror | None:
        import faiss

        if not faiss_build().gpus:
            raise RuntimeError("the installed FAISS cannot use a GPU")
        # In float32, twice the size of the index: with float16, queries would be rounded, too.
        on_card = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), flat.dim)
        return FaissMirror(flat, on_card)


class FaissMirror:
    """A copy of `flat` in `on_device`, an empty flat FAISS index with inner products."""

    def __init__(self, flat: FlatIndex, on_device: Any, block: int = 65_536) -> None:
        self._on_device = on_device
        for start in range(0, len(flat), block):
            on_device.add(flat.vectors(start, start + block))

    def best(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None) -> Ids | None:
        """Return the rows (Q, K) of the `k` best vectors for each query.

        None for subsets and for more than 2,048 results, which FAISS does not support on a GPU.
        """
        if allowed is not None or k > MAX_K:
            return None
        rows: Ids = self._on_device.search(np.ascontiguousarray(queries, np.float32), k)[1]
        return rows

    def at_least(
        self,
        query: NDArray[np.float32],  # noqa: ARG002 (what every mirror takes)
        min_score: float,  # noqa: ARG002
        allowed: NDArray[np.bool_] | None,  # noqa: ARG002
    ) -> Ids | None:
        """Return None: flat indexes of FAISS have no range search on a GPU."""
        return None
