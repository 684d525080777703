"""What an engine on a server still has of spaces that are not in the library any more.

A space can be dropped while its server cannot be reached. Its tables or collections are recognised by the first half of
their names, which is that of the library, and by the change feed: a copy of a library has the same name, and can have
other spaces.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from core.errors import ExtraMissing, IndexEngineNotCleared, IndexEngineUnavailable
from store.library import Library
from store.spaces.registry import StoredSpace, list_spaces
from store.spaces.server_engines.address import EngineAddress
from store.spaces.server_engines.engine import EngineState, EngineTarget, VectorEngine, library_name
from store.spaces.server_engines.feed_marks import is_dropped_here
from store.spaces.server_engines.opening import chosen_address, engine_of, open_engine

__all__ = ["drop_from_engine", "find_leftovers", "remove_leftovers"]


def drop_from_engine(library: Library, stored: StoredSpace, left: Callable[[IndexEngineNotCleared], None]) -> None:
    """Delete what the chosen engine on a server has of a space, if there is one. Call `left` if that fails."""
    address = chosen_address()
    if address is None:
        return
    shown, storage = address.shown, ""
    try:
        engine = open_engine(library, stored, address)
        storage = engine.storage_prefix
        try:
            engine.drop()
        finally:
            engine.close()
    except (IndexEngineUnavailable, ExtraMissing) as exc:
        if storage:  # else it was never used for this library
            left(IndexEngineNotCleared(library.path, shown, str(stored.space), storage, str(exc)))


def find_leftovers(library: Library) -> list[str]:
    """Return what the chosen engine has of spaces that are not in the library: the beginnings of the names of tables.

    Raises `IndexEngineUnavailable`, `ExtraMissing` and `UnknownIndexEngine`.
    """
    with _engines(library) as engines:
        return [engine.storage_prefix for engine in engines]


def remove_leftovers(library: Library) -> list[str]:
    """Delete what `find_leftovers` returns, and return it. Raises the same."""
    removed = []
    with _engines(library) as engines:
        for engine in engines:
            engine.drop()
            removed.append(engine.storage_prefix)
    return removed


@contextmanager
def _engines(library: Library) -> Iterator[Iterator[VectorEngine]]:
    """Yield an engine for each space that is left over."""
    address = chosen_address()
    if address is None:
        yield iter(())
        return
    with library.read() as connection:
        nothing = EngineTarget(library_name(library, connection), dim=1, dtype="float32")
    engine = engine_of(library, address, nothing)
    try:
        yield _left_over(library, address, engine, nothing)
    finally:
        engine.close()


def _left_over(
    library: Library, address: EngineAddress, engine: VectorEngine, nothing: EngineTarget
) -> Iterator[VectorEngine]:
    used = {EngineTarget.of(library, summary.stored).name for summary in list_spaces(library, unfinished=True)}
    for name in sorted(engine.names()):
        if name.startswith(nothing.name) and name not in used:
            target = replace(nothing, name=name)
            found = engine_of(library, address, target)
            try:
                if _is_ours(library, target, found.state(fresh=True)):
                    yield found
            finally:
                found.close()


def _is_ours(library: Library, target: EngineTarget, state: EngineState | None) -> bool:
    with library.read() as connection:
        return is_dropped_here(connection, target.number, None if state is None else state.mark)
