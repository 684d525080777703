"""Tags: given, taken away and listed, each source of them by itself. Names are compared as `store.catalog.collation`
says."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, delete, func, insert, literal, not_, or_, select, tuple_, union_all

from core.errors import InvalidTag
from store.catalog.annotations import ContentTag, PictureTag, Tag, TagSource
from store.catalog.collation import clean_name, fold
from store.catalog.tables import Picture, State

__all__ = [
    "TagCount",
    "TagRecord",
    "Tagging",
    "add_tags",
    "list_tags",
    "remove_tags",
    "remove_unused",
    "replace_picture_tags",
    "replace_tags",
    "tag_name",
    "tag_names",
    "tags_of",
]

Item = TypeVar("Item")

ROWS = 1_000
"""Rows of one statement."""


@dataclass(frozen=True)
class Tagging:
    """A content has the tag `name`; a model says with which probability, 0 to 1."""

    content_id: int
    name: str
    probability: float | None = None


@dataclass(frozen=True)
class TagRecord:
    """A tag of some content, and who says so."""

    name: str
    source: TagSource
    probability: float | None = None


@dataclass(frozen=True)
class TagCount:
    """A tag, and of how many contents with a present file each source says it."""

    name: str
    pictures: int
    """By any source; one that several sources name counts once."""
    by_source: dict[TagSource, int]


def tag_name(text: str) -> str:
    """`text` as the name of a tag: one line, `/` between levels. Raises `InvalidTag` for one without any letter."""
    levels = [clean_name(level) for level in clean_name(text, longest=10_000).split("/")]
    name = clean_name("/".join(level for level in levels if level))
    if not name:
        raise InvalidTag(text)
    return name


def tag_names(texts: Iterable[str]) -> list[str]:
    """Those of `texts`, which nobody has looked at, that can name a tag, as its name."""
    names = []
    for text in texts:
        with suppress(InvalidTag):
            names.append(tag_name(text))
    return names


def add_tags(connection: Connection, taggings: Iterable[Tagging], source: TagSource = TagSource.USER) -> int:
    """Gives contents tags, or another probability; returns how many taggings are new. Raises `InvalidTag`."""
    names: dict[str, str] = {}
    wanted: dict[tuple[str, int], float | None] = {}
    for each in taggings:
        key = fold(name := tag_name(each.name))
        names.setdefault(key, name)
        wanted[key, each.content_id] = each.probability
    ids = _ensure(connection, names)
    values = {(ids[key], content_id): probability for (key, content_id), probability in wanted.items()}
    known = _drop(connection, list(values), source)
    rows = [
        {"tag_id": tag_id, "content_id": content_id, "source": source, "probability": probability}
        for (tag_id, content_id), probability in values.items()
    ]
    if rows:
        connection.execute(insert(ContentTag), rows)
    return len(rows) - known


def replace_tags(
    connection: Connection, content_ids: Collection[int], taggings: Iterable[Tagging], source: TagSource
) -> None:
    """Makes `taggings` all that `source` says of `content_ids`. Raises `InvalidTag`."""
    for chunk in _chunks(list(content_ids)):
        connection.execute(delete(ContentTag).where(ContentTag.content_id.in_(chunk), ContentTag.source == source))
    add_tags(connection, taggings, source)


def remove_tags(
    connection: Connection, content_ids: Collection[int], names: Iterable[str], source: TagSource = TagSource.USER
) -> int:
    """Takes tags away that `source` gave; returns how many taggings are gone. What other sources say stays."""
    keys = [fold(tag_name(name)) for name in names]
    tags = select(Tag.id).where(Tag.key.in_(keys))
    removed = 0
    for chunk in _chunks(list(content_ids)):
        removed += connection.execute(
            delete(ContentTag).where(
                ContentTag.tag_id.in_(tags), ContentTag.content_id.in_(chunk), ContentTag.source == source
            )
        ).rowcount
    return removed


def replace_picture_tags(connection: Connection, picture_id: int, names: Iterable[str]) -> None:
    """Makes `names` all the keywords that the sidecar of a picture holds. Raises `InvalidTag`."""
    wanted = {fold(name): name for name in map(tag_name, names)}
    ids = _ensure(connection, wanted)
    connection.execute(delete(PictureTag).where(PictureTag.picture_id == picture_id))
    if ids:
        connection.execute(
            insert(PictureTag), [{"tag_id": tag_id, "picture_id": picture_id} for tag_id in ids.values()]
        )


def tags_of(connection: Connection, content_ids: Sequence[int]) -> dict[int, list[TagRecord]]:
    """The tags of each content, by name; those of sidecars of present files among them."""
    found: dict[int, list[TagRecord]] = {}
    for chunk in _chunks(list(content_ids)):
        said = select(ContentTag.content_id, Tag.name, ContentTag.source, ContentTag.probability).join(
            Tag, Tag.id == ContentTag.tag_id
        )
        beside = (
            select(Picture.content_id, Tag.name)
            .join(PictureTag, PictureTag.picture_id == Picture.id)
            .join(Tag, Tag.id == PictureTag.tag_id)
            .where(Picture.content_id.in_(chunk), Picture.state == State.PRESENT)
            .distinct()
        )
        for row in connection.execute(said.where(ContentTag.content_id.in_(chunk))):
            record = TagRecord(row.name, TagSource(row.source), row.probability)
            found.setdefault(row.content_id, []).append(record)
        for content_id, name in connection.execute(beside):
            if content_id is not None:
                found.setdefault(content_id, []).append(TagRecord(name, TagSource.SIDECAR))
    return {
        content_id: sorted(records, key=lambda each: (fold(each.name), each.source))
        for content_id, records in found.items()
    }


def list_tags(connection: Connection) -> list[TagCount]:
    """Every tag that some present picture has, by name."""
    present = Picture.state == State.PRESENT
    held = select(Picture.id).where(Picture.content_id == ContentTag.content_id, present)
    said = select(ContentTag.tag_id, ContentTag.content_id, ContentTag.source).where(held.exists())
    beside = (
        select(PictureTag.tag_id, Picture.content_id, literal(TagSource.SIDECAR.value))
        .join(Picture, Picture.id == PictureTag.picture_id)
        .where(present)
    )
    every = union_all(said, beside).subquery()
    number = func.count(every.c.content_id.distinct()).label("number")
    named = select(Tag.name, every.c.source, number).join(every, every.c.tag_id == Tag.id)
    sources: dict[str, dict[TagSource, int]] = {}
    for row in connection.execute(named.group_by(Tag.id, every.c.source)):
        sources.setdefault(row.name, {})[TagSource(row.source)] = row.number
    in_all = select(Tag.name, number).join(every, every.c.tag_id == Tag.id).group_by(Tag.id).order_by(Tag.key)
    return [TagCount(row.name, row.number, sources[row.name]) for row in connection.execute(in_all)]


def remove_unused(connection: Connection) -> None:
    """Lets go of the names of tags that nothing has any more."""
    used = [select(table.tag_id).where(table.tag_id == Tag.id).exists() for table in (ContentTag, PictureTag)]
    connection.execute(delete(Tag).where(not_(or_(*used))))


def _ensure(connection: Connection, names: Mapping[str, str]) -> dict[str, int]:
    """The id of each tag by its key; those that are new are made, with the name that is given for the key."""
    ids: dict[str, int] = {}
    for chunk in _chunks(list(names)):
        for row in connection.execute(select(Tag.key, Tag.id).where(Tag.key.in_(chunk))):
            ids[row.key] = row.id
    missing = [{"key": key, "name": name} for key, name in names.items() if key not in ids]
    if missing:
        made = connection.execute(insert(Tag).returning(Tag.key, Tag.id), missing)
        ids |= {row.key: row.id for row in made}
    return ids


def _drop(connection: Connection, pairs: Sequence[tuple[int, int]], source: TagSource) -> int:
    """Removes taggings of `source`, by tag and content; returns how many there were."""
    return sum(
        connection.execute(
            delete(ContentTag).where(
                tuple_(ContentTag.tag_id, ContentTag.content_id).in_(chunk), ContentTag.source == source
            )
        ).rowcount
        for chunk in _chunks(pairs)
    )


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + ROWS] for start in range(0, len(items), ROWS))
