"""What albums of both kinds share: a name, which is unique over both kinds, and a cover."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from core.errors import AlbumExists, NotInAlbum, UnknownAlbum
from store.albums.conditions_json import condition_from_json, condition_to_json
from store.albums.names import album_key
from store.albums.renamed_references import RewriteQuery, rename_references
from store.catalog.collation import fold
from store.catalog.tables import Album, AlbumContent, Content
from store.filters.conditions import Condition
from store.library import Library
from store.tags import tag_name

__all__ = [
    "AlbumRecord",
    "album_row",
    "drop_album",
    "find_album",
    "insert_album",
    "rename_album",
    "set_cover",
    "to_columns",
    "to_record",
]


@dataclass(frozen=True)
class AlbumRecord:
    """An album: a saved search with its query as text and its filters, or pictures put together by hand."""

    name: str
    query: str = ""
    condition: Condition | None = None
    top: int = 0
    """The number of pictures to show, if the query ranks them."""
    is_ranked: bool = False
    """The query has more than filters, so a model ranks the pictures."""
    by_hand: bool = False
    """The pictures were chosen one by one; the album has no query."""
    cover: int | None = None
    """The content that was chosen as the cover. Without one, the first picture is shown."""


def find_album(library: Library, name: str) -> AlbumRecord:
    """Return the album with this name, in any spelling of it. Raises `UnknownAlbum`."""
    with library.read() as connection:
        return to_record(album_row(connection, name))


def drop_album(library: Library, name: str) -> None:
    """Delete an album; its pictures are not affected. Raises `UnknownAlbum`."""
    with library.transaction() as connection:
        connection.execute(delete(Album).where(Album.id == album_row(connection, name).id))


def rename_album(library: Library, name: str, new_name: str, rewrite: RewriteQuery) -> None:
    """Rename an album. Saved searches that use it as a filter follow, and `rewrite` changes the text of their queries.

    Raises `UnknownAlbum`, `InvalidTag`, and `AlbumExists` if another album has the new name.
    """
    new_name = tag_name(new_name)
    with library.transaction() as connection:
        row = album_row(connection, name)
        taken = select(Album.name).where(Album.key == fold(new_name), Album.id != row.id)
        other = connection.scalar(taken)
        if other is not None:
            raise AlbumExists(other)
        connection.execute(update(Album).where(Album.id == row.id).values(key=fold(new_name), name=new_name))
        rename_references(connection, row.name, new_name, rewrite)


def set_cover(library: Library, name: str, content_id: int | None) -> None:
    """Choose the picture to show for an album; None for its first one.

    Raises `UnknownAlbum`, and `NotInAlbum` for a picture that an album by hand does not contain, or that the library
    does not contain.
    """
    with library.transaction() as connection:
        row = album_row(connection, name)
        if content_id is not None:
            member = select(AlbumContent.content_id).where(AlbumContent.album_id == row.id)
            known = member.where(AlbumContent.content_id == content_id) if row.by_hand else None
            if known is None:
                known = select(Content.id).where(Content.id == content_id)
            if connection.scalar(known) is None:
                raise NotInAlbum(row.name, content_id)
        connection.execute(update(Album).where(Album.id == row.id).values(cover_id=content_id))


def album_row(connection: Connection, name: str) -> Any:
    """Return the row of an album. Raises `UnknownAlbum`."""
    row = connection.execute(select(Album.__table__).where(Album.key == album_key(name))).one_or_none()
    if row is None:
        names = connection.execute(select(Album.name).order_by(Album.key)).scalars()
        raise UnknownAlbum(name, tuple(names))
    return row


def insert_album(connection: Connection, record: AlbumRecord) -> int:
    """Insert an album and return its ID. Raises `InvalidTag`, and `AlbumExists` if its name is taken."""
    name = tag_name(record.name)
    taken = connection.scalar(select(Album.name).where(Album.key == fold(name)))
    if taken is not None:
        raise AlbumExists(taken)
    values = to_columns(record) | {"created_at": datetime.now(UTC).replace(tzinfo=None)}
    return int(connection.execute(insert(Album).values(values).returning(Album.id)).scalar_one())


def to_columns(record: AlbumRecord) -> dict[str, Any]:
    """Return the values of the columns of `albums`, except the cover and the date. Raises `InvalidTag`."""
    name = tag_name(record.name)
    where = None if record.condition is None else condition_to_json(record.condition)
    return {
        "key": fold(name),
        "name": name,
        "query": record.query,
        "condition": json.dumps({"ranked": record.is_ranked, "where": where}),
        "top": record.top,
        "by_hand": record.by_hand,
    }


def to_record(row: Any) -> AlbumRecord:
    """Convert a row of `albums`."""
    saved = json.loads(row.condition or "{}")
    where = saved.get("where")
    condition = None if where is None else condition_from_json(where)
    return AlbumRecord(
        row.name, row.query, condition, row.top, bool(saved.get("ranked")), by_hand=row.by_hand, cover=row.cover_id
    )
