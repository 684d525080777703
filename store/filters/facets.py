"""Counts of pictures by camera, month, folder, tag and other facets.

Those of the whole library are kept, and what is needed to count those of many of its pictures (`store.kept_counts`).
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select, union_all

from core.object_paths import as_path
from store.catalog.portable_sql import MONTH_LENGTH, date_text
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
from store.filters.people_and_places import has_own_place
from store.filters.selection import candidates_in, matching_contents
from store.kept_counts.block_columns import FACT_COLUMNS
from store.kept_counts.block_counts import BlockCounts
from store.kept_counts.keeping import count_everything
from store.kept_counts.selected import count_selected
from store.library import Library

__all__ = ["FACETS", "Facet", "Facets", "count_facets"]

FACETS = (
    "year", "month", "camera", "lens", "person", "country", "city", "format", "orientation", "tag", "folder",
)  # fmt: skip


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
    if condition is None:
        by_facet, pictures = _count_everything(library)
    else:
        by_facet, pictures = _count_matching(library, condition, facets)
    by_facet["year"] = _by_year(by_facet["month"])
    return Facets(pictures, {name: _ordered(name, by_facet[name]) for name in facets})


def _count_everything(library: Library) -> tuple[dict[str, Counter[str | None]], int]:
    """Return the counts that are kept, with names in place of IDs."""
    kept = count_everything(library)
    with library.read() as connection:  # a later view: a tag may be gone
        return _named(connection, kept), kept.contents


def _named(connection: Connection, kept: BlockCounts) -> dict[str, Counter[str | None]]:
    """Return counts with names in place of IDs."""
    places = {row.id: row for row in connection.execute(select(PlaceRow.id, PlaceRow.country, PlaceRow.city))}
    tags = {row.id: row.name for row in connection.execute(select(Tag.id, Tag.name))}
    roots = _folder_roots(connection)
    by_facet = {name: counts.copy() for name, counts in kept.facts.items()}
    for place, number in kept.places.items():
        if place in places:
            _move_to_place(by_facet, places[place].country, places[place].city, number)
    _drop_zeros(by_facet)
    by_facet["person"] = Counter({kept.people_names[key]: number for key, number in kept.people.items()})
    by_facet["tag"] = Counter({tags[tag]: number for tag, number in kept.tags.items() if tag in tags})
    by_facet["folder"] = Counter(
        {
            _folder_path(roots[root], folder): count.files
            for (root, folder), count in kept.folders.items()
            if root in roots
        }
    )
    return by_facet


def _count_matching(
    library: Library, condition: Condition, facets: Sequence[str]
) -> tuple[dict[str, Counter[str | None]], int]:
    """Count the columns of the contents that are kept; if they are few, count rows."""
    with library.read() as connection:
        counted = count_selected(library, connection, candidates_in(connection, condition))
        if counted is not None:
            return _named(connection, counted), counted.contents
        is_kept = matching_contents(connection, condition)
        by_facet, pictures = _count_contents(connection, is_kept)
        if "country" in facets or "city" in facets:
            _add_places(connection, is_kept, by_facet)
        if "person" in facets:
            by_facet["person"] = _count_people(connection, is_kept)
        if "tag" in facets:
            by_facet["tag"] = _count_tags(connection, is_kept)
        if "folder" in facets:
            by_facet["folder"] = _count_folders(connection, is_kept)
    return by_facet, pictures


def _count_contents(connection: Connection, is_kept: ColumnElement[bool]) -> tuple[dict[str, Counter[str | None]], int]:
    """Count all facets that are columns of a content, in one pass: a large library has few combinations of them."""
    facts = {"month": date_text(Content.taken_at, MONTH_LENGTH), **FACT_COLUMNS}
    counts = {name: Counter[str | None]() for name in facts}
    total = 0
    columns = facts.values()
    for *values, number in connection.execute(select(*columns, func.count()).where(is_kept).group_by(*columns)):
        total += number
        for name, value in zip(facts, values, strict=True):
            counts[name][value] += number
    return counts, total


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
        _move_to_place(counts, country, city, number)
    _drop_zeros(counts)


def _move_to_place(counts: dict[str, Counter[str | None]], country: str, city: str, number: int) -> None:
    for name, value in (("country", country), ("city", city)):
        counts[name][value] += number
        counts[name][None] -= number


def _drop_zeros(counts: dict[str, Counter[str | None]]) -> None:
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


def _count_folders(connection: Connection, is_kept: ColumnElement[bool]) -> Counter[str | None]:
    """Count the present files of the kept contents by folder; documents have none."""
    roots = _folder_roots(connection)
    statement = (
        select(Picture.root_id, Picture.folder, func.count())
        .join(Content, Content.id == Picture.content_id)
        .where(Picture.state == PictureState.PRESENT, Picture.root_id.in_(list(roots)), is_kept)
        .group_by(Picture.root_id, Picture.folder)
    )
    return Counter(
        {_folder_path(roots[root], folder): number for root, folder, number in connection.execute(statement)}
    )


def _folder_roots(connection: Connection) -> dict[int, bytes]:
    folders = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER))
    return {row.id: row.path for row in folders}


def _folder_path(root: bytes, folder: bytes) -> str:
    return str(as_path(root) / os.fsdecode(folder))


def _ordered(name: str, counts: Counter[str | None]) -> tuple[Facet, ...]:
    by_time = name in ("year", "month")

    def sort_key(item: tuple[str | None, int]) -> tuple[bool, int, str]:
        value, number = item
        return value is None, 0 if by_time else -number, value or ""

    return tuple(Facet(value, number) for value, number in sorted(counts.items(), key=sort_key))
