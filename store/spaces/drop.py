"""Giving up a whole space: its vectors, its index, and the documents of which there was nothing else."""

import sqlite3

from sqlalchemy import Connection, delete, func, select, update

from core.errors import LibraryUnusable, SpaceInUse
from store.catalog.tables import Embedding, LibraryState, Root, RootKind, SpaceRow
from store.check import remove_orphans
from store.library import Library, Writer, advance_revision
from store.roots import collection_path
from store.spaces import index_cache
from store.spaces.registry import StoredSpace, list_spaces

__all__ = ["drop_space", "forget_space", "free_bytes", "give_back"]

FREE = ("freelist_count", "page_size")


def forget_space(writer: Writer, stored: StoredSpace, *, dry_run: bool = False) -> int:
    """Forgets the space with all its vectors; what other spaces know of the pictures stays.

    Returns how many vectors it held; `dry_run` only counts. Raises `SpaceInUse` while
    a process fills it.
    """
    with writer.library.space_fill_lock_if_free(stored.space.fingerprint) as free:
        if not free:
            raise SpaceInUse(str(stored.space), "another process is filling it; stop that first")
        return _forget_space(writer, stored, dry_run=dry_run)


def _forget_space(writer: Writer, stored: StoredSpace, *, dry_run: bool) -> int:
    with writer.transaction() as connection:
        number = connection.scalar(select(func.count()).where(Embedding.space_id == stored.id)) or 0
        if dry_run:
            return number
        drop_space(connection, stored)
    for other in list_spaces(writer.library):
        index_cache.publish(writer, other.stored)
    index_cache.remove_strays(writer)
    return number


def free_bytes(library: Library) -> int:
    """How many bytes of the catalogue's file are free: what comes next is written there before the file grows."""
    with library.read() as connection:
        pages, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in FREE)
    return int(pages * size)


def give_back(writer: Writer) -> None:
    """Gives the free bytes back to the disk: writes the catalogue anew, which takes as much room again meanwhile.

    Searches continue. Raises `LibraryUnusable` when the disk is full: nothing is lost.
    """
    with writer.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            return
        try:
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                driver.execute(statement)  # not within a transaction, which SQLAlchemy would begin
        except sqlite3.Error as exc:
            raise LibraryUnusable(writer.library.path, f"its free space could not be given back: {exc}") from exc


def drop_space(connection: Connection, stored: StoredSpace) -> None:
    """Removes the space, within a transaction.

    If it was active, the oldest other one is now, one that is filled before one that is not. Its index file is left to
    `cache.remove_strays`.
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
    advance_revision(connection)  # other spaces hold what they held
