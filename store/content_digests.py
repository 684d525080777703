"""The SHA-256 digests of contents, by which data outside of the library refers to pictures wherever their files are."""

from collections.abc import Collection

from sqlalchemy import select

from store.catalog.id_sets import batch_slices
from store.catalog.tables import Content
from store.library import Library

__all__ = ["contents_with_digests", "digests_of"]


def digests_of(library: Library, ids: Collection[int]) -> dict[int, bytes]:
    """Return content ID -> digest (32 bytes) of the contents that exist."""
    found: dict[int, bytes] = {}
    listed = list(ids)
    with library.read() as connection:
        for batch in batch_slices(len(listed)):
            statement = select(Content.id, Content.digest).where(Content.id.in_(listed[batch]))
            found |= {row.id: row.digest for row in connection.execute(statement)}
    return found


def contents_with_digests(library: Library, digests: Collection[bytes]) -> dict[bytes, int]:
    """Return digest -> content ID, for the digests (32 bytes) that the library knows."""
    found: dict[bytes, int] = {}
    listed = list(digests)
    with library.read() as connection:
        for batch in batch_slices(len(listed)):
            statement = select(Content.id, Content.digest).where(Content.digest.in_(listed[batch]))
            found |= {row.digest: row.id for row in connection.execute(statement)}
    return found
