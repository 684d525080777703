"""The table of index engines, and the one place that chooses the engine of a space."""

import os
from pathlib import Path

from core.errors import UnknownIndexEngine
from core.plugins import PluginTable
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import VectorIndex

__all__ = ["DEFAULT_ENGINE", "ENGINES", "ENGINE_VARIABLE", "index_engine", "new_index", "open_index"]

ENGINE_VARIABLE = "SIGHTLINE_INDEX_ENGINE"
"""Environment variable that names the index engine to use."""

DEFAULT_ENGINE = "flat"

ENGINES: PluginTable[type[VectorIndex]] = PluginTable(
    "sightline.index_engines",
    {
        "flat": "store.spaces.vector_index:FlatIndex",
        "torch": "store.spaces.torch_index:TorchIndex",
        "faiss-gpu": "store.spaces.faiss_gpu_index:FaissGpuIndex",
    },
    accepts=lambda loaded: isinstance(loaded, type) and issubclass(loaded, VectorIndex),
)
"""Index engines by name."""


def index_engine() -> type[VectorIndex]:
    """Return the engine named by `SIGHTLINE_INDEX_ENGINE`, else exact search.

    All spaces have the same engine. The built-in engines share one file format. A file in another format cannot be
    opened, and is then rebuilt from the catalogue. Raises `UnknownIndexEngine` and `PluginError`.
    """
    name = os.environ.get(ENGINE_VARIABLE) or DEFAULT_ENGINE
    engine = ENGINES.get(name)
    if engine is None:
        raise UnknownIndexEngine(name, ENGINES.names())
    return engine


def new_index(stored: StoredSpace) -> VectorIndex:
    """Return an empty index for the vectors of a space."""
    return index_engine()(stored.space.dim, stored.dtype)


def open_index(stored: StoredSpace, path: Path, *, mapped: bool = False) -> VectorIndex:
    """Return the index of a space that was written to `path`; see `VectorIndex.read`."""
    index = index_engine().read(path, mapped=mapped)
    if index.dim != stored.space.dim:
        raise OSError(f"vectors of {index.dim} dimensions, where {stored.space} has {stored.space.dim}")
    return index
