"""Write the metadata of files and sidecars to the catalogue, and find what an index run must read again.

Metadata that a file contains belongs to its content, which copies share. Title, description, rating and keywords of a
sidecar belong to the one picture next to it; its other values are merged with those of the content
(`store.ingest.sidecar_facts`). When these change, the content is marked as outdated in the same transaction. Its header
is then read again and merged with them, even if the run is interrupted in between.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from core.metadata import (
    MAX_DESCRIPTION_LENGTH,
    MAX_TITLE_LENGTH,
    METADATA_VERSION,
    PLACE_NAMES,
    DateSource,
    PhotoMetadata,
)
from store.catalog.collation import clean_name
from store.catalog.tables import Base, Content, Picture, PictureState, PictureTag, Sidecar, TagSource
from store.catalog.tables.mapping import aliased
from store.catalog.transactions import reading, writing
from store.ingest.scanned_files import SEEN, SidecarFile, pack_sidecars, unpack_sidecars
from store.ingest.sidecar_facts import SidecarFacts, pack_facts, unpack_facts
from store.people import set_people
from store.roots import RootLocation
from store.tags import Tagging, set_content_tags, set_picture_tags, tag_names

__all__ = [
    "MetadataRefresh",
    "OutdatedContent",
    "ParsedSidecars",
    "PendingSidecars",
    "content_columns",
    "mark_renamed_contents",
    "mark_sidecar_contents",
    "write_keywords_and_people",
]

REFRESH_PAGE_SIZE = 500
"""Files read and written per transaction."""

_OUTDATED = 0
"""The version of metadata that must be read again."""


@dataclass(frozen=True)
class OutdatedContent:
    """A content whose metadata must be read again, and a file to read it from if that is unchanged."""

    content_id: int
    relpath: bytes
    size: int
    mtime_ns: int
    first_relpath: bytes
    """The path of its first picture, whose name may contain a date."""
    sidecars: tuple[SidecarFacts, ...] = ()
    """Those of all its present pictures, in the order of their IDs."""

    @property
    def file(self) -> tuple[bytes, int, int]:
        """Path, size and modification time of the file."""
        return self.relpath, self.size, self.mtime_ns


@dataclass(frozen=True)
class PendingSidecars:
    """Sidecar files that must be read, and the picture that they belong to."""

    picture_id: int
    relpath: bytes
    files: tuple[SidecarFile, ...]


@dataclass(frozen=True)
class ParsedSidecars:
    """What the sidecar files of a picture contained when they had these sizes and modification times.

    `xmp` outranks the metadata of the picture, and `takeout` fills gaps in it.
    """

    files: tuple[SidecarFile, ...]
    xmp: PhotoMetadata
    takeout: PhotoMetadata


def content_columns(metadata: PhotoMetadata) -> dict[str, object]:
    """Return `metadata` as column values of `Content`."""
    return {**_column_values(metadata, Content), "facts_version": METADATA_VERSION}


def write_keywords_and_people(connection: Connection, metadata: Mapping[int, PhotoMetadata]) -> None:
    """Replace the keywords and people from files of these contents, by content ID."""
    set_people(connection, {content_id: each.people for content_id, each in metadata.items()})
    taggings = [Tagging(content_id, name) for content_id, each in metadata.items() for name in tag_names(each.keywords)]
    set_content_tags(connection, metadata.keys(), taggings, TagSource.FILE)


def mark_renamed_contents(connection: Connection, content_ids: Collection[int]) -> None:
    """Have the headers of contents with a renamed file read again, unless another source has a date."""
    by_name = or_(Content.date_source.is_(None), Content.date_source == DateSource.NAME)
    _mark_outdated(connection, and_(Content.id.in_(list(content_ids)), by_name))


def mark_sidecar_contents(connection: Connection, picture_ids: Select[Any]) -> None:
    """Have the headers of contents read again that share metadata from the sidecars or names of these pictures.

    Call this when the sidecars are removed, and when pictures become present or cease to be. The name that counts is
    that of the first present copy.
    """
    had_facts = select(Sidecar.content_id).where(Sidecar.picture_id.in_(picture_ids), Sidecar.facts.is_not(None))
    copy = aliased(Picture)
    has_copy = exists().where(copy.content_id == Picture.content_id, copy.id != Picture.id)
    had_name = select(Picture.content_id).where(Picture.id.in_(picture_ids), has_copy)
    by_name = or_(Content.date_source.is_(None), Content.date_source == DateSource.NAME)
    _mark_outdated(connection, or_(Content.id.in_(had_facts), and_(Content.id.in_(had_name), by_name)))


def _mark_outdated(connection: Connection, which: ColumnElement[bool]) -> None:
    connection.execute(update(Content).where(which).values(facts_version=_OUTDATED))


class MetadataRefresh:
    """The part of an index run that updates metadata without decoding pictures.

    `connection` is that of the reconciler, whose temporary tables list the scanned files. Only the scanned pictures at
    `location` are considered.
    """

    def __init__(self, connection: Connection, location: RootLocation) -> None:
        self._connection = connection
        self._location = location

    def outdated_contents(self) -> Iterator[list[OutdatedContent]]:
        """Yield pages of contents whose metadata must be read again, each with one unchanged file."""
        after = 0
        while page := self._outdated(Content.id > after):
            yield page
            after = page[-1].content_id

    def still_outdated(self, contents: Sequence[OutdatedContent]) -> list[OutdatedContent]:
        """Return those of the contents that are outdated as before, with the facts that sidecars have now."""
        before = {each.content_id: each.file for each in contents}
        now = self._outdated(Content.id.in_(list(before)))
        return [each for each in now if each.file == before[each.content_id]]

    def update_contents(self, metadata: Mapping[int, PhotoMetadata]) -> None:
        """Replace the metadata of these contents, by content ID."""
        with writing(self._connection) as connection:
            rows = [{"content": content_id, **content_columns(each)} for content_id, each in metadata.items()]
            if rows:
                values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "content"}
                connection.execute(update(Content).where(Content.id == bindparam("content")).values(values), rows)
            write_keywords_and_people(connection, metadata)

    def changed_sidecars(self) -> Iterator[list[PendingSidecars]]:
        """Yield pages of sidecars that are new or changed, in the order of their pictures' IDs."""
        after = 0
        while rows := self._rows(self._select_changed_sidecars(after)):
            yield [PendingSidecars(row.id, row.relpath, tuple(unpack_sidecars(row.sidecars))) for row in rows]
            after = rows[-1].id

    def update_sidecars(self, sidecars: Mapping[int, ParsedSidecars]) -> set[int]:
        """Replace what sidecars contain, by picture ID; return their contents, and those that are outdated now."""
        picture_ids = list(sidecars)
        with writing(self._connection) as connection:
            current = select(Picture.id, Picture.content_id).where(Picture.id.in_(picture_ids))
            content_ids = {row.id: row.content_id for row in connection.execute(current)}
            sidecars = {picture_id: each for picture_id, each in sidecars.items() if picture_id in content_ids}
            known = select(Sidecar).where(Sidecar.picture_id.in_(picture_ids))
            before = {row.picture_id: row for row in connection.execute(known)}
            connection.execute(delete(Sidecar).where(Sidecar.picture_id.in_(picture_ids)))
            outdated, rows = set[int](), list[dict[str, object]]()
            for picture_id, each in sidecars.items():
                row, content_id = before.get(picture_id), content_ids[picture_id]
                facts = pack_facts(SidecarFacts.of(each.xmp, each.takeout))
                if row is None or (row.facts, row.content_id) != (facts, content_id):
                    outdated |= {row.content_id} if row is not None and row.facts else set()
                    outdated |= {content_id} if facts else set()
                values = {"files": pack_sidecars(each.files), **_column_values(each.xmp, Sidecar)}
                values |= {"facts": facts, "content_id": content_id}
                rows.append({"picture_id": picture_id, **values})
                set_picture_tags(connection, picture_id, tag_names(each.xmp.keywords))
            if rows:
                connection.execute(insert(Sidecar), rows)
            _mark_outdated(connection, Content.id.in_(outdated))
        return outdated | set(content_ids.values())

    def remove_vanished_sidecars(self) -> None:
        """Remove the metadata of sidecars that no longer exist next to pictures that the scan found."""
        without_sidecar = (
            select(Picture.id)
            .join(SEEN, SEEN.c.relpath == Picture.relpath)
            .join(Sidecar, Sidecar.picture_id == Picture.id)
            .where(Picture.root_id == self._location.root_id, SEEN.c.sidecars.is_(None))
        )
        with writing(self._connection) as connection:
            connection.execute(delete(PictureTag).where(PictureTag.picture_id.in_(without_sidecar)))
            mark_sidecar_contents(connection, without_sidecar)
            connection.execute(delete(Sidecar).where(Sidecar.picture_id.in_(without_sidecar)))

    def forget_other_contents(self) -> None:
        """Have sidecars read again whose picture has another content than when they were read."""
        replaced = (
            select(Picture.id)
            .join(Sidecar, Sidecar.picture_id == Picture.id)
            .where(
                Picture.root_id == self._location.root_id,
                Sidecar.facts.is_not(None),
                Sidecar.content_id.is_distinct_from(Picture.content_id),
            )
        )
        with writing(self._connection) as connection:
            connection.execute(update(Sidecar).where(Sidecar.picture_id.in_(replaced)).values(files=null()))

    def _facts(self, content_ids: list[int]) -> dict[int, list[SidecarFacts]]:
        """Return the facts of sidecars of present pictures by content, those of the lowest picture ID first."""
        statement = (
            select(Picture.content_id, Sidecar.facts)
            .join(Picture, Picture.id == Sidecar.picture_id)
            .where(
                Picture.content_id.in_(content_ids),
                Picture.state == PictureState.PRESENT,
                Sidecar.facts.is_not(None),
            )
            .order_by(Picture.id)
        )
        facts: dict[int, list[SidecarFacts]] = {}
        for row in self._rows(statement):
            facts.setdefault(row.content_id, []).append(unpack_facts(row.facts))
        return facts

    def _rows(self, statement: Executable) -> list[Any]:
        with reading(self._connection) as connection:
            return list(connection.execute(statement))

    def _outdated(self, which: ColumnElement[bool]) -> list[OutdatedContent]:
        rows = self._rows(self._select_outdated(which))
        facts = self._facts([row.id for row in rows])
        return [
            OutdatedContent(
                row.id, row.relpath, row.size, row.mtime_ns, row.first_relpath, tuple(facts.get(row.id, ()))
            )
            for row in rows
        ]

    def _select_outdated(self, which: ColumnElement[bool]) -> Executable:
        copy = aliased(Picture)
        is_copy = and_(copy.content_id == Content.id, copy.state == PictureState.PRESENT)
        first = select(copy.relpath).where(is_copy).order_by(copy.id).limit(1).correlate(Content)
        of_content = (
            select(func.min(Picture.id).label("id"))
            .join(Content, Content.id == Picture.content_id)
            .join(SEEN, SEEN.c.relpath == Picture.relpath)
            .where(
                Picture.root_id == self._location.root_id,
                Picture.state == PictureState.PRESENT,
                Picture.size == SEEN.c.size,
                Picture.mtime_ns == SEEN.c.mtime_ns,
                Content.facts_version < METADATA_VERSION,
                which,
            )
            .group_by(Content.id)
            .order_by(Content.id)
            .limit(REFRESH_PAGE_SIZE)
            .subquery()
        )
        return (
            select(Content.id, Picture.relpath, Picture.size, Picture.mtime_ns)
            .add_columns(first.scalar_subquery().label("first_relpath"))
            .join(Picture, Picture.content_id == Content.id)
            .join(of_content, of_content.c.id == Picture.id)
            .order_by(Content.id)
        )

    def _select_changed_sidecars(self, after: int) -> Executable:
        return (
            select(Picture.id, Picture.relpath, SEEN.c.sidecars)
            .join(SEEN, SEEN.c.relpath == Picture.relpath)
            .outerjoin(Sidecar, Sidecar.picture_id == Picture.id)
            .where(
                Picture.root_id == self._location.root_id,
                Picture.state == PictureState.PRESENT,
                SEEN.c.sidecars.is_not(None),
                or_(Sidecar.picture_id.is_(None), Sidecar.files.is_distinct_from(SEEN.c.sidecars)),
                Picture.id > after,
            )
            .order_by(Picture.id)
            .limit(REFRESH_PAGE_SIZE)
        )


@cache
def _shared_names(table: type[Base]) -> tuple[str, ...]:
    """The fields of metadata for which `table` has a column."""
    return tuple(each.name for each in fields(PhotoMetadata) if each.name in table.__table__.columns)


def _column_values(metadata: PhotoMetadata, table: type[Base]) -> dict[str, object]:
    """Return the fields of `metadata` for which `table` has a column, with texts as clean single lines."""
    values = {name: getattr(metadata, name) for name in _shared_names(table)}
    places = {name: clean_name(values[name] or "") or None for name in PLACE_NAMES if name in values}
    return {
        **values,
        **places,
        "title": clean_name(metadata.title or "", MAX_TITLE_LENGTH) or None,
        "description": clean_name(metadata.description or "", MAX_DESCRIPTION_LENGTH) or None,
    }
