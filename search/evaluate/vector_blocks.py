"""Galleries of vectors that are read a block at a time, so that they need not fit into memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError

__all__ = ["BlockSizes", "VectorBlocks", "iter_blocks", "top_k"]

VectorBlocks: TypeAlias = NDArray[np.floating] | Iterable[NDArray[np.floating]]
"""A gallery of vectors (N, D): an array, for example memory-mapped, or an iterable of (n, D) blocks.

It is read several times, so a generator, which runs only once, is not enough. A list, or an object with `__iter__`, is.
"""


@dataclass(frozen=True)
class BlockSizes:
    """How many queries and gallery vectors are compared at once. Their product times 6 is the memory in bytes."""

    queries: int = 1024
    gallery: int = 4096


def iter_blocks(gallery: VectorBlocks, size: int, dim: int | None = None) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield blocks of at most `size` rows: the number of the first row, and 32-bit vectors (n, D).

    Raises `EvaluationError` for a generator, for values that are not finite, and when D is not `dim`.
    """
    start = 0
    for part in _parts(gallery):
        for first in range(0, len(part), size):
            block = np.ascontiguousarray(part[first : first + size], dtype=np.float32)  # (n, D)
            if block.ndim != 2 or not np.isfinite(block).all():
                raise EvaluationError(
                    f"Rows {start} to {start + len(block) - 1} of the gallery are not vectors of finite numbers."
                )
            if dim is not None and block.shape[1] != dim:
                raise EvaluationError(f"The queries have {dim} dimensions, but the gallery has {block.shape[1]}.")
            yield start, block
            start += len(block)


def top_k(
    queries: NDArray[np.float32], gallery: VectorBlocks, k: int, sizes: BlockSizes | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return scores and rows of the `k` most similar vectors, best first: both (Q, k), or (Q, N) if N is less.

    `queries` (Q, D) and `gallery` (N, D) are unit vectors. Of equal scores the lower row comes first. Scores are
    32-bit products; `relevant_ranks` decides near ties more exactly. Raises `ValueError` for a `k` below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    sizes = sizes or BlockSizes()
    queries = np.ascontiguousarray(queries, dtype=np.float32)  # (Q, D)
    scores = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for start, block in iter_blocks(gallery, sizes.gallery, queries.shape[1]):
        width = min(k, scores.shape[1] + len(block))
        merged = np.empty((len(queries), width), np.float32), np.empty((len(queries), width), np.int64)
        for first in range(0, len(queries), sizes.queries):
            part = slice(first, first + sizes.queries)
            products = queries[part] @ block.T  # (q, n)
            merged[0][part], merged[1][part] = _merge(scores[part], rows[part], products, start, k)
        scores, rows = merged
    order = np.lexsort((rows, -scores), axis=1)
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)


def _parts(gallery: VectorBlocks) -> Iterable[NDArray[np.floating]]:
    if isinstance(gallery, np.ndarray):
        return [gallery]
    if isinstance(gallery, Iterator):
        raise EvaluationError("A gallery is read several times, but an iterator runs only once.")
    return gallery


def _merge(
    scores: NDArray[np.float32], rows: NDArray[np.int64], products: NDArray[np.float32], start: int, k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the best k of the scores so far (q, m) and those of a block (q, n), in no particular order."""
    columns = np.broadcast_to(np.arange(start, start + products.shape[1]), products.shape)
    all_scores = np.concatenate([scores, products], axis=1)  # (q, m + n)
    all_rows = np.concatenate([rows, columns], axis=1)
    if all_scores.shape[1] <= k:
        return all_scores, all_rows
    best = np.argpartition(all_scores, -k, axis=1)[:, -k:]  # (q, k)
    last = np.take_along_axis(all_scores, best[:, :1], axis=1)  # (q, 1)
    for row in np.flatnonzero(np.count_nonzero(all_scores >= last, axis=1) > k):  # more than k are as good as the last
        best[row] = np.lexsort((all_rows[row], -all_scores[row]))[:k]
    return np.take_along_axis(all_scores, best, axis=1), np.take_along_axis(all_rows, best, axis=1)
