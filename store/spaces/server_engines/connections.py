"""Indexes with an engine on a server, for a process that searches."""

from dataclasses import dataclass, replace
from functools import partial
from threading import Lock

import numpy as np
from sqlalchemy import Connection

from store.catalog import change_feed
from store.catalog.frame_ids import number_of
from store.library import Library
from store.spaces import index_cache
from store.spaces.catalogue_index import CatalogueIndex
from store.spaces.current_index import (
    FULL_COMPARISON_FACTOR,
    CurrentIndex,
    bring_up_to_date,
    require_revision,
)
from store.spaces.embeddings import searchable_ids
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.address import EngineAddress
from store.spaces.server_engines.engine import EngineState, VectorEngine
from store.spaces.server_engines.feed_marks import changes_since
from store.spaces.server_engines.opening import chosen_address, open_engine
from store.spaces.server_engines.server_index import EngineHealth, EngineLink, ServedSpace, ServerIndex

__all__ = ["EngineConnections"]

MAX_PENDING = 20_000
"""Contents that an engine may be behind. They are all scored for each query."""


@dataclass(frozen=True)
class _Connection:
    engine: VectorEngine
    health: EngineHealth


class EngineConnections:
    """Loads indexes of a library, and keeps the connections to their engine. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._opening = Lock()
        self._open: dict[tuple[EngineAddress, int, str], _Connection] = {}

    def load(self, stored: StoredSpace, before: CurrentIndex | None = None) -> CurrentIndex:
        """Return the current index, as `index_cache.load` does; if an engine on a server is chosen, one that asks it.

        This machine needs no copy of the vectors if the engine can be used. If there is one, it is used for everything
        that is exact. Raises `SpaceDropped`, `UnknownIndexEngine`, `IndexEngineUnavailable` if the address makes no
        sense for this library, and `ExtraMissing`.
        """
        address = chosen_address()
        if before is not None and isinstance(before.index, ServerIndex):
            before = replace(before, index=before.index.base)
        if address is None:
            return index_cache.load(self._library, stored, before)
        connection = self._connection(stored, address)
        connect = partial(_served, self._library, stored, connection.engine)
        probe = ServerIndex(CatalogueIndex(self._library, stored, np.empty(0, np.int64)), _link(connection, connect))
        if index_cache.published_file(self._library, stored) is None and probe.connect() is not None:
            current = _without_file(self._library, stored, before)
        else:
            current = index_cache.load(self._library, stored, before)
        if current.position is None:
            return current
        connect = partial(_served, self._library, stored, connection.engine, current)
        reached = _reached(self._library, stored, current.position)
        index = ServerIndex(current.index, _link(connection, connect, reached))
        index.connect()
        return replace(current, index=index)

    def close(self) -> None:
        """Close the connections. They are opened again when an index needs them."""
        with self._opening:
            for connection in self._open.values():
                connection.engine.close()

    def _connection(self, stored: StoredSpace, address: EngineAddress) -> _Connection:
        key = (address, stored.id, stored.space.fingerprint)
        with self._opening:
            if key not in self._open:
                self._open[key] = _Connection(open_engine(self._library, stored, address), EngineHealth())
            return self._open[key]


def _link(connection: _Connection, connect: "partial[ServedSpace | None]", position: int = 0) -> EngineLink:
    return EngineLink(connection.health, connect, position)


def _served(
    library: Library, stored: StoredSpace, engine: VectorEngine, current: CurrentIndex | None = None
) -> ServedSpace | None:
    """Return what an engine has, and what has changed since; None if that is too little or too bad to be used.

    With `current`, the number of vectors is compared, too: that of another library may have the same position.
    """
    served = _with_state(library, stored, engine, engine.state(), current)
    if served is None:  # what was read may be an earlier state
        served = _with_state(library, stored, engine, engine.state(fresh=True), current)
    return served


def _with_state(
    library: Library,
    stored: StoredSpace,
    engine: VectorEngine,
    state: EngineState | None,
    current: CurrentIndex | None,
) -> ServedSpace | None:
    """As `_served`. The change feed is read after `state`, and therefore has all that the engine has."""
    if state is None or not state.is_usable:
        return None
    with library.read() as connection:
        changes = changes_since(connection, stored.id, state.position, state.mark)
        is_same = current is not None and _is_same(connection, stored, state, current)
    if changes is None or len(changes.contents) > MAX_PENDING:
        return None
    if current is not None:
        if is_same and state.vectors != len(current.index):
            return None
        if len(changes.contents) * FULL_COMPARISON_FACTOR > len(current.index):
            return None
    return ServedSpace(engine, state, changes.contents)


def _is_same(connection: Connection, stored: StoredSpace, state: EngineState, current: CurrentIndex) -> bool:
    """Return whether nothing has changed since the earlier of an engine and an index, so that they have the same."""
    if current.position is None:
        return False
    changes = change_feed.changes_after(connection, stored.id, min(state.position, current.position))
    return changes is not None and not len(changes.contents)


def _reached(library: Library, stored: StoredSpace, position: int) -> int:
    """Return the last position at which a space is the same as at `position`."""
    with library.read() as connection:
        changes = change_feed.changes_after(connection, stored.id, position)
        if changes is None or len(changes.contents):
            return position
        return change_feed.position(connection)


def _without_file(library: Library, stored: StoredSpace, before: CurrentIndex | None) -> CurrentIndex:
    """Return an index of the IDs, whose vectors stay in the catalogue."""
    if before is not None and isinstance(before.index, CatalogueIndex):
        current = bring_up_to_date(library, stored, before)
    else:
        with library.read() as connection:
            ids = searchable_ids(connection, stored)
            current = CurrentIndex(
                CatalogueIndex(library, stored, ids),
                require_revision(connection, stored),
                published=True,
                position=change_feed.position(connection),
                known_further_frames=ids[number_of(ids) > 0],
            )
    return replace(current, published=True, changed=False)  # there is no file to write
