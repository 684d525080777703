"""User data about a picture stays with it when its file is edited in place.

An edited file has a new content. Tags and ratings by users, places in albums and verdicts on near-duplicates then move
from the content that was at this path. Files that were renamed in a row look the same at first: each path has the
content of the next one. Therefore a batch only records which contents were replaced (`record_replaced`). When all files
of the folder have been read (`mark_run_complete`), `carry_over` moves the data from contents that no file has any more.

A run can be stopped between two batches, and the library be changed by others until it goes on. A replaced content may
then have no file for the moment: `store.check.remove_orphans` keeps it, and no other run settles it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal, select, true, update

from store.catalog.bulk_insert import insert_new
from store.catalog.id_sets import batch_slices
from store.catalog.portable_sql import greater_of, lesser_of
from store.catalog.tables import (
    Album,
    AlbumContent,
    Content,
    ContentTag,
    DistinctPair,
    Picture,
    ReplacedContent,
    TagSource,
)
from store.roots import RootLocation

__all__ = [
    "Replacement",
    "carry_over",
    "has_completed",
    "has_replaced",
    "last_record",
    "mark_run_complete",
    "record_replaced",
    "without_files",
]


class Replacement(NamedTuple):
    """A content, and the one in its place: None if that is a copy of another picture, or unreadable."""

    replaced_id: int
    content_id: int | None


def without_files(connection: Connection, content_ids: set[int]) -> set[int]:
    """Return those of the contents that no picture has."""
    ids = sorted(content_ids)
    left = set(ids)
    for batch in batch_slices(len(ids)):
        used = select(Picture.content_id).where(Picture.content_id.in_(ids[batch]))
        left -= set(connection.execute(used).scalars())
    return left


def record_replaced(connection: Connection, location: RootLocation, replaced: Sequence[Replacement]) -> None:
    """Record contents that a run over `location` did not find any more where they were."""
    where = {"root_id": location.root_id, "beneath": location.beneath}
    if replaced:
        connection.execute(insert(ReplacedContent), [{**where, **each._asdict()} for each in replaced])


def mark_run_complete(connection: Connection, location: RootLocation, after: int = 0) -> None:
    """Record that all files at and below `location` have been looked at; `carry_over` may settle what was replaced.

    A run that looked at some of them only settles what it replaced itself: the records with IDs greater than `after`.
    """
    recorded = [*_covered_by(location), ReplacedContent.id > after]
    connection.execute(update(ReplacedContent).where(*recorded).values(is_run_complete=True))


def has_replaced(connection: Connection, location: RootLocation, after: int = 0) -> bool:
    """Return whether there is anything for `mark_run_complete` to mark."""
    recorded = [*_covered_by(location), ReplacedContent.id > after]
    return connection.scalar(select(ReplacedContent.id).where(*recorded).limit(1)) is not None


def last_record(connection: Connection) -> int:
    """Return the ID of the last record, 0 if there is none."""
    return connection.scalar(select(func.max(ReplacedContent.id))) or 0


def has_completed(connection: Connection) -> bool:
    """Return whether there is anything for `carry_over` to decide."""
    complete = select(ReplacedContent.id).where(ReplacedContent.is_run_complete == true())
    return connection.scalar(complete.limit(1)) is not None


def carry_over(connection: Connection) -> int:
    """Move the data of users from contents without a file to those that replaced them; return how many there were.

    Contents that a run which is not complete has replaced as well are left for later.
    """
    unfinished = select(ReplacedContent.replaced_id).where(ReplacedContent.is_run_complete != true())
    rows = connection.execute(
        select(ReplacedContent.id, ReplacedContent.content_id, ReplacedContent.replaced_id)
        .where(ReplacedContent.is_run_complete == true(), ReplacedContent.replaced_id.not_in(unfinished))
        .order_by(ReplacedContent.id)
    ).all()
    gone = without_files(connection, {row.replaced_id for row in rows})
    moved = [
        (row.replaced_id, row.content_id) for row in rows if row.replaced_id in gone and row.content_id is not None
    ]
    for old, new in moved:
        _copy_tags_and_rating(connection, old, new)
        _copy_places_in_albums(connection, old, new)
        _copy_verdicts(connection, old, new)
    for old in {old for old, _ in moved}:
        connection.execute(delete(AlbumContent).where(AlbumContent.content_id == old))
    ids = [row.id for row in rows]
    for batch in batch_slices(len(ids)):
        connection.execute(delete(ReplacedContent).where(ReplacedContent.id.in_(ids[batch])))
    return len(moved)


def _covered_by(location: RootLocation) -> list[ColumnElement[bool]]:
    """Return conditions for what was recorded by runs over `location` or a folder below it."""
    conditions: list[ColumnElement[bool]] = [ReplacedContent.root_id == location.root_id]
    if location.beneath:
        first, beyond = location.beneath + b"/", location.beneath + b"0"  # "0" is the character after "/"
        below = (ReplacedContent.beneath >= first) & (ReplacedContent.beneath < beyond)
        conditions.append((ReplacedContent.beneath == location.beneath) | below)
    return conditions


def _copy_tags_and_rating(connection: Connection, old: int, new: int) -> None:
    tags = select(ContentTag.tag_id, literal(new), ContentTag.source, ContentTag.probability).where(
        ContentTag.content_id == old, ContentTag.source == TagSource.USER
    )
    columns = ["tag_id", "content_id", "source", "probability"]
    connection.execute(insert_new(ContentTag).from_select(columns, tags))
    rating = connection.scalar(select(Content.user_rating).where(Content.id == old))
    is_unrated = Content.user_rating.is_(None)
    connection.execute(update(Content).where(Content.id == new, is_unrated).values(user_rating=rating))


def _copy_places_in_albums(connection: Connection, old: int, new: int) -> None:
    """Put the new content in the places of the old one, unless an album has it already."""
    places = select(AlbumContent.album_id, literal(new), AlbumContent.position).where(AlbumContent.content_id == old)
    columns = ["album_id", "content_id", "position"]
    connection.execute(insert_new(AlbumContent).from_select(columns, places))
    connection.execute(update(Album).where(Album.cover_id == old).values(cover_id=new))


def _copy_verdicts(connection: Connection, old: int, new: int) -> None:
    for one, other in (
        (DistinctPair.first_id, DistinctPair.second_id),
        (DistinctPair.second_id, DistinctPair.first_id),
    ):
        pairs = select(lesser_of(other, new), greater_of(other, new)).where(one == old, other != new)
        connection.execute(insert_new(DistinctPair).from_select(["first_id", "second_id"], pairs))
