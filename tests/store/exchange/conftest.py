"""Files of vectors as other programs write them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store import Library
from store.exchange import ImportSettings, ImportSummary, import_vectors, open_vectors
from tests.support.vectors import Vectors


@pytest.fixture
def write_vectors(tmp_path: Path) -> Callable[..., tuple[Path, Path | None]]:
    """Write `vectors.npy` and, with names, `names.txt`; return their paths."""

    def writer(vectors: Vectors, names: Sequence[bytes] | None = None) -> tuple[Path, Path | None]:
        np.save(tmp_path / "vectors.npy", vectors)
        if names is None:
            return tmp_path / "vectors.npy", None
        (tmp_path / "names.txt").write_bytes(b"".join(name + b"\n" for name in names))
        return tmp_path / "vectors.npy", tmp_path / "names.txt"

    return writer


@pytest.fixture
def import_space(library: Library, write_vectors: Callable[..., Any]) -> Callable[..., ImportSummary]:
    """Import vectors as the space `elsewhere`, or as `space`."""

    def importer(
        vectors: Vectors,
        names: Sequence[bytes] | None = None,
        *,
        space: str = "elsewhere",
        as_paths: bool = False,
        **settings: Any,
    ) -> ImportSummary:
        file, listed = write_vectors(vectors, names)
        source = open_vectors(file, listed, as_paths=as_paths)
        return import_vectors(library, source, space, ImportSettings(**settings))

    return importer
