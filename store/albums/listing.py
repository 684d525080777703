"""The pictures of an album by hand in its order, and counts and covers of albums."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, cast, func, not_, select, true

from core.errors import AlbumIsSearch, InvalidQuery, PathNotIndexed, UnknownAlbum
from store.albums.records import AlbumRecord, album_row, to_record
from store.catalog.tables import Album, AlbumContent, Content, Picture, PictureState
from store.filters.conditions import Condition
from store.filters.selection import matching_contents
from store.library import Library
from store.queries import MAX_PAGE_SIZE, RecordPage, content_records_in, newest_contents

__all__ = ["AlbumSummary", "contents_in_order", "list_album_summaries", "position_in_album", "summarize_album"]


@dataclass(frozen=True)
class AlbumSummary:
    """An album with the number of its present pictures, and the picture to show for it."""

    album: AlbumRecord
    pictures: int | None
    """None for a saved search that was not counted, that is ranked, or whose filters cannot be applied now."""
    missing: int
    """Pictures of an album by hand whose files are missing. They are in the album, and are shown when they return."""
    cover: int | None
    """The chosen picture if a file of it is present, or else the first one; None if there is none, or as above."""


def list_album_summaries(library: Library) -> list[AlbumSummary]:
    """Return all albums, sorted by name. Saved searches are not run: `summarize_album` does so for one."""
    with library.read() as connection:
        rows = connection.execute(select(Album.__table__).order_by(Album.key)).all()
        counts = _counts(connection)
        covers = _covers(connection)
    summaries = []
    for row in rows:
        pictures, missing = counts.get(row.id, (0, 0))
        counted = pictures if row.by_hand else None
        summaries.append(AlbumSummary(to_record(row), counted, missing, covers.get(row.id)))
    return summaries


def summarize_album(library: Library, name: str) -> AlbumSummary:
    """Return an album with its count and cover. Raises `UnknownAlbum`.

    A saved search that ranks has neither, unless a cover was chosen. The same is true of one whose filters cannot be
    applied now, for example as the library does not contain their folder any more.
    """
    with library.read() as connection:
        row = album_row(connection, name)
        record, cover = to_record(row), _covers(connection).get(row.id)
        if record.by_hand:
            pictures, missing = _counts(connection).get(row.id, (0, 0))
            return AlbumSummary(record, pictures, missing, cover)
    if record.is_ranked:
        return AlbumSummary(record, None, 0, cover)
    try:
        page = newest_contents(library, record.condition, 1)
    except (InvalidQuery, PathNotIndexed, UnknownAlbum):
        return AlbumSummary(record, None, 0, cover)
    if cover is None and page.records:
        cover = page.records[0].id
    return AlbumSummary(record, page.total, 0, cover)


def contents_in_order(
    library: Library, name: str, condition: Condition | None, limit: int, after: int | None = None
) -> RecordPage:
    """Return up to `limit` present contents of an album by hand that `condition` keeps, in the order of the album.

    `after` is the `position_in_album` of the last content on the previous page. Raises `UnknownAlbum`,
    `AlbumIsSearch`, and what the condition raises.
    """
    with library.read() as connection:
        row = album_row(connection, name)
        if not row.by_hand:
            raise AlbumIsSearch(row.name)
        is_kept = matching_contents(connection, condition)
        kept = _members(row.id).where(is_kept)
        total = connection.scalar(select(func.count()).select_from(kept.subquery())) or 0
        rest = kept.where(true() if after is None else AlbumContent.position > after)
        page = rest.order_by(AlbumContent.position).limit(min(limit, MAX_PAGE_SIZE) + 1)
        ids = list(connection.execute(page).scalars())
        records = content_records_in(connection, ids[:limit])
    return RecordPage(tuple(records[content_id] for content_id in ids[:limit]), len(ids) > limit, total)


def position_in_album(library: Library, name: str, content_id: int) -> int:
    """Return the position of a content in an album by hand; of one that is not in it, a position after all."""
    with library.read() as connection:
        position = select(AlbumContent.position).where(
            AlbumContent.album_id == album_row(connection, name).id, AlbumContent.content_id == content_id
        )
        found = connection.scalar(position)
    return MAX_PAGE_SIZE if found is None else found


def _members(album_id: int) -> Select[int]:
    return (
        select(AlbumContent.content_id)
        .join(Content, Content.id == AlbumContent.content_id)
        .where(AlbumContent.album_id == album_id)
    )


def _is_present(content: ColumnElement[int] | ColumnElement[int | None]) -> ColumnElement[bool]:
    return _has_file(content, PictureState.PRESENT)


def _has_file(content: ColumnElement[int] | ColumnElement[int | None], *states: PictureState) -> ColumnElement[bool]:
    return select(Picture.id).where(Picture.content_id == content, Picture.state.in_(states)).exists()


def _counts(connection: Connection) -> Mapping[int, tuple[int, int]]:
    """The numbers of present and of missing pictures of each album by hand that has any."""
    content = AlbumContent.content_id.expression
    is_present = _is_present(content)
    is_missing = and_(not_(is_present), _has_file(content, PictureState.MISSING, PictureState.FAILED))
    numbers = [func.sum(cast(condition, Integer)) for condition in (is_present, is_missing)]
    rows = connection.execute(select(AlbumContent.album_id, *numbers).group_by(AlbumContent.album_id))
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def _covers(connection: Connection) -> Mapping[int, int]:
    """The chosen cover of each album, or the first present picture of an album by hand."""
    first = (
        select(AlbumContent.content_id)
        .where(AlbumContent.album_id == Album.id, _is_present(AlbumContent.content_id.expression))
        .order_by(AlbumContent.position)
        .limit(1)
        .correlate(Album)
        .scalar_subquery()
    )
    chosen = select(Album.cover_id).where(Album.cover_id.is_not(None), _is_present(Album.cover_id.expression))
    statement = select(Album.id, Album.cover_id, first.label("first"), Album.cover_id.in_(chosen).label("is_shown"))
    return {
        row.id: cover
        for row in connection.execute(statement)
        if (cover := row.cover_id if row.is_shown else row.first) is not None
    }
