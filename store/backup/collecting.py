"""From the catalogue to the records of a snapshot. Nothing but user data is read."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, func, select, union

from store.backup.records import AlbumPicture, FilePlace, PictureName, PictureRecord, Record, SavedAlbum, TellApart
from store.backup.snapshot_file import SnapshotRoot
from store.catalog.id_sets import batch_slices, read_ids
from store.catalog.tables import (
    Album,
    AlbumContent,
    Content,
    ContentTag,
    DistinctPair,
    LibraryState,
    Picture,
    PictureState,
    Root,
    SpaceRow,
    Tag,
    TagSource,
)

__all__ = ["active_model", "collect", "count_records", "list_snapshot_roots"]

MAX_PLACES = 8
"""Files that are listed for one content; an empty picture may have thousands of copies."""

BATCH = 2_000
"""Contents, or rows, that are read at a time."""


def list_snapshot_roots(connection: Connection) -> dict[int, SnapshotRoot]:
    """Return the roots of the library by ID, in the order in which a snapshot numbers them."""
    rows = connection.execute(select(Root.id, Root.path, Root.kind).order_by(Root.id))
    return {row.id: SnapshotRoot(row.path, row.kind) for row in rows}


def active_model(connection: Connection) -> str | None:
    """Return the name of the model of the active space."""
    active = select(LibraryState.active_space_id).scalar_subquery()
    return connection.scalar(select(SpaceRow.model).where(SpaceRow.id == active))


def count_records(connection: Connection) -> dict[str, int]:
    """Return the number of records that `collect` yields, by type."""

    def count(table: FromClause) -> int:
        return connection.scalar(select(func.count()).select_from(table)) or 0

    return {
        "picture": count(_said()),
        "album": count(Album.__table__),
        "album_picture": count(AlbumContent.__table__),
        "distinct": count(DistinctPair.__table__),
    }


def collect(connection: Connection) -> Iterator[Record]:
    """Yield user data, within one read transaction: pictures, albums with their pictures, verdicts."""
    numbers = {root_id: number for number, root_id in enumerate(list_snapshot_roots(connection))}
    yield from _pictures(connection, numbers)
    yield from _albums(connection, numbers)
    yield from _verdicts(connection, numbers)


def _pictures(connection: Connection, numbers: dict[int, int]) -> Iterator[Record]:
    ids = read_ids(connection, select(_said().c.id)).tolist()
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        names, tags = _names(connection, batch, numbers), _tags(connection, batch)
        ratings = connection.execute(select(Content.id, Content.user_rating).where(Content.id.in_(batch)))
        rating_of = {row.id: row.user_rating for row in ratings}
        for content_id in batch:
            yield PictureRecord(names[content_id], tuple(tags.get(content_id, ())), rating_of[content_id])


def _said() -> FromClause:
    """Return the IDs of the contents that users have tagged or rated."""
    tagged = select(ContentTag.content_id.label("id")).where(ContentTag.source == TagSource.USER)
    return union(tagged, select(Content.id).where(Content.user_rating.is_not(None))).subquery()


def _tags(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags by users of each content, in the order of their names."""
    statement = (
        select(ContentTag.content_id, Tag.name)
        .join(Tag, Tag.id == ContentTag.tag_id)
        .where(ContentTag.content_id.in_(ids), ContentTag.source == TagSource.USER)
        .order_by(Tag.key)
    )
    tags = defaultdict[int, list[str]](list)
    for row in connection.execute(statement):
        tags[row.content_id].append(row.name)
    return tags


def _albums(connection: Connection, numbers: dict[int, int]) -> Iterator[Record]:
    for row in connection.execute(select(Album.__table__).order_by(Album.key)).all():
        cover = None
        if row.cover_id is not None:
            cover = _names(connection, [row.cover_id], numbers).get(row.cover_id)
        yield SavedAlbum(row.name, row.by_hand, row.created_at, row.query, row.condition, row.top, cover)
        if row.by_hand:
            yield from _album_pictures(connection, row, numbers)


def _album_pictures(connection: Connection, album: Any, numbers: dict[int, int]) -> Iterator[Record]:
    members = (
        select(AlbumContent.content_id)
        .where(AlbumContent.album_id == album.id)
        .order_by(AlbumContent.position, AlbumContent.content_id)
    )
    ids = list(connection.execute(members).scalars())
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        names = _names(connection, batch, numbers)
        yield from (AlbumPicture(album.name, names[content_id]) for content_id in batch)


def _verdicts(connection: Connection, numbers: dict[int, int]) -> Iterator[Record]:
    statement = select(DistinctPair.first_id, DistinctPair.second_id)
    pairs = connection.execute(statement.order_by(DistinctPair.first_id, DistinctPair.second_id)).all()
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        names = _names(connection, sorted({content_id for pair in batch for content_id in pair}), numbers)
        yield from (TellApart(names[row.first_id], names[row.second_id]) for row in batch)


def _names(connection: Connection, ids: Sequence[int], numbers: dict[int, int]) -> dict[int, PictureName]:
    """Return the names of contents: the places of present files come first."""
    digests: dict[int, bytes] = {}
    places = defaultdict[int, list[FilePlace]](list)
    for batch in batch_slices(len(ids)):
        chosen = ids[batch]
        contents = select(Content.id, Content.digest).where(Content.id.in_(chosen))
        digests |= {row.id: row.digest for row in connection.execute(contents)}
        order = (Picture.state != PictureState.PRESENT, Picture.id)
        rank = func.row_number().over(partition_by=Picture.content_id, order_by=order).label("rank")
        files = select(Picture.content_id, Picture.root_id, Picture.relpath, rank).where(Picture.content_id.in_(chosen))
        ranked = files.subquery()
        first = select(ranked).where(ranked.c.rank <= MAX_PLACES).order_by(ranked.c.content_id, ranked.c.rank)
        for row in connection.execute(first):
            places[row.content_id].append(FilePlace(numbers[row.root_id], row.relpath))
    return {
        content_id: PictureName(digest, tuple(places.get(content_id, ()))) for content_id, digest in digests.items()
    }
