"""Albums put together by hand: their pictures, and the order of these.

An album has contents, like tags: copies share the membership, and a file that is moved, missing or restored keeps it.
Each change is one short transaction that needs no writer lock, so it never waits for an index run.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from core.errors import AlbumIsSearch, NotInAlbum
from store.albums.records import AlbumRecord, album_row, insert_album
from store.catalog.id_sets import batch_slices
from store.catalog.tables import Album, AlbumContent, Content
from store.library import Library

__all__ = ["add_to_album", "albums_with", "contents_of_album", "create_album", "move_in_album", "remove_from_album"]


def create_album(library: Library, name: str, content_ids: Iterable[int] = ()) -> int:
    """Create an album with these pictures in this order; return how many it has.

    Contents that are not in the library are skipped. Raises `InvalidTag`, and `AlbumExists` if the name is taken.
    """
    with library.transaction() as connection:
        album_id = insert_album(connection, AlbumRecord(name, by_hand=True))
        return _append(connection, album_id, content_ids)


def add_to_album(library: Library, name: str, content_ids: Iterable[int]) -> int:
    """Append pictures to an album in the given order; return how many are new in it.

    Contents that are in the album keep their places, those that are not in the library are skipped. Raises
    `UnknownAlbum`, and `AlbumIsSearch` for a saved search.
    """
    with library.transaction() as connection:
        return _append(connection, _album_by_hand(connection, name).id, content_ids)


def remove_from_album(library: Library, name: str, content_ids: Collection[int]) -> int:
    """Remove pictures from an album; return how many it had. A removed cover is no longer the cover.

    Raises `UnknownAlbum`, and `AlbumIsSearch` for a saved search.
    """
    ids = list(dict.fromkeys(content_ids))
    removed = 0
    with library.transaction() as connection:
        album = _album_by_hand(connection, name)
        for batch in batch_slices(len(ids)):
            members = delete(AlbumContent).where(AlbumContent.album_id == album.id)
            removed += connection.execute(members.where(AlbumContent.content_id.in_(ids[batch]))).rowcount
        if album.cover_id in ids:
            connection.execute(update(Album).where(Album.id == album.id).values(cover_id=None))
    return removed


def move_in_album(library: Library, name: str, content_ids: Sequence[int], before: int | None = None) -> None:
    """Move pictures, in the given order, in front of the picture `before`, or to the end of the album.

    If `before` is itself moved, they take its place. Raises `UnknownAlbum`, `AlbumIsSearch`, and `NotInAlbum` for a
    picture that the album does not contain.
    """
    moved = list(dict.fromkeys(content_ids))
    with library.transaction() as connection:
        album = _album_by_hand(connection, name)
        rows = connection.execute(_in_order(album.id)).all()
        old = [row.content_id for row in rows]
        missing = {*moved, *(() if before is None else (before,))} - set(old)
        if missing:
            raise NotInAlbum(album.name, min(missing))
        new = _moved(old, moved, before)
        positions = [row.position for row in rows]  # they stay; the contents at them change
        changes = [
            {"album": album.id, "content": content_id, "place": position}
            for content_id, before_id, position in zip(new, old, positions, strict=True)
            if content_id != before_id
        ]
        if changes:
            connection.execute(_UPDATE_POSITION, changes)


_UPDATE_POSITION = (
    update(AlbumContent)
    .where(AlbumContent.album_id == bindparam("album"), AlbumContent.content_id == bindparam("content"))
    .values(position=bindparam("place"))
)


def contents_of_album(library: Library, name: str) -> list[int]:
    """Return the contents of an album in its order, also those whose files are missing.

    Raises `UnknownAlbum`, and `AlbumIsSearch` for a saved search.
    """
    with library.read() as connection:
        return [row.content_id for row in connection.execute(_in_order(_album_by_hand(connection, name).id))]


def albums_with(library: Library, content_id: int) -> list[str]:
    """Return the names of the albums by hand that contain this picture, sorted."""
    statement = (
        select(Album.name)
        .join(AlbumContent, AlbumContent.album_id == Album.id)
        .where(AlbumContent.content_id == content_id)
        .order_by(Album.key)
    )
    with library.read() as connection:
        return list(connection.execute(statement).scalars())


def _album_by_hand(connection: Connection, name: str) -> Any:
    row = album_row(connection, name)
    if not row.by_hand:
        raise AlbumIsSearch(row.name)
    return row


def _in_order(album_id: int) -> Any:
    return (
        select(AlbumContent.content_id, AlbumContent.position)
        .where(AlbumContent.album_id == album_id)
        .order_by(AlbumContent.position)
    )


def _append(connection: Connection, album_id: int, content_ids: Iterable[int]) -> int:
    ids = list(dict.fromkeys(content_ids))
    known = set[int]()
    for batch in batch_slices(len(ids)):
        members = select(AlbumContent.content_id).where(AlbumContent.album_id == album_id)
        known |= set(
            connection.execute(
                select(Content.id).where(Content.id.in_(ids[batch]), Content.id.not_in(members))
            ).scalars()
        )
    last = connection.scalar(select(func.max(AlbumContent.position)).where(AlbumContent.album_id == album_id))
    first = 0 if last is None else last + 1
    new = [content_id for content_id in ids if content_id in known]
    rows = [
        {"album_id": album_id, "content_id": content_id, "position": position}
        for position, content_id in enumerate(new, first)
    ]
    if rows:
        connection.execute(insert(AlbumContent), rows)
    return len(rows)


def _moved(order: Sequence[int], moved: Sequence[int], before: int | None) -> list[int]:
    """Return `order` with `moved` in front of `before`, or at the end."""
    among = set(moved)
    end = len(order) if before is None else order.index(before)
    head = [content_id for content_id in order[:end] if content_id not in among]
    tail = [content_id for content_id in order[end:] if content_id not in among]
    return [*head, *moved, *tail]
