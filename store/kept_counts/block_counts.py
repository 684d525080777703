"""Counts of the contents of one block by what facets and folders show, and their form in the catalogue."""

import json
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    case,
    func,
    not_,
    select,
    union_all,
)

from store.catalog.portable_sql import MONTH_LENGTH, date_text
from store.catalog.tables import (
    BLOCK_SIZE,
    Content,
    ContentPlace,
    ContentTag,
    PersonRow,
    Picture,
    PictureState,
    PictureTag,
    Root,
    RootKind,
)
from store.filters.fields import FIELDS
from store.filters.people_and_places import has_own_place

__all__ = ["FACT_COLUMNS", "KIND", "BlockCounts", "FolderCount", "count_block"]

KIND = "facets-1"
"""Raise the number when what is counted changes."""

FACT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "month": date_text(Content.taken_at, MONTH_LENGTH),
    "camera": Content.camera.expression,
    "lens": Content.lens.expression,
    "format": FIELDS["format"].value,  # type: ignore[dict-item]
    "orientation": FIELDS["orientation"].value,  # type: ignore[dict-item]
    "country": Content.country.expression,
    "city": Content.city.expression,
}
"""What is counted of the columns of a content."""


# Nearly all files are present. `coalesce` keeps SQLite from the index of states, with which it would read all of them.
_PRESENT = func.coalesce(Picture.state, PictureState.MISSING) == PictureState.PRESENT


class FolderCount(NamedTuple):
    """The present files directly in a folder."""

    files: int
    cover: int
    """The content of them that was added last."""


@dataclass
class BlockCounts:
    """Counts of contents with a present file; of one block, or of several after `add`.

    A folder is the ID of a root and a path relative to it, which is empty for all documents of a collection.
    """

    contents: int = 0
    absent: int = 0
    """Contents without a present file, which are in no other count."""
    facts: dict[str, Counter[str | None]] = field(default_factory=lambda: {name: Counter() for name in FACT_COLUMNS})
    places: Counter[int] = field(default_factory=Counter)
    """By the place that a gazetteer knows, of contents whose file names none."""
    people: Counter[str] = field(default_factory=Counter)
    """By the comparable form of the name."""
    people_names: dict[str, str] = field(default_factory=dict)
    """The form of each name that sorts first."""
    tags: Counter[int] = field(default_factory=Counter)
    folders: dict[tuple[int, bytes], FolderCount] = field(default_factory=dict)

    def add(self, other: "BlockCounts") -> None:
        """Add the counts of another block."""
        self.contents += other.contents
        self.absent += other.absent
        for name, counts in other.facts.items():
            _add(self.facts[name], counts)
        _add(self.places, other.places)
        _add(self.people, other.people)
        _add(self.tags, other.tags)
        for key, name in other.people_names.items():
            self.people_names[key] = min(name, self.people_names.get(key, name))
        for folder, (files, cover) in other.folders.items():
            known = self.folders.get(folder)
            self.folders[folder] = (
                FolderCount(files + known.files, max(cover, known.cover)) if known else FolderCount(files, cover)
            )

    def to_bytes(self) -> bytes:
        """Return the counts in the form that is stored."""
        values = {
            "contents": self.contents,
            "absent": self.absent,
            "facts": {name: list(counts.items()) for name, counts in self.facts.items()},
            "places": list(self.places.items()),
            "people": [(key, self.people_names[key], number) for key, number in self.people.items()],
            "tags": list(self.tags.items()),
            "folders": [(root, path.decode("latin-1"), *count) for (root, path), count in self.folders.items()],
        }
        return zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 1)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "BlockCounts":
        """Return what `to_bytes` has stored."""
        values = json.loads(zlib.decompress(stored))
        return cls(
            contents=values["contents"],
            absent=values["absent"],
            facts={name: Counter(dict(counts)) for name, counts in values["facts"].items()},
            places=Counter(dict(values["places"])),
            people=Counter({key: number for key, _, number in values["people"]}),
            people_names={key: name for key, name, _ in values["people"]},
            tags=Counter(dict(values["tags"])),
            folders={
                (root, path.encode("latin-1")): FolderCount(files, cover)
                for root, path, files, cover in values["folders"]
            },
        )


