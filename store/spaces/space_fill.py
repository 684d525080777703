"""Fill a space with vectors of the contents that the library has already. Each step is one transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import select, update

from core.errors import LibraryUnusable, SpaceDropped
from core.space import Space
from store.catalog.tables import Content, SpaceRow
from store.frames import EmbeddedFrames, add_frames
from store.library import Library, Writer, mark_changed
from store.spaces.embeddings import record_vector_failures
from store.spaces.registry import StoredSpace, activate, register, revision_of

__all__ = ["add", "begin", "end", "fill_states"]


def begin(writer: Writer, space: Space) -> StoredSpace:
    """Register `space`, and mark it as being filled."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with writer.transaction() as connection:
        stored = register(connection, space)
        unfilled = (SpaceRow.id == stored.id, SpaceRow.filling_since.is_(None))
        connection.execute(update(SpaceRow).where(*unfilled).values(filling_since=now))
    return stored


def add(writer: Writer, stored: StoredSpace, embedded: Mapping[int, EmbeddedFrames], faults: Mapping[int, str]) -> int:
    """Add the vectors of contents, and the faults of unusable ones; return how many vectors were new.

    Contents that have been removed since are left out. Raises `SpaceDropped` if the space has been dropped since.
    """
    with writer.transaction() as connection:
        if revision_of(connection, stored) is None:
            raise SpaceDropped(str(stored.space))
        statement = select(Content.id).where(Content.id.in_([*embedded, *faults]))
        existing = set(connection.execute(statement).scalars())
        added = add_frames(connection, stored, {key: frames for key, frames in embedded.items() if key in existing})
        record_vector_failures(connection, stored, {key: fault for key, fault in faults.items() if key in existing})
        if added:
            mark_changed(connection, stored.id)
    return added


def end(writer: Writer, stored: StoredSpace, *, switch: bool) -> None:
    """Mark the space as filled; with `switch`, make it the active one in the same transaction.

    Raises `SpaceDropped`.
    """
    with writer.transaction() as connection:
        if revision_of(connection, stored) is None:
            raise SpaceDropped(str(stored.space))
        connection.execute(update(SpaceRow).where(SpaceRow.id == stored.id).values(filling_since=None))
        if switch:
            activate(connection, stored)


def fill_states(library: Library) -> dict[int, Literal["under way", "stopped"]]:
    """Return the spaces being filled, by ID: by a running process, or by one that was stopped before the end."""
    with library.read() as connection:
        rows = connection.execute(
            select(SpaceRow.id, SpaceRow.fingerprint).where(SpaceRow.filling_since.is_not(None))
        ).all()
    return {row.id: "under way" if _is_held(library, row.fingerprint) else "stopped" for row in rows}


def _is_held(library: Library, fingerprint: str) -> bool:
    try:
        with library.space_fill_lock_if_free(fingerprint) as is_free:
            return not is_free
    except LibraryUnusable:  # a library on a read-only disk cannot be filled
        return False
