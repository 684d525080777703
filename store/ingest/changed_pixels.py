"""Find contents that an earlier version showed with other pixels, and have them embedded again.

Their vectors answer searches until then. Their hashes are computed again, and the next run that reads text reads theirs
again. Tags, albums and judgements belong to the content, and stay.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, exists, insert, select, update

from core.pixels_version import PIXELS_VERSION
from core.space import IMPORTED
from store.catalog.portable_sql import least_bytes
from store.catalog.tables import Content, Embedding, Picture, SpaceRow, TextReadingRow, UnreadFrames
from store.catalog.transactions import reading
from store.ingest.scanned_files import SEEN
from store.near_duplicates.hashes import forget_hashes
from store.roots import RootLocation

__all__ = ["EarlierContent", "earlier_contents", "record_pixels_version"]

PAGE_SIZE = 500
"""Contents per page."""


class EarlierContent(NamedTuple):
    """A content that an earlier version read, and the path of an unchanged file relative to the root."""

    content_id: int
    relpath: bytes


def earlier_contents(
    connection: Connection, location: RootLocation, formats: Collection[str]
) -> Iterator[list[EarlierContent]]:
    """Yield pages of the scanned contents of these formats whose pixels an earlier version read, by content ID.

    `connection` is that of the reconciler, whose temporary tables list the scanned files.
    """
    after = 0
    while page := _page(connection, location, formats, after):
        yield page
        after = page[-1].content_id


def _page(connection: Connection, location: RootLocation, formats: Collection[str], after: int) -> list[EarlierContent]:
    statement = (
        select(Content.id, least_bytes(Picture.relpath))
        .select_from(Content)
        .join(Picture, Picture.content_id == Content.id)
        .join(SEEN, SEEN.c.relpath == Picture.relpath)
        .where(
            Content.pixels_version < PIXELS_VERSION,
            Content.format.in_(list(formats)),
            Content.id > after,
            Picture.root_id == location.root_id,
            Picture.size == SEEN.c.size,
            Picture.mtime_ns == SEEN.c.mtime_ns,
        )
        .group_by(Content.id)
        .order_by(Content.id)
        .limit(PAGE_SIZE)
    )
    with reading(connection) as transaction:
        return [EarlierContent(*row) for row in transaction.execute(statement)]


def record_pixels_version(connection: Connection, read: Sequence[int], changed: Sequence[int]) -> None:
    """Record that contents `read` have been looked at, and have those `changed` read again in all spaces."""
    ids = list(changed)
    listed = exists().where(
        UnreadFrames.space_id == Embedding.space_id, UnreadFrames.content_id == Embedding.content_id
    )
    embedded = (
        select(Embedding.space_id, Embedding.content_id)
        .join(SpaceRow, SpaceRow.id == Embedding.space_id)
        .where(Embedding.content_id.in_(ids), ~SpaceRow.weights.startswith(IMPORTED), ~listed)
    )
    connection.execute(insert(UnreadFrames).from_select(["space_id", "content_id"], embedded))
    forget_hashes(connection, ids)
    connection.execute(update(TextReadingRow).where(TextReadingRow.content_id.in_(ids)).values(version=""))
    connection.execute(update(Content).where(Content.id.in_(list(read))).values(pixels_version=PIXELS_VERSION))
