"""Files of vectors as other programs write them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from store import Library
from store.exchange import ImportSettings, ImportSummary, import_vectors, open_vectors

Vectors = NDArray[np.floating]


def unit_vectors(count: int, dim: int = 8, dtype: str = "float32", seed: int = 0) -> Vectors:
    """(count, dim) random vectors of unit length, rounded to `dtype`."""
    raw = np.random.default_rng(seed).normal(size=(count, dim))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(dtype)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., tuple[Path, Path | None]]:
    """Writes `vectors.npy` and, if there are names, `names.txt`."""

    def writer(vectors: Vectors, names: Sequence[bytes] | None = None) -> tuple[Path, Path | None]:
        np.save(tmp_path / "vectors.npy", vectors)
        if names is None:
            return tmp_path / "vectors.npy", None
        (tmp_path / "names.txt").write_bytes(b"".join(name + b"\n" for name in names))
        return tmp_path / "vectors.npy", tmp_path / "names.txt"

    return writer


@pytest.fixture
def take(library: Library, write: Callable[..., Any]) -> Callable[..., ImportSummary]:
    """Imports vectors as the space `elsewhere`, or as it is called."""

    def taker(
        vectors: Vectors,
        names: Sequence[bytes] | None = None,
        *,
        space: str = "elsewhere",
        as_paths: bool = False,
        **settings: Any,
    ) -> ImportSummary:
        file, listed = write(vectors, names)
        source = open_vectors(file, listed, as_paths=as_paths)
        with library.exclusive() as writer:
            return import_vectors(writer, source, space, ImportSettings(**settings))

    return taker
