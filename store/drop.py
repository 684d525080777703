"""Giving up a whole space: its vectors, its index, and the documents of which there was nothing else."""

from sqlalchemy import Connection, delete, func, select, update

from store import cache
from store.catalog import Embedding, LibraryState, Root, RootKind, SpaceRow
from store.check import remove_orphans
from store.library import Library, tick
from store.roots import collection_path
from store.spaces import StoredSpace, list_spaces

__all__ = ["drop_space", "forget_space"]


def forget_space(library: Library, stored: StoredSpace, *, dry_run: bool = False) -> int:
    """Forgets the space with all its vectors; what other spaces know of the pictures stays.

    Returns how many vectors it held; `dry_run` only counts. The caller holds the writer lock.
    """
    with library.write() as connection:
        number = connection.scalar(select(func.count()).where(Embedding.space_id == stored.id)) or 0
        if dry_run:
            return number
        drop_space(connection, stored)
    for other, _, _ in list_spaces(library):
        cache.publish(library, other)
    cache.remove_strays(library)
    return number


def drop_space(connection: Connection, stored: StoredSpace) -> None:
    """Removes the space, within a transaction.

    If it was active, the oldest other one is now. Its index file is left to `cache.remove_strays`.
    """
    oldest = select(func.min(SpaceRow.id)).where(SpaceRow.id != stored.id).scalar_subquery()
    was_active = LibraryState.active_space_id == stored.id
    connection.execute(update(LibraryState).where(was_active).values(active_space_id=oldest))
    connection.execute(delete(SpaceRow).where(SpaceRow.id == stored.id))
    if stored.space.is_imported:
        collection = collection_path(stored.space.model)
        connection.execute(delete(Root).where(Root.kind == RootKind.COLLECTION, Root.path == collection))
        remove_orphans(connection)
    tick(connection)  # other spaces hold what they held
