"""Albums as filters: `album:NAME` selects the pictures of an album."""

from sqlalchemy import Connection

from core.errors import AlbumIsRanked, InvalidQuery
from store.albums.records import album_row, to_record
from store.catalog.collation import fold
from store.filters.conditions import And, Condition, FieldTest, Not, Op, Or

__all__ = ["ALBUM_ID_FIELD", "expand_albums"]

ALBUM_ID_FIELD = "album_id"
"""The field that tests whether a picture is in the album by hand with this ID."""


def expand_albums(connection: Connection, condition: Condition, within: tuple[str, ...] = ()) -> Condition:
    """Return `condition` with every saved search replaced by its filters, and every album by hand by its ID.

    `within` are the albums being expanded. Raises `UnknownAlbum`, `AlbumIsRanked`, and `InvalidQuery` for an album
    that contains itself.
    """
    if isinstance(condition, (And, Or)):
        return type(condition)(tuple(expand_albums(connection, part, within) for part in condition.conditions))
    if isinstance(condition, Not):
        return Not(expand_albums(connection, condition.condition, within))
    if condition.field != "album":
        return condition
    if condition.op is not Op.EQ:
        raise InvalidQuery("The field 'album' supports equality only: write album:NAME.")
    row = album_row(connection, str(condition.value))
    if row.by_hand:
        return FieldTest(ALBUM_ID_FIELD, Op.EQ, row.id)
    album = to_record(row)
    if album.is_ranked:
        raise AlbumIsRanked(album.name)
    if fold(album.name) in within:
        raise InvalidQuery(f"The album {album.name!r} contains itself.")
    return expand_albums(connection, album.condition or And(()), (*within, fold(album.name)))
