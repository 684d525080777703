"""Browsing an album that was put together by hand, in its own order."""

import numpy as np

from search.browse import BrowsePage, list_pictures
from search.filters import Filters
from search.paging import Cursor, CursorPosition, query_digest
from store.albums.listing import contents_in_order, position_in_album
from store.catalog.collation import fold
from store.library import Library

__all__ = ["browse_album"]


def browse_album(
    library: Library, name: str, k: int = 60, filters: Filters | None = None, cursor: str | None = None
) -> BrowsePage:
    """Return up to `k` pictures of an album by hand that match the filters, in the order of the album.

    `cursor` is the `next_cursor` of the page before. Raises `UnknownAlbum`, `AlbumIsSearch` for a saved search,
    `InvalidQuery` for a cursor of another listing, and `PathNotIndexed` for a folder that the library does not cover.
    """
    filters = filters or Filters()
    digest = query_digest("album", np.empty(0, np.float32), filters, fold(name.strip()))
    last = None if cursor is None else Cursor.parse(cursor, digest)
    after = None if last is None else int(last.position.score)
    page = contents_in_order(library, name, filters.condition(), k, after)
    shown = last.shown if last else 0
    next_cursor = None
    if page.has_more:
        end = page.records[-1].id
        position = CursorPosition(float(position_in_album(library, name, end)), end)
        next_cursor = str(Cursor(digest, shown + k, position))
    return BrowsePage(list_pictures(library, page.records, shown, filters), next_cursor, page.total)
