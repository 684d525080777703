"""A gallery of vectors, read a block at a time, so that it need not fit into memory."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import EvaluationError

__all__ = ["Gallery", "blocks"]

Gallery: TypeAlias = NDArray[np.floating] | Iterable[NDArray[np.floating]]
"""(N, D) vectors, mapped from a file if they are many, or anything that yields them as (n, D) blocks, again and again
from the first one each time it is asked: a list, or an object with `__iter__`, but no generator, which runs once."""


def blocks(gallery: Gallery, size: int, dim: int | None = None) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Runs of at most `size` rows: the row each starts with, and its vectors (n, D), in 32 bits.

    Raises `EvaluationError` for a generator, for values that cannot be ranked, and when D is not `dim`.
    """
    start = 0
    for part in _parts(gallery):
        for first in range(0, len(part), size):
            block = np.ascontiguousarray(part[first : first + size], dtype=np.float32)  # (n, D)
            if block.ndim != 2 or not np.isfinite(block).all():
                raise EvaluationError(f"rows {start} to {start + len(block) - 1} are not all vectors of finite numbers")
            if dim is not None and block.shape[1] != dim:
                raise EvaluationError(f"the queries have {dim} dimensions and those of the gallery {block.shape[1]}")
            yield start, block
            start += len(block)


def _parts(gallery: Gallery) -> Iterable[NDArray[np.floating]]:
    if isinstance(gallery, np.ndarray):
        return [gallery]
    if isinstance(gallery, Iterator):
        raise EvaluationError("a gallery is read more than once; an iterator runs only once")
    return gallery
