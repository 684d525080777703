"""Albums that are saved searches. What such an album shows changes with the library."""

from sqlalchemy import select, update

from core.errors import AlbumExists
from store.albums.records import AlbumRecord, insert_album, to_columns
from store.catalog.collation import fold
from store.catalog.tables import Album
from store.library import Library
from store.tags import tag_name

__all__ = ["save_album"]


def save_album(library: Library, album: AlbumRecord) -> bool:
    """Save a search as an album, replacing a saved search of the same name; return whether one was replaced.

    The cover of a replaced one is kept. Raises `InvalidTag`, and `AlbumExists` if an album by hand has the name.
    """
    key = fold(tag_name(album.name))
    with library.transaction() as connection:
        existing = connection.execute(select(Album.id, Album.name, Album.by_hand).where(Album.key == key)).one_or_none()
        if existing is None:
            insert_album(connection, album)
            return False
        if existing.by_hand:
            raise AlbumExists(existing.name)
        connection.execute(update(Album).where(Album.id == existing.id).values(to_columns(album)))
        return True
