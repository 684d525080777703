"""What the pictures of a library, or those that filters keep, have in common: counts by camera, month, folder, tag."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, String, cast, func, select, union_all

from search.filters.filters import Filters
from search.kept import kept
from store.catalog.annotations import ContentTag, PictureTag, Tag
from store.catalog.tables import Content, Picture, Root, RootKind, State
from store.filters.fields import FIELDS
from store.library import Library

__all__ = ["FACETS", "Facet", "Facets", "count_facets"]

FACETS = ("year", "month", "camera", "lens", "format", "orientation", "tag", "folder")


@dataclass(frozen=True)
class Facet:
    """How many pictures have `value`; None where nothing is known."""

    value: str | None
    pictures: int


@dataclass(frozen=True)
class Facets:
    """Counts of the pictures that filters keep; copies count once, but in each of their folders."""

    pictures: int
    counts: dict[str, tuple[Facet, ...]]
    """By facet. Years and months ascend, all else begins with the largest; what is not known comes last."""


def count_facets(library: Library, filters: Filters | None = None, facets: Sequence[str] = FACETS) -> Facets:
    """Counts what `filters` keep. Raises `InvalidQuery` and `NothingKnown` as a search does."""
    with library.read() as connection:
        held = kept(connection, filters)
        by_facet, pictures = _count_contents(connection, held)
        if "tag" in facets:
            by_facet["tag"] = _count_tags(connection, held)
        if "folder" in facets:
            by_facet["folder"] = _count_folders(connection, held)
    return Facets(pictures, {name: _ordered(name, by_facet[name]) for name in facets})


def _count_contents(connection: Connection, held: ColumnElement[bool]) -> tuple[dict[str, Counter[str | None]], int]:
    """All that stands in the row of a content, in one pass: there are few combinations of it, however many pictures."""
    columns = (
        func.substr(cast(Content.taken_at, String), 1, 7),
        Content.camera,
        Content.lens,
        FIELDS["format"].value,
        FIELDS["orientation"].value,
    )
    names = ("month", "camera", "lens", "format", "orientation")
    counts = {name: Counter[str | None]() for name in (*names, "year")}
    total = 0
    for *values, number in connection.execute(select(*columns, func.count()).where(held).group_by(*columns)):
        total += number
        for name, value in zip(names, values, strict=True):
            counts[name][value] += number
        counts["year"][values[0][:4] if values[0] else None] += number
    return counts, total


def _count_tags(connection: Connection, held: ColumnElement[bool]) -> Counter[str | None]:
    said = select(ContentTag.tag_id, ContentTag.content_id)
    beside = (
        select(PictureTag.tag_id, Picture.content_id)
        .join(Picture, Picture.id == PictureTag.picture_id)
        .where(Picture.state == State.PRESENT)
    )
    every = union_all(said, beside).subquery()
    statement = (
        select(Tag.name, func.count(every.c.content_id.distinct()))
        .join(every, every.c.tag_id == Tag.id)
        .join(Content, Content.id == every.c.content_id)
        .where(held)
        .group_by(Tag.id)
    )
    return Counter({row[0]: row[1] for row in connection.execute(statement)})


def _count_folders(connection: Connection, held: ColumnElement[bool]) -> Counter[str | None]:
    """Files, by the folder they lie in; documents lie in none."""
    folders = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER))
    roots = {row.id: row.path for row in folders}
    folder = func.sightline_folder(Picture.relpath)
    statement = (
        select(Picture.root_id, folder, func.count())
        .join(Content, Content.id == Picture.content_id)
        .where(Picture.state == State.PRESENT, Picture.root_id.in_(list(roots)), held)
        .group_by(Picture.root_id, folder)
    )
    return Counter(
        {
            str(Path(os.fsdecode(roots[root_id])) / os.fsdecode(beneath)): number
            for root_id, beneath, number in connection.execute(statement)
        }
    )


def _ordered(name: str, counts: Counter[str | None]) -> tuple[Facet, ...]:
    by_time = name in ("year", "month")

    def place(item: tuple[str | None, int]) -> tuple[bool, int, str]:
        value, number = item
        return value is None, 0 if by_time else -number, value or ""

    return tuple(Facet(value, number) for value, number in sorted(counts.items(), key=place))
