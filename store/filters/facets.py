"""Counts of pictures by camera, month, folder, tag and other facets."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, SQLColumnExpression, String, cast, func, select, union_all

from store.catalog.tables import (
    Content,
    ContentPlace,
    ContentTag,
    PersonRow,
    Picture,
    PictureState,
    PictureTag,
    PlaceRow,
    Root,
    RootKind,
    Tag,
)
from store.filters.conditions import Condition
from store.filters.fields import FIELDS
from store.filters.people_and_places import has_own_place
from store.filters.selection import absent_contents, scanned_contents
from store.library import Library

__all__ = ["FACETS", "Facet", "Facets", "count_facets"]

FACETS = (
    "year", "month", "camera", "lens", "person", "country", "city", "format", "orientation", "tag", "folder",
)  # fmt: skip


COLUMNS: dict[str, SQLColumnExpression[Any]] = {
    "month": func.substr(cast(Content.taken_at, String), 1, 7),
    "camera": Content.camera,
    "lens": Content.lens,
    "format": FIELDS["format"].value,
    "orientation": FIELDS["orientation"].value,
    "country": Content.country,
    "city": Content.city,
}
"""The facets that are columns of a content, but for the year, which is a part of the month."""


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
        is_kept = scanned_contents(connection, condition)
        by_facet, pictures = _count_all(connection) if condition is None else _count_contents(connection, is_kept)
        by_facet["year"] = _by_year(by_facet["month"])
        if "country" in facets or "city" in facets:
            _add_places(connection, is_kept, by_facet)
        if "person" in facets:
            by_facet["person"] = _count_people(connection, is_kept)
        if "tag" in facets:
            by_facet["tag"] = _count_tags(connection, is_kept)
        if "folder" in facets:
            by_facet["folder"] = _count_folders(connection, None if condition is None else is_kept)
    return Facets(pictures, {name: _ordered(name, by_facet[name]) for name in facets})


def _count_contents(connection: Connection, is_kept: ColumnElement[bool]) -> tuple[dict[str, Counter[str | None]], int]:
    """Count all facets that are columns of a content, in one pass: a large library has few combinations of them."""
    counts = {name: Counter[str | None]() for name in COLUMNS}
    total = 0
    columns = COLUMNS.values()
    for *values, number in connection.execute(select(*columns, func.count()).where(is_kept).group_by(*columns)):
        total += number
        for name, value in zip(COLUMNS, values, strict=True):
            counts[name][value] += number
    return counts, total


def _count_all(connection: Connection) -> tuple[dict[str, Counter[str | None]], int]:
    """As `_count_contents` for all contents with a present file, but faster: most columns have an index."""
    absent, _ = _count_contents(connection, Content.id.in_(absent_contents(connection)))
    counts = {}
    for name, column in COLUMNS.items():
        statement = select(column, func.count()).select_from(Content).group_by(column)
        counts[name] = Counter({row[0]: row[1] for row in connection.execute(statement)}) - absent[name]
    return counts, counts["format"].total()


def _by_year(months: Counter[str | None]) -> Counter[str | None]:
    counts = Counter[str | None]()
    for month, number in months.items():
        counts[month and month[:4]] += number
    return counts


def _add_places(connection: Connection, is_kept: ColumnElement[bool], counts: dict[str, Counter[str | None]]) -> None:
    """Count the places that a gazetteer knows of contents whose file names none."""
    statement = (
        select(PlaceRow.country, PlaceRow.city, func.count())
        .select_from(ContentPlace)
        .join(PlaceRow, PlaceRow.id == ContentPlace.place_id)
        .join(Content, Content.id == ContentPlace.content_id)
        .where(is_kept, ~has_own_place())
        .group_by(PlaceRow.country, PlaceRow.city)
    )
    for country, city, number in connection.execute(statement):
        for name, value in (("country", country), ("city", city)):
            counts[name][value] += number
            counts[name][None] -= number
    for name in ("country", "city"):
        counts[name] = +counts[name]


def _count_people(connection: Connection, is_kept: ColumnElement[bool]) -> Counter[str | None]:
    """Count people by the comparable form of their names, and show the form that occurs first."""
    statement = (
        select(func.min(PersonRow.name), func.count())
        .join(Content, Content.id == PersonRow.content_id)
        .where(is_kept)
        .group_by(PersonRow.key)
    )
    return Counter({row[0]: row[1] for row in connection.execute(statement)})


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


def _count_folders(connection: Connection, is_kept: ColumnElement[bool] | None) -> Counter[str | None]:
    """Count the present files, or those of the kept contents, by folder; documents have none."""
    folders = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER))
    roots = {row.id: row.path for row in folders}
    folder = Picture.folder
    statement = (
        select(Picture.root_id, folder, func.count())
        .where(Picture.state == PictureState.PRESENT, Picture.root_id.in_(list(roots)))
        .group_by(Picture.root_id, folder)
    )
    if is_kept is not None:
        statement = statement.join(Content, Content.id == Picture.content_id).where(is_kept)
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
