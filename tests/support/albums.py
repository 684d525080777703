"""The albums of a library, without their pictures."""

from store import Library
from store.albums.listing import list_album_summaries
from store.albums.records import AlbumRecord

__all__ = ["list_albums"]


def list_albums(library: Library) -> list[AlbumRecord]:
    return [summary.album for summary in list_album_summaries(library)]