def count_block(connection: Connection, number: int) -> BlockCounts:
    """Count the contents of a block."""
    counts = BlockCounts()
    columns = list(FACT_COLUMNS.values())
    rows = _plain_rows(connection, select(*columns).where(_in_block(Content.id, number), _has_file()))
    counts.contents = len(rows)
    # In Python, because grouping by all columns at once takes longer: nearly every content has values of its own.
    for name, values in zip(FACT_COLUMNS, zip(*rows, strict=True), strict=False):
        counts.facts[name] = Counter(values)
    every = connection.scalar(select(func.count()).select_from(Content).where(_in_block(Content.id, number))) or 0
    counts.absent = every - counts.contents
    counts.places = _counter(connection, _places(number))
    for key, name, contents in connection.execute(_people(number)):
        counts.people[key], counts.people_names[key] = contents, name
    counts.tags = _counter(connection, _tags(number))
    counts.folders = _folders(connection, number)
    return counts


def _plain_rows(connection: Connection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of texts as the driver has them, in half the time."""
    cursor = connection.execute(statement).cursor
    return [] if cursor is None else list(cursor.fetchall())


def _has_file() -> ColumnElement[bool]:
    return select(Picture.id).where(Picture.content_id == Content.id, _PRESENT).exists()


def _in_block(column: Any, number: int) -> ColumnElement[bool]:
    return and_(column >= number * BLOCK_SIZE, column < (number + 1) * BLOCK_SIZE)


def _counter(connection: Connection, statement: Executable) -> Counter[Any]:
    return Counter({row[0]: row[1] for row in connection.execute(statement)})


def _places(number: int) -> Select[int | None, int]:
    statement = (
        select(ContentPlace.place_id, func.count())
        .join(Content, Content.id == ContentPlace.content_id)
        .where(_in_block(ContentPlace.content_id, number), _has_file())
        .where(ContentPlace.place_id.is_not(None), not_(has_own_place()))
    )
    return statement.group_by(ContentPlace.place_id)


def _people(number: int) -> Select[str, str, int]:
    statement = (
        select(PersonRow.key, func.min(PersonRow.name), func.count())
        .join(Content, Content.id == PersonRow.content_id)
        .where(_in_block(PersonRow.content_id, number), _has_file())
    )
    return statement.group_by(PersonRow.key)


def _tags(number: int) -> Select[Any]:
    of_contents = select(ContentTag.tag_id, ContentTag.content_id).where(_in_block(ContentTag.content_id, number))
    of_files = (
        select(PictureTag.tag_id, Picture.content_id)
        .join(Picture, Picture.id == PictureTag.picture_id)
        .where(_PRESENT, _in_block(Picture.content_id, number))
    )
    tagged = union_all(of_contents, of_files).subquery()
    statement = (
        select(tagged.c.tag_id, func.count(tagged.c.content_id.distinct()))
        .join(Content, Content.id == tagged.c.content_id)
        .where(_has_file())
    )
    return statement.group_by(tagged.c.tag_id)


def _folders(connection: Connection, number: int) -> dict[tuple[int, bytes], FolderCount]:
    # The ID of a document is no path.
    folder = case((Root.kind == RootKind.FOLDER, Picture.folder), else_=b"")
    statement = (
        select(Picture.root_id, folder, func.count(), func.max(Picture.content_id))
        .join(Root, Root.id == Picture.root_id)
        .where(_in_block(Picture.content_id, number), _PRESENT)
        .group_by(Picture.root_id, folder)
    )
    return {(root, path): FolderCount(files, cover) for root, path, files, cover in connection.execute(statement)}


def _add(counts: Counter[Any], others: Counter[Any]) -> None:
    for value, number in others.items():  # `update` of a Counter is slower
        counts[value] += number
