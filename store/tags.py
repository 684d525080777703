"""Tags: adding, removing and listing them. Each source has its own tags, independent of the others.

Names are compared as described in `store.catalog.collation`. A change is one short transaction that needs no writer
lock, so it never waits for an index run.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, delete, func, insert, literal, not_, or_, select, tuple_, union_all

from core.errors import InvalidTag
from store.catalog.bulk_insert import insert_rows
from store.catalog.collation import clean_name, fold
from store.catalog.id_sets import among
from store.catalog.tables import Content, ContentTag, Picture, PictureState, PictureTag, Tag, TagSource
from store.library import Library

__all__ = [
    "TagCount",
    "TagRecord",
    "Tagging",
    "add_taggings",
    "add_tags",
    "list_tags",
    "relabel",
    "remove_tags",
    "set_content_tags",
    "set_picture_tags",
    "tag_name",
    "tag_names",
    "tagged_by",
    "tags_of",
]

Item = TypeVar("Item")

MAX_ROWS = 1_000
"""Rows of one statement."""

MAX_UNCLEANED_LENGTH = 10_000
"""Characters of a name that are looked at, before it is cleaned and cut."""


@dataclass(frozen=True)
class Tagging:
    """A content has the tag `name`; a model adds a probability from 0 to 1."""

    content_id: int
    name: str
    probability: float | None = None


@dataclass(frozen=True)
class TagRecord:
    """A tag of a content, with its source."""

    name: str
    source: TagSource
    probability: float | None = None


@dataclass(frozen=True)
class TagCount:
    """A tag, and the number of contents with a present file that have it."""

    name: str
    pictures: int
    """From any source; a content with the tag from several sources counts once."""
    by_source: dict[TagSource, int]


def tag_name(text: str) -> str:
    """Return `text` as the name of a tag: one line, with `/` between levels. Raises `InvalidTag` if nothing is left."""
    levels = [clean_name(level) for level in clean_name(text, max_length=MAX_UNCLEANED_LENGTH).split("/")]
    name = clean_name("/".join(level for level in levels if level))
    if not name:
        raise InvalidTag(text)
    return name


def tag_names(texts: Iterable[str]) -> list[str]:
    """Return the names of tags for untrusted `texts`, without those that are invalid."""
    names = []
    for text in texts:
        with suppress(InvalidTag):
            names.append(tag_name(text))
    return names


def add_tags(library: Library, taggings: Iterable[Tagging], source: TagSource = TagSource.USER) -> int:
    """Tag contents, or update the probability of their tags; return the number of new taggings.

    Contents that are not in the library are skipped. Raises `InvalidTag`, and `ValueError` for a probability that is
    not from 0 to 1; nothing is changed then.
    """
    checked = _checked(taggings)
    with library.transaction() as connection:
        return add_taggings(connection, checked, source)


def remove_tags(
    library: Library, content_ids: Collection[int], names: Iterable[str], source: TagSource = TagSource.USER
) -> int:
    """Remove the tags `names` that `source` gave to contents; return the number of taggings removed.

    The same tags from other sources stay. Raises `InvalidTag`.
    """
    with library.transaction() as connection:
        removed = _remove(connection, content_ids, names, source)
        _remove_unused(connection)
    return removed


def relabel(
    library: Library,
    content_ids: Collection[int],
    names: Iterable[str],
    taggings: Iterable[Tagging],
    source: TagSource = TagSource.MODEL,
) -> None:
    """Replace the tags `names` that `source` gave to `content_ids` by `taggings`; other tags stay.

    Contents that are not in the library are skipped. Raises the errors of `add_tags`.
    """
    checked = _checked(taggings)
    with library.transaction() as connection:
        _remove(connection, content_ids, names, source)
        add_taggings(connection, checked, source)


def tags_of(library: Library, content_ids: Sequence[int]) -> dict[int, list[TagRecord]]:
    """Return the tags of each content, sorted by name, including those in sidecars of present files."""
    with library.read() as connection:
        records = _records(connection, content_ids)
    return {
        content_id: sorted(tags, key=lambda record: (fold(record.name), record.source))
        for content_id, tags in records.items()
    }


def tagged_by(library: Library, content_ids: Sequence[int], name: str, source: TagSource = TagSource.USER) -> set[int]:
    """Return those of `content_ids` that have the tag `name` from `source`. Raises `InvalidTag`."""
    tag = select(Tag.id).where(Tag.key == fold(tag_name(name)))
    found = set[int]()
    with library.read() as connection:
        for chunk in _chunks(content_ids):
            statement = select(ContentTag.content_id).where(
                ContentTag.tag_id.in_(tag), ContentTag.content_id.in_(chunk), ContentTag.source == source
            )
            found |= set(connection.execute(statement).scalars())
    return found


def list_tags(library: Library) -> list[TagCount]:
    """Return every tag of a present picture, sorted by name."""
    present = Picture.state == PictureState.PRESENT
    has_file = select(Picture.id).where(Picture.content_id == ContentTag.content_id, present)
    of_contents = select(ContentTag.tag_id, ContentTag.content_id, ContentTag.source).where(has_file.exists())
    of_pictures = (
        select(PictureTag.tag_id, Picture.content_id, literal(TagSource.SIDECAR.value))
        .join(Picture, Picture.id == PictureTag.picture_id)
        .where(present)
    )
    every = union_all(of_contents, of_pictures).subquery()
    number = func.count(every.c.content_id.distinct()).label("number")
    by_source = select(Tag.name, every.c.source, number).join(every, every.c.tag_id == Tag.id)
    in_all = select(Tag.name, number).join(every, every.c.tag_id == Tag.id).group_by(Tag.id).order_by(Tag.key)
    sources: dict[str, dict[TagSource, int]] = {}
    with library.read() as connection:
        for row in connection.execute(by_source.group_by(Tag.id, every.c.source)):
            sources.setdefault(row.name, {})[TagSource(row.source)] = row.number
        return [TagCount(row.name, row.number, sources[row.name]) for row in connection.execute(in_all)]


def set_content_tags(
    connection: Connection, content_ids: Collection[int], taggings: Iterable[Tagging], source: TagSource
) -> None:
    """Replace all tags that `source` gave to `content_ids` by `taggings`. Raises `InvalidTag`."""
    for chunk in _chunks(list(content_ids)):
        connection.execute(delete(ContentTag).where(ContentTag.content_id.in_(chunk), ContentTag.source == source))
    add_taggings(connection, taggings, source)


def set_picture_tags(connection: Connection, picture_id: int, names: Iterable[str]) -> None:
    """Replace the tags from the sidecar of a picture by `names`. Raises `InvalidTag`."""
    by_key = {fold(name): name for name in map(tag_name, names)}
    ids = _ensure(connection, by_key)
    connection.execute(delete(PictureTag).where(PictureTag.picture_id == picture_id))
    if ids:
        connection.execute(
            insert(PictureTag), [{"tag_id": tag_id, "picture_id": picture_id} for tag_id in ids.values()]
        )


def add_taggings(connection: Connection, taggings: Iterable[Tagging], source: TagSource) -> int:
    """As `add_tags`, within a transaction."""
    names: dict[str, str] = {}
    probabilities: dict[tuple[str, int], float | None] = {}
    for tagging in taggings:
        key = fold(name := tag_name(tagging.name))
        names.setdefault(key, name)
        probabilities[key, tagging.content_id] = tagging.probability
    existing = _existing(connection, {content_id for _, content_id in probabilities})
    probabilities = {pair: probability for pair, probability in probabilities.items() if pair[1] in existing}
    ids = _ensure(connection, {key: names[key] for key, _ in probabilities})
    values = {(ids[key], content_id): probability for (key, content_id), probability in probabilities.items()}
    replaced = _drop(connection, list(values), source)
    if values:
        rows = [
            {"tag_id": tag_id, "content_id": content_id, "source": source, "probability": probability}
            for (tag_id, content_id), probability in values.items()
        ]
        insert_rows(connection, ContentTag, rows)
    return len(values) - replaced


def _checked(taggings: Iterable[Tagging]) -> list[Tagging]:
    """Return the taggings, whose probabilities databases store as they are: SQLite stores no NaN."""
    checked = list(taggings)
    for tagging in checked:
        if tagging.probability is not None and not 0 <= tagging.probability <= 1:
            raise ValueError(f"The probability of the tag {tagging.name!r} is {tagging.probability}, not from 0 to 1.")
    return checked


def _existing(connection: Connection, content_ids: Collection[int]) -> set[int]:
    """Return those of `content_ids` that are in the catalogue."""
    existing = set[int]()
    for chunk in _chunks(list(content_ids)):
        existing |= set(connection.execute(select(Content.id).where(Content.id.in_(chunk))).scalars())
    return existing


def _remove(connection: Connection, content_ids: Collection[int], names: Iterable[str], source: TagSource) -> int:
    tags = select(Tag.id).where(among(Tag.key, [fold(tag_name(name)) for name in names]))
    removed = 0
    for chunk in _chunks(list(content_ids)):
        removed += connection.execute(
            delete(ContentTag).where(
                ContentTag.tag_id.in_(tags), ContentTag.content_id.in_(chunk), ContentTag.source == source
            )
        ).rowcount
    return removed


def _remove_unused(connection: Connection) -> None:
    """Delete the tags that nothing uses."""
    used = [select(table.tag_id).where(table.tag_id == Tag.id).exists() for table in (ContentTag, PictureTag)]
    connection.execute(delete(Tag).where(not_(or_(*used))))


def _records(connection: Connection, content_ids: Sequence[int]) -> dict[int, list[TagRecord]]:
    records: dict[int, list[TagRecord]] = {}
    for chunk in _chunks(content_ids):
        of_contents = (
            select(ContentTag.content_id, Tag.name, ContentTag.source, ContentTag.probability)
            .join(Tag, Tag.id == ContentTag.tag_id)
            .where(ContentTag.content_id.in_(chunk))
        )
        of_pictures = (
            select(Picture.content_id, Tag.name)
            .join(PictureTag, PictureTag.picture_id == Picture.id)
            .join(Tag, Tag.id == PictureTag.tag_id)
            .where(Picture.content_id.in_(chunk), Picture.state == PictureState.PRESENT)
            .distinct()
        )
        for row in connection.execute(of_contents):
            record = TagRecord(row.name, TagSource(row.source), row.probability)
            records.setdefault(row.content_id, []).append(record)
        for content_id, name in connection.execute(of_pictures):
            if content_id is not None:
                records.setdefault(content_id, []).append(TagRecord(name, TagSource.SIDECAR))
    return records


def _ensure(connection: Connection, names: Mapping[str, str]) -> dict[str, int]:
    """Return the ID of each tag by its key, inserting missing ones under the name given for the key."""
    ids: dict[str, int] = {}
    for chunk in _chunks(list(names)):
        for row in connection.execute(select(Tag.key, Tag.id).where(Tag.key.in_(chunk))):
            ids[row.key] = row.id
    missing = [{"key": key, "name": name} for key, name in names.items() if key not in ids]
    if missing:
        inserted = connection.execute(insert(Tag).returning(Tag.key, Tag.id), missing)
        ids |= {row.key: row.id for row in inserted}
    return ids


def _drop(connection: Connection, pairs: Sequence[tuple[int, int]], source: TagSource) -> int:
    """Delete taggings of `source`, given as (tag ID, content ID); return how many existed."""
    return sum(
        connection.execute(
            delete(ContentTag).where(
                tuple_(ContentTag.tag_id, ContentTag.content_id).in_(chunk), ContentTag.source == source
            )
        ).rowcount
        for chunk in _chunks(pairs)
    )


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + MAX_ROWS] for start in range(0, len(items), MAX_ROWS))
