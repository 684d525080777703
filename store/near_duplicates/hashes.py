"""Perceptual hashes of contents: storing them, and finding contents that have none, or no average colour."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, or_, select, update

from store.catalog.bulk_insert import insert_rows
from store.catalog.id_sets import among
from store.catalog.portable_sql import least_bytes
from store.catalog.tables import Content, PerceptualHashRow, Picture, PictureState
from store.library import Library, Writer
from store.roots import RootLocation, within

__all__ = [
    "HASH_BYTES",
    "PerceptualHash",
    "UnhashedContent",
    "forget_hashes",
    "record_hashes",
    "record_hashes_in",
    "unhashed_contents",
]

HASH_BYTES = 32

HASH_PAGE_SIZE = 500
"""Contents per page."""


@dataclass(frozen=True)
class PerceptualHash:
    """The perceptual hash of a picture: 32 bytes, or None if the picture is too plain to have one."""

    version: int
    bits: bytes | None


class UnhashedContent(NamedTuple):
    """A content without a current hash or without its colour, and the path of one of its files relative to the root."""

    content_id: int
    digest: bytes
    relpath: bytes
    has_hash: bool
    """Whether there is a hash of the current version, so that only the colour is missing."""


def record_hashes(writer: Writer, hashes: Mapping[int, PerceptualHash]) -> None:
    """Store the hashes of contents. Hashes of the same version that are stored already keep their groups."""
    with writer.transaction() as connection:
        record_hashes_in(connection, hashes)


def record_hashes_in(
    connection: Connection, hashes: Mapping[int, PerceptualHash], new_contents: Collection[int] = ()
) -> None:
    """As `record_hashes`, within a transaction. `new_contents` were inserted in it, and have no hash yet."""
    earlier = [content_id for content_id in hashes if content_id not in new_contents]
    stored = select(PerceptualHashRow.content_id, PerceptualHashRow.version, PerceptualHashRow.bits).where(
        among(PerceptualHashRow.content_id, earlier)
    )
    known = {row.content_id: row for row in connection.execute(stored)} if earlier else {}
    new = {
        content_id: value
        for content_id, value in hashes.items()
        if content_id not in known or _is_outdated(known[content_id].version, known[content_id].bits, value)
    }
    replaced = set(new) & set(known)
    if replaced:
        forget_hashes(connection, replaced)
    rows = [
        {"content_id": content_id, "version": value.version, "bits": value.bits} for content_id, value in new.items()
    ]
    insert_rows(connection, PerceptualHashRow, rows)


def forget_hashes(connection: Connection, content_ids: Collection[int]) -> None:
    """Delete the hashes of contents, within a transaction. Contents of their groups are compared again."""
    ids = list(content_ids)
    connection.execute(delete(PerceptualHashRow).where(PerceptualHashRow.content_id.in_(ids)))
    connection.execute(update(PerceptualHashRow).where(PerceptualHashRow.anchor_id.in_(ids)).values(anchor_id=None))


def _is_outdated(version: int, bits: bytes | None, value: PerceptualHash) -> bool:
    """Return whether a stored hash is of another version, or of the first page of a document, which has none now."""
    return version != value.version or (value.bits is None and bits is not None)


def unhashed_contents(library: Library, location: RootLocation, version: int) -> Iterator[list[UnhashedContent]]:
    """Yield pages of present contents at `location` without a hash of this version or an average colour, by ID."""
    after = 0
    while page := _page(library, location, version, after):
        yield page
        after = page[-1].content_id


def _page(library: Library, location: RootLocation, version: int, after: int) -> list[UnhashedContent]:
    hashed = and_(PerceptualHashRow.content_id == Content.id, PerceptualHashRow.version == version)
    is_hashed = select(PerceptualHashRow.content_id).where(hashed).exists()
    statement = (
        select(Content.id, Content.digest, least_bytes(Picture.relpath), is_hashed)
        .join(Picture, Picture.content_id == Content.id)
        .where(*within(location), Picture.state == PictureState.PRESENT, Content.id > after)
        .where(or_(Content.color.is_(None), ~is_hashed))
        .group_by(Content.id)
        .order_by(Content.id)
        .limit(HASH_PAGE_SIZE)
    )
    with library.read() as connection:
        return [UnhashedContent(*row) for row in connection.execute(statement)]
