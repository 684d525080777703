"""Remove spaces with their vectors, index files and documents, and return free space to the disk."""

import sqlite3

from sqlalchemy import Connection, delete, func, select, update

from core.errors import LibraryUnusable, SpaceInUse
from store.catalog.tables import Embedding, FrameEmbedding, LibraryState, Root, RootKind, SpaceRow
from store.check import remove_orphans
from store.library import Library, Writer, advance_revision
from store.roots import collection_path
from store.spaces import index_cache
from store.spaces.registry import StoredSpace, list_spaces

__all__ = ["drop_space", "forget_space", "free_bytes", "vacuum"]


def forget_space(writer: Writer, stored: StoredSpace, *, dry_run: bool = False) -> int:
    """Remove a space and its vectors; return the number of vectors. Pictures and other spaces stay.

    `dry_run` only counts. Raises `SpaceInUse` while a process fills the space.
    """
    with writer.library.space_fill_lock_if_free(stored.space.fingerprint) as is_free:
        if not is_free:
            raise SpaceInUse(str(stored.space), "another process is filling it. Stop that process first.")
        return _forget_space(writer, stored, dry_run=dry_run)


def _forget_space(writer: Writer, stored: StoredSpace, *, dry_run: bool) -> int:
    with writer.transaction() as connection:
        vectors = (select(func.count()).where(table.space_id == stored.id) for table in (Embedding, FrameEmbedding))
        number = sum(connection.scalar(count) or 0 for count in vectors)
        if dry_run:
            return number
        drop_space(connection, stored)
    for other in list_spaces(writer.library):
        index_cache.publish(writer, other.stored)
    index_cache.remove_strays(writer)
    return number


def free_bytes(library: Library) -> int:
    """Return how many bytes of the catalogue file are free. New records use them before the file grows."""
    with library.read() as connection:
        pages, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("freelist_count", "page_size")
        )
    return int(pages * size)


def vacuum(writer: Writer) -> None:
    """Return the free bytes to the disk by rewriting the catalogue, which temporarily needs its size again.

    Searches continue. If the disk is full, nothing is lost and `LibraryUnusable` is raised.
    """
    with writer.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            return
        try:
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                driver.execute(statement)  # through the driver: SQLAlchemy would begin a transaction
        except sqlite3.Error as exc:
            raise LibraryUnusable(writer.library.path, f"its free space cannot be released: {exc}") from exc


def drop_space(connection: Connection, stored: StoredSpace) -> None:
    """Remove a space within a transaction.

    If it was active, the oldest remaining space becomes active, completely filled spaces first. Its index file is left
    to `index_cache.remove_strays`.
    """
    others = select(SpaceRow.id).where(SpaceRow.id != stored.id)
    oldest = others.order_by(SpaceRow.filling_since.is_not(None), SpaceRow.id).limit(1).scalar_subquery()
    was_active = LibraryState.active_space_id == stored.id
    connection.execute(update(LibraryState).where(was_active).values(active_space_id=oldest))
    connection.execute(delete(SpaceRow).where(SpaceRow.id == stored.id))
    if stored.space.is_imported:
        collection = collection_path(stored.space.model)
        connection.execute(delete(Root).where(Root.kind == RootKind.COLLECTION, Root.path == collection))
        remove_orphans(connection)
    advance_revision(connection)
