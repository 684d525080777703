"""Bringing an engine up to date with the catalogue.

The process that holds the lock of the space writes to the engine, and no other on any machine. It reads one view of the
catalogue, applies what has changed since the position of the engine, and stores the position of that view with it. An
engine that is too far behind, or was filled from another change feed, is built from all vectors.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from core.errors import ExtraMissing, IndexEngineOutdated, IndexEngineUnavailable, SpaceDropped
from store.catalog import change_feed
from store.catalog.id_sets import Ids
from store.library import Library, mark_changed
from store.spaces import index_cache
from store.spaces.current_index import require_revision
from store.spaces.embeddings import iter_vectors, searchable_among, searchable_ids
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.checking import find_differences
from store.spaces.server_engines.engine import EngineState, VectorEngine
from store.spaces.server_engines.feed_marks import FeedMark, append_mark, changes_since, is_behind
from store.spaces.server_engines.opening import chosen_address, open_engine
from store.spaces.server_engines.recall import measure_engine_recall

__all__ = ["repair_engine", "update_engine"]

REBUILT_SHARE = 1 / 4
"""If more than this share of the vectors has changed, building an index takes less time than changing it."""
MEASURED_AGAIN_SHARE = 0.05
"""Recall is measured again when the number of vectors has changed by this share."""


def update_engine(
    library: Library, stored: StoredSpace, check: Callable[[], None] = lambda: None, *, rebuild: bool = False
) -> bool:
    """Bring the chosen engine on a server up to date; return whether it was built, or its recall was measured.

    `rebuild` builds it from all vectors. `check` is called before each batch of vectors, and may raise to stop. Does
    nothing if no such engine is chosen, and while another process does the same. Raises `IndexEngineUnavailable`,
    `UnknownIndexEngine` and `ExtraMissing`.
    """
    address = chosen_address()
    if address is None:
        return False
    engine = open_engine(library, stored, address)
    try:
        with suppress(SpaceDropped), library.engine_lock_if_free(stored.space.fingerprint) as is_free:
            return is_free and _update(library, stored, engine, check, rebuild)
    finally:
        engine.close()
    return False


def repair_engine(library: Library, stored: StoredSpace) -> bool:
    """Build the chosen engine on a server from all vectors if it differs from the catalogue; return whether it did.

    Raises `IndexEngineOutdated` if that fails.
    """
    try:
        return any(find_differences(library, stored)) and update_engine(library, stored, rebuild=True)
    except (IndexEngineUnavailable, ExtraMissing) as exc:
        raise IndexEngineOutdated(library.path, str(exc)) from exc


def _update(
    library: Library, stored: StoredSpace, engine: VectorEngine, check: Callable[[], None], rebuild: bool
) -> bool:
    before = engine.state(fresh=True)
    state = _with_changes(library, stored, engine, before, check, rebuild)
    if state is None:
        return False
    is_new = before is None or state.storage != before.storage
    changed = abs(state.vectors - state.measured_with)
    is_unknown = state.recall is None or changed > MEASURED_AGAIN_SHARE * state.measured_with
    if state.candidates and state.vectors and is_unknown:
        index = index_cache.load(library, stored).index
        state = measure_engine_recall(library, stored, engine, state, index, check)
        engine.save(state)
        is_new = True
    if is_new:
        _announce(library, stored, check)
    return is_new


def _with_changes(
    library: Library,
    stored: StoredSpace,
    engine: VectorEngine,
    state: EngineState | None,
    check: Callable[[], None],
    rebuild: bool,
) -> EngineState | None:
    """Return the state of the engine after it has got what the catalogue has now; None if there is nothing to have.

    It is built again if it was filled from another history: the folder of the library was restored from a backup, or
    the space was dropped while the server could not be reached. Its mark or its number of vectors shows that.
    """
    mark = _mark(library, stored, state, rebuild)
    with library.read() as connection:
        require_revision(connection, stored)
        position = change_feed.position(connection)
        changes = None if state is None else changes_since(connection, stored.id, state.position, state.mark)
        ids = searchable_ids(connection, stored)
        if not len(ids) and state is None:
            return None
        if not (state is None or changes is None or rebuild or _is_rebuilt(engine, state, len(changes.contents))):
            if is_behind(connection, state.position):
                expected = searchable_among(connection, stored, changes.contents)
                parts = _parts(connection, stored, expected, check)
                state = engine.replace(state, changes.contents, parts, position, mark)
                if state.position != position:
                    return state
            if state.vectors == len(ids):
                return state
        return engine.build(_parts(connection, stored, ids, check), position, mark)


def _mark(library: Library, stored: StoredSpace, state: EngineState | None, rebuild: bool) -> FeedMark | None:
    """Return the mark for the next state of an engine: a new one unless it stays as it is."""
    with library.read() as connection:
        require_revision(connection, stored)
        if state is None:
            is_needed = bool(len(searchable_ids(connection, stored)))
        else:
            changes = changes_since(connection, stored.id, state.position, state.mark)
            is_needed = rebuild or changes is None or is_behind(connection, state.position)
    if not is_needed:
        return None if state is None else state.mark
    with library.transaction() as connection:
        return append_mark(connection, stored.id)


def _is_rebuilt(engine: VectorEngine, state: EngineState, changed: int) -> bool:
    lacks_index = not state.candidates and state.vectors + changed >= engine.approximate_from
    return lacks_index or changed > max(engine.changed_singly, REBUILT_SHARE * state.vectors)


def _parts(
    connection: Connection, stored: StoredSpace, ids: Ids, check: Callable[[], None]
) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
    for batch in iter_vectors(connection, stored, ids):
        check()
        yield batch


def _announce(library: Library, stored: StoredSpace, check: Callable[[], None]) -> None:
    """Give the space a new revision, so that searchers look at the engine again.

    A stop is not noticed before that: the engine has its state already, so that the next run would see nothing new.
    """
    with library.exclusive() as writer, writer.transaction() as connection:
        mark_changed(connection, stored.id)
    if index_cache.published_file(library, stored) is not None:
        index_cache.publish(library, stored, check=check)
