"""The first k of a gallery for each query, a block at a time. For run files, and for looking at what was found."""

import numpy as np
from numpy.typing import NDArray

from search.evaluate.gallery_blocks import Gallery, blocks
from search.evaluate.ranks import BlockSizes

__all__ = ["top_k"]


def top_k(
    queries: NDArray[np.float32], gallery: Gallery, k: int, sizes: BlockSizes | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores and rows of the `k` most similar vectors, both (Q, k) or (Q, N) if there are fewer; best first.

    `queries` (Q, D) and `gallery` (N, D) are unit vectors. Of equal scores the lower row comes first. Scores are
    32-bit products; `relevant_ranks` decides near ties more exactly. Raises `ValueError` for a `k` below 1.
    """
    if k < 1:
        raise ValueError(f"the first {k} cannot be taken")
    sizes = sizes or BlockSizes()
    queries = np.ascontiguousarray(queries, dtype=np.float32)  # (Q, D)
    scores = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for start, block in blocks(gallery, sizes.gallery, queries.shape[1]):
        width = min(k, scores.shape[1] + len(block))
        merged = np.empty((len(queries), width), np.float32), np.empty((len(queries), width), np.int64)
        for first in range(0, len(queries), sizes.queries):
            part = slice(first, first + sizes.queries)
            found = queries[part] @ block.T  # (q, n)
            merged[0][part], merged[1][part] = _merged(scores[part], rows[part], found, start, k)
        scores, rows = merged
    order = np.lexsort((rows, -scores), axis=1)
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)


def _merged(
    scores: NDArray[np.float32], rows: NDArray[np.int64], found: NDArray[np.float32], start: int, k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The best k of what is known, (q, m), and of a block's scores (q, n); in no order."""
    columns = np.broadcast_to(np.arange(start, start + found.shape[1]), found.shape)
    everything = np.concatenate([scores, found], axis=1)  # (q, m + n)
    of_rows = np.concatenate([rows, columns], axis=1)
    if everything.shape[1] <= k:
        return everything, of_rows
    best = np.argpartition(everything, -k, axis=1)[:, -k:]  # (q, k)
    last = np.take_along_axis(everything, best[:, :1], axis=1)  # (q, 1)
    for row in np.flatnonzero(np.count_nonzero(everything >= last, axis=1) > k):  # equals of the last are left out
        best[row] = np.lexsort((of_rows[row], -everything[row]))[:k]
    return np.take_along_axis(everything, best, axis=1), np.take_along_axis(of_rows, best, axis=1)
