"""What files say of their pictures beside the pixels, on its way into the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from store.catalog.annotations import TagSource
from store.catalog.collation import clean_name
from store.catalog.tables import Content, Picture, State
from store.ingest.scanned_files import SEEN
from store.roots import Place
from store.tags import Tagging, replace_tags, tag_names

__all__ = ["FileFacts", "OldFacts", "columns", "keep_keywords", "old_facts", "renew"]

LONGEST_TITLE, LONGEST_DESCRIPTION = 500, 5_000


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """The columns of `Content` of the same names, and the keywords that are written into the file."""

    taken_at: datetime | None = None
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    focal_length: float | None = None
    aperture: float | None = None
    exposure: float | None = None
    iso: int | None = None
    rating: int | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    facts_version: int = 0


@dataclass(frozen=True)
class OldFacts:
    """A content whose facts an older version read, and the file to read them from again, as it was then."""

    content_id: int
    relpath: bytes
    size: int
    mtime_ns: int


def columns(facts: FileFacts) -> dict[str, object]:
    """The row of a content; its texts are made fit for a database and for a line."""
    row = {field.name: getattr(facts, field.name) for field in fields(facts) if field.name != "keywords"}
    row["title"] = clean_name(facts.title or "", LONGEST_TITLE) or None
    row["description"] = clean_name(facts.description or "", LONGEST_DESCRIPTION) or None
    return row


def keep_keywords(connection: Connection, facts: Mapping[int, FileFacts]) -> None:
    """Makes the keywords of these contents, by id, all that their files say."""
    taggings = [Tagging(content_id, name) for content_id, each in facts.items() for name in tag_names(each.keywords)]
    replace_tags(connection, facts.keys(), taggings, TagSource.FILE)


def renew(connection: Connection, facts: Mapping[int, FileFacts]) -> None:
    """Puts facts that were read again in the place of older ones, by content."""
    for content_id, each in facts.items():
        connection.execute(update(Content).where(Content.id == content_id).values(columns(each)))
    keep_keywords(connection, facts)


def old_facts(connection: Connection, place: Place, version: int, after: int, limit: int) -> list[OldFacts]:
    """Contents beyond the id `after`, in order, of which a version before `version` read the facts.

    Only those that the census under way has seen, unchanged: one file of each.
    """
    statement = (
        select(Content.id, Picture.relpath, Picture.size, Picture.mtime_ns, func.min(Picture.id))
        .select_from(Picture)
        .join(Content, Content.id == Picture.content_id)
        .join(SEEN, SEEN.c.relpath == Picture.relpath)
        .where(
            Picture.root_id == place.root_id,
            Picture.state == State.PRESENT,
            Picture.size == SEEN.c.size,
            Picture.mtime_ns == SEEN.c.mtime_ns,
            Content.facts_version < version,
            Content.id > after,
        )
        .group_by(Content.id)
        .order_by(Content.id)
        .limit(limit)
    )
    return [OldFacts(row[0], row[1], row[2], row[3]) for row in connection.execute(statement)]
