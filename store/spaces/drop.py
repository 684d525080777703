"""Remove spaces with their vectors, index files and documents, and return free space to the disk."""

from collections.abc import Callable

from sqlalchemy import Connection, delete, func, select, update

from core.errors import IndexEngineNotCleared, SpaceInUse
from core.space import UNFINISHED
from store.catalog.tables import (
    Content,
    Embedding,
    FrameEmbedding,
    LibraryState,
    Picture,
    Root,
    RootKind,
    SpaceRow,
)
from store.check import remove_orphans
from store.library import Library, Writer, advance_revision, mark_changed
from store.roots import collection_of
from store.spaces import index_cache
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.engine import EngineTarget
from store.spaces.server_engines.feed_marks import note_dropped
from store.spaces.server_engines.leftovers import drop_from_engine

__all__ = ["drop_space", "forget_space", "free_bytes", "vacuum"]

BATCH_SIZE = 5_000
"""Vectors, or documents, of one transaction."""


def forget_space(
    library: Library,
    stored: StoredSpace,
    *,
    dry_run: bool = False,
    waiting: Callable[[], None] | None = None,
    left: Callable[[IndexEngineNotCleared], None] = lambda _: None,
) -> int:
    """Remove a space and its vectors; return the number of vectors. Pictures and other spaces stay.

    The writer lock is held for batches of vectors. Searches do not use the space from the first one on; if the process
    is killed between two, the space has fewer vectors, and the next call removes the rest. `waiting` is as for
    `Library.exclusive`. `dry_run` only counts. `left` is called if the vectors stay in an engine on a server. Raises
    `SpaceInUse` while a process fills the space.
    """
    if dry_run:
        return _count_vectors(library, stored)
    with library.space_fill_lock_if_free(stored.space.fingerprint) as is_free:
        if not is_free:
            raise SpaceInUse(str(stored.space), "another process is filling it. Stop that process first.")
        number = _count_vectors(library, stored)
        with library.exclusive(waiting) as writer, writer.transaction() as connection:
            _deactivate(connection, stored)
        for table in (FrameEmbedding, Embedding):
            while _remove_batch(library, stored, table, waiting):
                pass
        while stored.space.is_imported and _remove_documents(library, stored, waiting):
            pass
        in_engine = EngineTarget.of(library, stored).number
        with library.exclusive(waiting) as writer, writer.transaction() as connection:
            drop_space(connection, stored)
            note_dropped(connection, stored.id, in_engine)
    index_cache.publish_all(library, waiting)
    index_cache.remove_strays(library, waiting)
    if not stored.space.is_unfinished:  # engines have none, and an import has removed the space that it replaced
        drop_from_engine(library, stored, left)
    return number


def _count_vectors(library: Library, stored: StoredSpace) -> int:
    with library.read() as connection:
        counts = (select(func.count()).where(table.space_id == stored.id) for table in (Embedding, FrameEmbedding))
        return sum(connection.scalar(count) or 0 for count in counts)


def _remove_batch(
    library: Library,
    stored: StoredSpace,
    table: type[Embedding] | type[FrameEmbedding],
    waiting: Callable[[], None] | None,
) -> bool:
    """Delete the vectors of the first contents in a table; return whether there were any."""
    first = select(table.content_id).where(table.space_id == stored.id).order_by(table.content_id).limit(BATCH_SIZE)
    with library.exclusive(waiting) as writer, writer.transaction() as connection:
        last = connection.scalar(select(func.max(first.subquery().c.content_id)))
        if last is None:
            return False
        connection.execute(delete(table).where(table.space_id == stored.id, table.content_id <= last))
        mark_changed(connection, stored.id)
    return True


def _remove_documents(library: Library, stored: StoredSpace, waiting: Callable[[], None] | None) -> bool:
    """Delete the first documents of an imported space, and their contents; return whether there were any."""
    collection = select(Root.id).where(Root.kind == RootKind.COLLECTION, Root.path == collection_of(stored.space))
    first = (
        select(Picture.id, Picture.content_id)
        .where(Picture.root_id == collection.scalar_subquery())
        .order_by(Picture.id)
        .limit(BATCH_SIZE)
    )
    has_picture = select(Picture.id).where(Picture.content_id == Content.id).exists()
    with library.exclusive(waiting) as writer, writer.transaction() as connection:
        rows = connection.execute(first).all()
        connection.execute(delete(Picture).where(Picture.id.in_([row.id for row in rows])))
        contents = [row.content_id for row in rows if row.content_id is not None]
        connection.execute(delete(Content).where(Content.id.in_(contents), ~has_picture))
    return bool(rows)


def free_bytes(library: Library) -> int:
    """Return how many bytes of the catalogue file are free. New records use them before the file grows."""
    with library.read() as connection:
        return library.backend.free_bytes(connection)


def vacuum(writer: Writer) -> None:
    """Return the free bytes to the disk by rewriting the catalogue, which temporarily needs its size again.

    Searches continue. If the disk is full, nothing is lost and `LibraryUnusable` is raised.
    """
    with writer.connect() as connection:
        writer.library.backend.compact(connection)


def drop_space(connection: Connection, stored: StoredSpace) -> None:
    """Remove a space within a transaction.

    If it was active, the oldest remaining space becomes active, completely filled spaces first. Its index file is left
    to `index_cache.remove_strays`.
    """
    _deactivate(connection, stored)
    connection.execute(delete(SpaceRow).where(SpaceRow.id == stored.id))
    if stored.space.is_imported:
        collection = collection_of(stored.space)
        connection.execute(delete(Root).where(Root.kind == RootKind.COLLECTION, Root.path == collection))
        remove_orphans(connection)
    advance_revision(connection)


def _deactivate(connection: Connection, stored: StoredSpace) -> None:
    """Make another space active if this one is."""
    others = select(SpaceRow.id).where(SpaceRow.id != stored.id, ~SpaceRow.weights.startswith(UNFINISHED))
    oldest = others.order_by(SpaceRow.filling_since.is_not(None), SpaceRow.id).limit(1).scalar_subquery()
    was_active = LibraryState.active_space_id == stored.id
    if connection.execute(update(LibraryState).where(was_active).values(active_space_id=oldest)).rowcount:
        advance_revision(connection)  # searchers must notice the change
