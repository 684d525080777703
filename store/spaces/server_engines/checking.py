"""Comparing an engine with the catalogue, number by number, and describing its state."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.errors import ExtraMissing, IndexEngineUnavailable
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.library import Library
from store.spaces.embeddings import iter_vectors, searchable_ids
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.engine import EngineState, VectorEngine
from store.spaces.server_engines.feed_marks import changes_since
from store.spaces.server_engines.opening import chosen_address, open_engine

__all__ = ["EngineDifference", "EngineReport", "find_differences", "report_engine"]


@dataclass(frozen=True)
class EngineDifference:
    """Something that an engine should not have, or lacks."""

    detail: str
    contents: Ids
    """The contents (n,) that it concerns, ascending."""


@dataclass(frozen=True)
class EngineReport:
    """What is known of the chosen engine and a space."""

    engine: str
    """The name, such as `pgvector`."""
    address: str
    """Where it is, without a password."""
    state: EngineState | None = None
    """None if it cannot be reached, or has nothing of the space."""
    behind: int | None = None
    """Contents that have changed since; None if that is not known any more, so that the engine is not used."""
    fault: str | None = None
    """Why it cannot be used."""


def report_engine(library: Library, stored: StoredSpace) -> EngineReport | None:
    """Return the state of the chosen engine on a server; None if none is chosen. Raises `UnknownIndexEngine`."""
    address = chosen_address()
    if address is None:
        return None
    try:
        engine = open_engine(library, stored, address)
        try:
            state = engine.state(fresh=True)
        finally:
            engine.close()
    except (IndexEngineUnavailable, ExtraMissing) as exc:
        return EngineReport(address.kind, address.shown, fault=str(exc))
    if state is None:
        return EngineReport(address.kind, address.shown)
    return EngineReport(address.kind, address.shown, state, _lag(library, stored, state))


def find_differences(library: Library, stored: StoredSpace) -> Iterator[EngineDifference]:
    """Compare all vectors of the chosen engine on a server with the catalogue; yield what differs.

    What has changed after the position of the engine is left out: it is right that the engine does not have it. An
    engine without vectors of the space, or with a position that the change feed does not have, is not used, and not
    compared. Yields nothing if no such engine is chosen. Raises `IndexEngineUnavailable` and `UnknownIndexEngine`.
    """
    address = chosen_address()
    if address is None:
        return
    engine = open_engine(library, stored, address)
    try:
        state = engine.state(fresh=True)
        if state is not None and _lag(library, stored, state) is not None:
            yield from _differences(library, stored, engine, state)
    finally:
        engine.close()


def _differences(
    library: Library, stored: StoredSpace, engine: VectorEngine, state: EngineState
) -> Iterator[EngineDifference]:
    seen, differing = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for ids, vectors in engine.stored_vectors(state):
        seen.append(ids)
        order = np.argsort(ids)
        with library.read() as connection:
            for found, stored_vectors in iter_vectors(connection, stored, ids[order]):
                rows = order[np.searchsorted(ids, found, sorter=order)]
                unequal = (vectors[rows].astype(np.float32) != stored_vectors.astype(np.float32)).any(axis=1)
                differing.append(found[unequal])
    with library.read() as connection:
        expected = searchable_ids(connection, stored)
        changes = changes_since(connection, stored.id, state.position, state.mark)  # also those since the comparison
    present = np.concatenate(seen)
    later = np.empty(0, np.int64) if changes is None else changes.contents
    kinds = (
        ("differs from the catalogue in", np.concatenate(differing)),
        ("has what the catalogue does not have:", np.setdiff1d(present, expected)),
        ("lacks", np.setdiff1d(expected, present)),
        ("has twice", _repeated(present)),
    )
    for words, frames in kinds:
        frames = frames[~np.isin(content_of(frames), later)]
        if len(frames):
            number = f"{len(frames):,} {'vector' if len(frames) == 1 else 'vectors'}"
            yield EngineDifference(f"{engine.shown} {words} {number}", np.unique(content_of(frames)))


def _repeated(ids: Ids) -> Ids:
    unique, counts = np.unique(ids, return_counts=True)
    return unique[counts > 1]


def _lag(library: Library, stored: StoredSpace, state: EngineState) -> int | None:
    """Return how many contents have changed since `state`; None if the change feed does not have its position.

    It was cut off then, or is that of another library.
    """
    with library.read() as connection:
        changes = changes_since(connection, stored.id, state.position, state.mark)
    return None if changes is None else len(changes.contents)
