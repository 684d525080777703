"""The table of index engines, and the one place that chooses the engine of a space.

An engine on a server (`store.spaces.server_engines`) ranks beside an index in a file, which is then a flat one.
"""

import os
from pathlib import Path

from core.errors import UnknownIndexEngine
from core.plugins import PluginTable
from store.spaces.layer_files import MANIFEST_SUFFIX, open_layers, read_manifest
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.address import FORMS, KINDS, parse_address
from store.spaces.vector_index import DerivedIndex, VectorIndex

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "ENGINE_VARIABLE",
    "approximate_from",
    "chosen_engine",
    "index_engine",
    "new_index",
    "open_index",
]

ENGINE_VARIABLE = "SIGHTLINE_INDEX_ENGINE"
"""Environment variable that names the index engine to use."""

AUTO = "auto"
"""The default engine: exact search, and inverted lists for large libraries."""
APPROXIMATE_FROM = 1_000_000
"""Vectors from which `auto` uses inverted lists. Exact search of as many takes 10 to 40 ms."""

DEFAULT_ENGINE = "flat"

ENGINES: PluginTable[type[VectorIndex]] = PluginTable(
    "sightline.index_engines",
    {
        "flat": "store.spaces.flat_index:FlatIndex",
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
    name = chosen_engine() or DEFAULT_ENGINE
    engine = ENGINES.get(DEFAULT_ENGINE if name in KINDS else name)
    if engine is None:
        kind, colon, _ = name.partition(":")  # what follows may be an address with a password
        raise UnknownIndexEngine(f"{kind}:..." if colon else name, _known(AUTO))
    return engine


def _known(*auto: str) -> tuple[str, ...]:
    return (*auto, *ENGINES.names(), *FORMS)


def new_index(stored: StoredSpace) -> VectorIndex:
    """Return an empty index for the vectors of a space."""
    return index_engine()(stored.space.dim, stored.dtype)


def chosen_engine() -> str | None:
    """Return the engine that `SIGHTLINE_INDEX_ENGINE` names; None for `auto`, which is the default.

    Of an engine on a server this is the name without the address. Raises `UnknownIndexEngine` if that is no address.
    """
    name = os.environ.get(ENGINE_VARIABLE) or AUTO
    if name == AUTO or name.startswith(f"{AUTO}:"):
        return None
    address = parse_address(name)
    return name if address is None else address.kind


def approximate_from() -> int | None:
    """Return the number of vectors from which inverted lists are used; None for never.

    It is a million, or N if `SIGHTLINE_INDEX_ENGINE` is `auto:N`. Raises `UnknownIndexEngine` if N is not a number.
    """
    name = os.environ.get(ENGINE_VARIABLE) or AUTO
    if chosen_engine() is not None:
        return None
    number = name.removeprefix(AUTO).removeprefix(":")
    if number and not (number.isascii() and number.isdigit()):
        raise UnknownIndexEngine(name, _known(AUTO, f"{AUTO}:NUMBER"))
    return int(number or APPROXIMATE_FROM)


def open_index(stored: StoredSpace, path: Path, *, mapped: bool = False) -> DerivedIndex:
    """Return the index of a space that was written to `path`; see `VectorIndex.read`.

    Raises `OSError` or `RuntimeError` if it is damaged or belongs to another engine, and `IndexFault` for the files of
    a layered index.
    """
    if path.suffix != MANIFEST_SUFFIX:
        index: DerivedIndex = index_engine().read(path, mapped=mapped)
    elif chosen_engine() is not None:
        raise RuntimeError(f"of the approximate engine, but {ENGINE_VARIABLE} names another one")
    else:
        index = open_layers(path.parent, read_manifest(path))
    if index.dim != stored.space.dim:
        raise OSError(f"vectors of {index.dim} dimensions, where {stored.space} has {stored.space.dim}")
    return index
