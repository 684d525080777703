"""Write the metadata of files and sidecars to the catalogue, and find what an index run must read again.

Metadata that a file contains belongs to its content, which copies share; that of a sidecar belongs to the one picture
next to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Executable, delete, func, insert, or_, select, update

from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, METADATA_VERSION, PhotoMetadata
from store.catalog.collation import clean_name
from store.catalog.engine import reading, writing
from store.catalog.tables import Base, Content, Picture, PictureState, PictureTag, Sidecar, TagSource
from store.ingest.scanned_files import SEEN
from store.roots import RootLocation
from store.tags import Tagging, set_content_tags, set_picture_tags, tag_names

__all__ = ["MetadataRefresh", "OutdatedContent", "ParsedSidecar", "PendingSidecar", "content_columns", "write_keywords"]

REFRESH_PAGE_SIZE = 500
"""Files read and written per transaction."""


@dataclass(frozen=True)
class OutdatedContent:
    """A content whose metadata was read by an older version, and a file to read it from if that is unchanged."""

    content_id: int
    relpath: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class PendingSidecar:
    """A sidecar that must be read, and the picture that it belongs to."""

    picture_id: int
    relpath: bytes


@dataclass(frozen=True)
class ParsedSidecar:
    """What a sidecar contained when it had this size and modification time."""

    relpath: bytes
    size: int
    mtime_ns: int
    metadata: PhotoMetadata


def content_columns(metadata: PhotoMetadata) -> dict[str, object]:
    """Return `metadata` as column values of `Content`."""
    return {**_column_values(metadata, Content), "facts_version": METADATA_VERSION}


def write_keywords(connection: Connection, metadata: Mapping[int, PhotoMetadata]) -> None:
    """Replace the keywords from files of these contents, by content ID."""
    taggings = [Tagging(content_id, name) for content_id, each in metadata.items() for name in tag_names(each.keywords)]
    set_content_tags(connection, metadata.keys(), taggings, TagSource.FILE)


class MetadataRefresh:
    """The part of an index run that updates metadata without decoding pictures.

    `connection` is that of the reconciler, whose temporary tables list the scanned files. Only the scanned pictures at
    `location` are considered.
    """

    def __init__(self, connection: Connection, location: RootLocation) -> None:
        self._connection = connection
        self._location = location

    def outdated_contents(self) -> Iterator[list[OutdatedContent]]:
        """Yield pages of contents whose metadata was read by an older version, each with one unchanged file."""
        after = 0
        while page := [OutdatedContent(*row[:4]) for row in self._rows(self._select_outdated(after))]:
            yield page
            after = page[-1].content_id

    def update_contents(self, metadata: Mapping[int, PhotoMetadata]) -> None:
        """Replace the metadata of these contents, by content ID."""
        with writing(self._connection) as connection:
            for content_id, each in metadata.items():
                values = content_columns(each)
                connection.execute(update(Content).where(Content.id == content_id).values(values))
            write_keywords(connection, metadata)

    def changed_sidecars(self) -> Iterator[list[PendingSidecar]]:
        """Yield pages of sidecars that are new or changed, in the order of their pictures' IDs."""
        after = 0
        while page := [PendingSidecar(*row) for row in self._rows(self._select_changed_sidecars(after))]:
            yield page
            after = page[-1].picture_id

    def update_sidecars(self, sidecars: Mapping[int, ParsedSidecar]) -> None:
        """Replace what sidecars contain, by picture ID."""
        with writing(self._connection) as connection:
            connection.execute(delete(Sidecar).where(Sidecar.picture_id.in_(list(sidecars))))
            for picture_id, each in sidecars.items():
                file = {"relpath": each.relpath, "size": each.size, "mtime_ns": each.mtime_ns}
                values = _column_values(each.metadata, Sidecar)
                connection.execute(insert(Sidecar).values(picture_id=picture_id, **file, **values))
                set_picture_tags(connection, picture_id, tag_names(each.metadata.keywords))

    def remove_vanished_sidecars(self) -> None:
        """Remove the metadata of sidecars that no longer exist next to pictures that the scan found."""
        without_sidecar = (
            select(Picture.id)
            .join(SEEN, SEEN.c.relpath == Picture.relpath)
            .join(Sidecar, Sidecar.picture_id == Picture.id)
            .where(Picture.root_id == self._location.root_id, SEEN.c.sidecar.is_(None))
        )
        with writing(self._connection) as connection:
            connection.execute(delete(PictureTag).where(PictureTag.picture_id.in_(without_sidecar)))
            connection.execute(delete(Sidecar).where(Sidecar.picture_id.in_(without_sidecar)))

    def _rows(self, statement: Executable) -> list[Any]:
        with reading(self._connection) as connection:
            return list(connection.execute(statement))

    def _select_outdated(self, after: int) -> Executable:
        return (
            select(Content.id, Picture.relpath, Picture.size, Picture.mtime_ns, func.min(Picture.id))
            .select_from(Picture)
            .join(Content, Content.id == Picture.content_id)
            .join(SEEN, SEEN.c.relpath == Picture.relpath)
            .where(
                Picture.root_id == self._location.root_id,
                Picture.state == PictureState.PRESENT,
                Picture.size == SEEN.c.size,
                Picture.mtime_ns == SEEN.c.mtime_ns,
                Content.facts_version < METADATA_VERSION,
                Content.id > after,
            )
            .group_by(Content.id)
            .order_by(Content.id)
            .limit(REFRESH_PAGE_SIZE)
        )

    def _select_changed_sidecars(self, after: int) -> Executable:
        return (
            select(Picture.id, SEEN.c.sidecar)
            .join(SEEN, SEEN.c.relpath == Picture.relpath)
            .outerjoin(Sidecar, Sidecar.picture_id == Picture.id)
            .where(
                Picture.root_id == self._location.root_id,
                Picture.state == PictureState.PRESENT,
                SEEN.c.sidecar.is_not(None),
                or_(
                    Sidecar.picture_id.is_(None),
                    Sidecar.relpath != SEEN.c.sidecar,
                    Sidecar.size != SEEN.c.sidecar_size,
                    Sidecar.mtime_ns != SEEN.c.sidecar_mtime_ns,
                ),
                Picture.id > after,
            )
            .order_by(Picture.id)
            .limit(REFRESH_PAGE_SIZE)
        )


def _column_values(metadata: PhotoMetadata, table: type[Base]) -> dict[str, object]:
    """Return the fields of `metadata` for which `table` has a column, with texts as clean single lines."""
    columns = table.__table__.columns
    values = {each.name: getattr(metadata, each.name) for each in fields(metadata) if each.name in columns}
    return {
        **values,
        "title": clean_name(metadata.title or "", MAX_TITLE_LENGTH) or None,
        "description": clean_name(metadata.description or "", MAX_DESCRIPTION_LENGTH) or None,
    }
