"""A space being filled with what the library holds already, while another one answers. Each step is a transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update

from core.errors import LibraryUnusable, SpaceDropped
from core.space import Space
from store.catalog.tables import Content, SpaceRow
from store.library import Library, Writer, mark_changed
from store.spaces.embeddings import add_vectors, record_vector_failures
from store.spaces.registry import StoredSpace, activate, register, revision_of

__all__ = ["add", "begin", "end", "fillings"]


def begin(writer: Writer, space: Space) -> StoredSpace:
    """The library's record of `space`, which is being filled from now on."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with writer.transaction() as connection:
        stored = register(connection, space)
        unfilled = (SpaceRow.id == stored.id, SpaceRow.filling_since.is_(None))
        connection.execute(update(SpaceRow).where(*unfilled).values(filling_since=now))
    return stored


def add(
    writer: Writer, stored: StoredSpace, vectors: Mapping[int, NDArray[np.floating]], faults: Mapping[int, str]
) -> int:
    """Takes in vectors (D,) by content, and what was wrong with those that are none; returns how many were new.

    Contents that were forgotten meanwhile are left out. Raises `SpaceDropped` when
    the space was dropped meanwhile.
    """
    with writer.transaction() as connection:
        if revision_of(connection, stored) is None:
            raise SpaceDropped(str(stored.space))
        known = select(Content.id).where(Content.id.in_([*vectors, *faults]))
        there = set(connection.execute(known).scalars())
        added = add_vectors(connection, stored, {key: vector for key, vector in vectors.items() if key in there})
        record_vector_failures(connection, stored, {key: fault for key, fault in faults.items() if key in there})
        if added:
            mark_changed(connection, stored.id)
    return added


def end(writer: Writer, stored: StoredSpace, *, switch: bool) -> None:
    """The space is filled, and with `switch` answers from now on: at once, and for everybody."""
    with writer.transaction() as connection:
        connection.execute(update(SpaceRow).where(SpaceRow.id == stored.id).values(filling_since=None))
        if switch:
            activate(connection, stored)


def fillings(library: Library) -> dict[int, Literal["under way", "stopped"]]:
    """The spaces, by id, that are being filled: by a process that is at it, or by one that was stopped halfway."""
    with library.read() as connection:
        rows = connection.execute(
            select(SpaceRow.id, SpaceRow.fingerprint).where(SpaceRow.filling_since.is_not(None))
        ).all()
    return {row.id: "under way" if _is_held(library, row.fingerprint) else "stopped" for row in rows}


def _is_held(library: Library, fingerprint: str) -> bool:
    try:
        with library.space_fill_lock_if_free(fingerprint) as free:
            return not free
    except LibraryUnusable:  # on a read-only disk nobody fills anything
        return False
