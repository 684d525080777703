"""Browsing: the pictures that match filters, newest first, without a query and without a model."""

from dataclasses import dataclass

import numpy as np

from search.filters import Filters
from search.paging import Cursor, CursorPosition, query_digest
from search.results import ListedImage
from store.library import Library
from store.queries import count_contents, newest_contents

__all__ = ["MAX_PAGE_SIZE", "BrowsePage", "browse", "count_pictures"]

MAX_PAGE_SIZE = 2**31
"""More than any library contains, and small enough for a database integer."""


@dataclass(frozen=True)
class BrowsePage:
    """A page of pictures."""

    pictures: tuple[ListedImage, ...]
    next_cursor: str | None
    """The cursor of the next page; None on the last page."""
    total: int
    """The number of pictures on all pages."""


def browse(library: Library, k: int = 60, filters: Filters | None = None, cursor: str | None = None) -> BrowsePage:
    """Return up to `k` pictures, the last taken first; pictures without a date come last.

    `cursor` is the `next_cursor` of the page before. Raises `InvalidQuery` for a cursor of another listing, and
    `PathNotIndexed` for a folder that the library does not cover.
    """
    filters = filters or Filters()
    digest = query_digest("browse", np.empty(0, np.float32), filters)
    last = None if cursor is None else Cursor.parse(cursor, digest)
    after = None if last is None else (last.position.id, last.position.taken_at)
    page = newest_contents(library, filters.condition(), k, after)
    shown = last.shown if last else 0
    pictures = [ListedImage(rank, record) for rank, record in enumerate(page.records, shown + 1)]
    next_cursor = None
    if page.has_more:
        end = page.records[-1]
        next_cursor = str(Cursor(digest, shown + k, CursorPosition(0.0, end.id, end.taken_at)))
    if filters.within:
        pictures = [picture.prefer_folders(filters.within) for picture in pictures]
    return BrowsePage(tuple(pictures), next_cursor, page.total)


def count_pictures(library: Library, filters: Filters) -> int:
    """Count the pictures that match the filters. Raises as `browse` does."""
    return count_contents(library, filters.condition())
