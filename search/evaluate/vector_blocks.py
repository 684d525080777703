"""Galleries of vectors that are read a block at a time, so that they need not fit into memory.

A document of a gallery has one vector, or one for each of its frames. Its score is then that of the best frame, as in a
search.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError

__all__ = [
    "BlockSizes",
    "DocumentBlock",
    "FrameGallery",
    "PartialGallery",
    "VectorBlocks",
    "best_scores",
    "iter_all_vectors",
    "iter_blocks",
    "iter_documents",
    "top_k",
]

VectorBlocks: TypeAlias = NDArray[np.floating] | Iterable[NDArray[np.floating]]
"""A gallery of vectors (N, D): an array, for example memory-mapped, or an iterable of (n, D) blocks.

It is read several times, so a generator, which runs only once, is not enough. A list, or an object with `__iter__`, is.
A `FrameGallery` has further vectors.
"""


@runtime_checkable
class PartialGallery(Protocol):
    """A gallery that can read some of its documents without the others."""

    def __len__(self) -> int:
        """Return the number of documents."""

    def subset(self, rows: NDArray[np.int64]) -> VectorBlocks:
        """Return a gallery of the documents `rows` (n,), in this order."""


class FrameGallery(ABC):
    """A gallery in which documents have a vector for each of their frames."""

    @property
    @abstractmethod
    def counts(self) -> NDArray[np.int64]:
        """The number of vectors (N,) of each document, at least 1."""

    @abstractmethod
    def __iter__(self) -> Iterator[NDArray[np.floating]]:
        """Yield the vector of the first frame of each document, in blocks (n, D)."""

    @abstractmethod
    def frame_blocks(self, size: int) -> Iterator[tuple[NDArray[np.floating], NDArray[np.int64]]]:
        """Yield all vectors (f, D) of some documents, and how many each has (n,).

        A block has at most `size` vectors, or a single document.
        """


@dataclass(frozen=True)
class DocumentBlock:
    """Some documents of a gallery, with all their vectors."""

    start: int
    """The row of the first document."""
    vectors: NDArray[np.float32]
    """(f, D), those of each document one after another."""
    firsts: NDArray[np.int64] | None = None
    """The place (n,) of each document's first vector in `vectors`; None if each document has one vector."""

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.vectors) if self.firsts is None else len(self.firsts)


@dataclass(frozen=True)
class BlockSizes:
    """How many queries and gallery vectors are compared at once. Each pair of them takes about 10 bytes of memory."""

    queries: int = 1024
    gallery: int = 4096


def iter_blocks(gallery: VectorBlocks, size: int, dim: int | None = None) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield blocks of at most `size` documents: the row of the first, and their first vectors (n, D) in 32 bits.

    Raises `EvaluationError` for a generator, for values that are not finite, and when D is not `dim`.
    """
    start = 0
    for part in _parts(gallery):
        for first in range(0, len(part), size):
            block = _checked(part[first : first + size], start, dim)  # (n, D)
            yield start, block
            start += len(block)


def iter_documents(gallery: VectorBlocks, size: int, dim: int | None = None) -> Iterator[DocumentBlock]:
    """Yield blocks of at most `size` vectors, or of a single document, with all vectors of each document.

    Raises as `iter_blocks` does.
    """
    if not isinstance(gallery, FrameGallery):
        for start, vectors in iter_blocks(gallery, size, dim):
            yield DocumentBlock(start, vectors)
        return
    start = 0
    for vectors, counts in gallery.frame_blocks(size):
        yield DocumentBlock(start, _checked(vectors, start, dim), np.cumsum(counts) - counts)
        start += len(counts)


def iter_all_vectors(gallery: VectorBlocks, size: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the vectors (f, D) of all frames in blocks, and how many came before. Raises as `iter_blocks`."""
    before = 0
    for block in iter_documents(gallery, size):
        yield before, block.vectors
        before += len(block.vectors)


def best_scores(scores: NDArray[np.floating], firsts: NDArray[np.int64] | None) -> NDArray[np.floating]:
    """Return the best score of each document, (..., n), from those of its vectors (..., f).

    `firsts` are the places of the documents' first vectors, as in `DocumentBlock`.
    """
    return scores if firsts is None else np.maximum.reduceat(scores, firsts, axis=-1)


def top_k(
    queries: NDArray[np.float32], gallery: VectorBlocks, k: int, sizes: BlockSizes | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return scores and rows of the `k` most similar documents, best first: both (Q, k), or (Q, N) if N is less.

    `queries` (Q, D) and `gallery` are unit vectors; N is the number of documents. Of equal scores the lower row comes
    first. Scores are 32-bit products; `relevant_ranks` decides near ties more exactly. Raises `ValueError` for a `k`
    below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    sizes = sizes or BlockSizes()
    queries = np.ascontiguousarray(queries, dtype=np.float32)  # (Q, D)
    scores = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for block in iter_documents(gallery, sizes.gallery, queries.shape[1]):
        width = min(k, scores.shape[1] + len(block))
        merged = np.empty((len(queries), width), np.float32), np.empty((len(queries), width), np.int64)
        for first in range(0, len(queries), sizes.queries):
            part = slice(first, first + sizes.queries)
            products = best_scores(queries[part] @ block.vectors.T, block.firsts)  # (q, n)
            merged[0][part], merged[1][part] = _merge(scores[part], rows[part], products, block.start, k)
        scores, rows = merged
    order = np.lexsort((rows, -scores), axis=1)
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)


def _checked(part: NDArray[np.floating], start: int, dim: int | None) -> NDArray[np.float32]:
    block = np.ascontiguousarray(part, dtype=np.float32)  # (n, D)
    if block.ndim != 2 or not np.isfinite(block).all():
        raise EvaluationError(
            f"Rows {start} to {start + len(block) - 1} of the gallery are not vectors of finite numbers."
        )
    if dim is not None and block.shape[1] != dim:
        raise EvaluationError(f"The queries have {dim} dimensions, but the gallery has {block.shape[1]}.")
    return block


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
