"""Counts of pictures by camera, month, folder, tag and other facets."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, String, cast, func, select, union_all

from store.catalog.tables import Content, ContentTag, Picture, PictureState, PictureTag, Root, RootKind, Tag
from store.filters.conditions import Condition
from store.filters.fields import FIELDS
from store.filters.selection import matching_contents
from store.library import Library

__all__ = ["FACETS", "Facet", "Facets", "count_facets"]

FACETS = ("year", "month", "camera", "lens", "format", "orientation", "tag", "folder")


@dataclass(frozen=True)
class Facet:
    """How many pictures have `value`. A value of None stands for pictures without one."""

    value: str | None
    pictures: int


@dataclass(frozen=True)
class Facets:
    """Counts of pictures; copies count once, but in each of their folders."""

    pictures: int
    counts: dict[str, tuple[Facet, ...]]
    """By facet. Years and months ascend, other facets start with the largest count; None is last."""


def count_facets(library: Library, condition: Condition | None = None, facets: Sequence[str] = FACETS) -> Facets:
    """Count the contents that `condition` keeps, by each of `facets`. Raises `InvalidQuery` and `PathNotIndexed`."""
    with library.read() as connection:
        is_kept = matching_contents(connection, condition)
        by_facet, pictures = _count_contents(connection, is_kept)
        if "tag" in facets:
            by_facet["tag"] = _count_tags(connection, is_kept)
        if "folder" in facets:
            by_facet["folder"] = _count_folders(connection, is_kept)
    return Facets(pictures, {name: _ordered(name, by_facet[name]) for name in facets})


def _count_contents(connection: Connection, is_kept: ColumnElement[bool]) -> tuple[dict[str, Counter[str | None]], int]:
    """Count all facets that are columns of a content, in one pass: a large library has few combinations of them."""
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
    for *values, number in connection.execute(select(*columns, func.count()).where(is_kept).group_by(*columns)):
        total += number
        for name, value in zip(names, values, strict=True):
            counts[name][value] += number
        counts["year"][values[0][:4] if values[0] else None] += number
    return counts, total


def _count_tags(connection: Connection, is_kept: ColumnElement[bool]) -> Counter[str | None]:
    of_contents = select(ContentTag.tag_id, ContentTag.content_id)
    of_files = (
        select(PictureTag.tag_id, Picture.content_id)
        .join(Picture, Picture.id == PictureTag.picture_id)
        .where(Picture.state == PictureState.PRESENT)
    )
    tagged = union_all(of_contents, of_files).subquery()
    statement = (
        select(Tag.name, func.count(tagged.c.content_id.distinct()))
        .join(tagged, tagged.c.tag_id == Tag.id)
        .join(Content, Content.id == tagged.c.content_id)
        .where(is_kept)
        .group_by(Tag.id)
    )
    return Counter({row[0]: row[1] for row in connection.execute(statement)})


def _count_folders(connection: Connection, is_kept: ColumnElement[bool]) -> Counter[str | None]:
    """Count files by folder; documents have none."""
    folders = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER))
    roots = {row.id: row.path for row in folders}
    folder = func.sightline_folder(Picture.relpath)
    statement = (
        select(Picture.root_id, folder, func.count())
        .join(Content, Content.id == Picture.content_id)
        .where(Picture.state == PictureState.PRESENT, Picture.root_id.in_(list(roots)), is_kept)
        .group_by(Picture.root_id, folder)
    )
    return Counter(
        {
            str(Path(os.fsdecode(roots[root_id])) / os.fsdecode(relpath)): number
            for root_id, relpath, number in connection.execute(statement)
        }
    )


def _ordered(name: str, counts: Counter[str | None]) -> tuple[Facet, ...]:
    by_time = name in ("year", "month")

    def sort_key(item: tuple[str | None, int]) -> tuple[bool, int, str]:
        value, number = item
        return value is None, 0 if by_time else -number, value or ""

    return tuple(Facet(value, number) for value, number in sorted(counts.items(), key=sort_key))
