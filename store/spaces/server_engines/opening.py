"""Which engine on a server the environment names, and opening it."""

import os
from dataclasses import dataclass

from core.errors import IndexEngineUnavailable
from store.library import Library
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.address import EngineAddress, parse_address
from store.spaces.server_engines.engine import EngineTarget, VectorEngine

__all__ = ["chosen_address", "engine_of", "open_engine"]


def chosen_address() -> EngineAddress | None:
    """Return the engine on a server that `SIGHTLINE_INDEX_ENGINE` names; None if it names none.

    Raises `UnknownIndexEngine`.
    """
    return parse_address(os.environ.get(ENGINE_VARIABLE) or "")


def open_engine(library: Library, stored: StoredSpace, address: EngineAddress) -> VectorEngine:
    """Return the engine at `address` for a space. It connects when it is used.

    Raises `IndexEngineUnavailable` if the address is the database of the library, which has none.
    """
    return engine_of(library, address, EngineTarget.of(library, stored))


def engine_of(library: Library, address: EngineAddress, target: EngineTarget) -> VectorEngine:
    """Return the engine at `address` for a target, as `open_engine` does."""
    if address.kind == "milvus":
        from store.spaces.server_engines.milvus import MilvusEngine

        return MilvusEngine(address, target)
    from store.spaces.server_engines.pgvector import PgvectorEngine

    if address.location:
        return PgvectorEngine(address, target)
    return PgvectorEngine(_database_of(library, address), target)


@dataclass(frozen=True)
class _LibraryDatabase(EngineAddress):
    @property
    def shown(self) -> str:
        return f"{self.kind} in the database of the library"


def _database_of(library: Library, address: EngineAddress) -> EngineAddress:
    from store.catalog.postgresql.backend import PostgresBackend

    if not isinstance(library.backend, PostgresBackend):
        raise IndexEngineUnavailable(address.kind, "the library is not in PostgreSQL, and no other database is named")
    return _LibraryDatabase(address.kind, library.backend.address.url)
