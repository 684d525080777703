"""One file of vectors, however it is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadVectorFile
from store.exchange.names import Name

__all__ = ["BLOCK", "Names", "Part"]

BLOCK = 5_000
"""Vectors read at a time: one statement's worth of names, and 10 MB with 512 dimensions of 32 bits."""


@dataclass(frozen=True)
class Names:
    """Where the names of some vectors are, and how to read them, from the first one each time."""

    path: Path
    read: Callable[[], Iterator[Name]]


@dataclass(frozen=True)
class Part:
    """`count` vectors of `dim` numbers in one file; `blocks` reads them from the first one each time it is called."""

    path: Path
    count: int
    dim: int
    dtype: np.dtype[np.floating]
    blocks: Callable[[], Iterator[NDArray[np.floating]]]
    names: Names | None = None
    """What the file, or one beside it, says of whose they are."""

    def require_like(self, first: "Part") -> None:
        """Raises `BadVectorFile` unless its vectors are as those of the first part."""
        if (self.dim, self.dtype) != (first.dim, first.dtype):
            raise BadVectorFile(
                self.path, f"holds vectors of {self.dim} × {self.dtype}, the first file {first.dim} × {first.dtype}"
            )
