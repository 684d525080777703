"""Browsing: the pictures that match filters, newest first, without a query and without a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from search.filters import Filters
from search.paging import Cursor, CursorPosition, query_digest
from search.results import ListedImage
from search.text_matches import TextSearch, with_texts
from store.library import Library
from store.queries import ContentRecord, count_contents, newest_contents
from store.timeline import Timeline, load_days, load_from_day

__all__ = ["MAX_PAGE_SIZE", "BrowsePage", "browse", "browse_from_day", "count_pictures", "list_pictures", "timeline"]

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
    next_cursor = None
    if page.has_more:
        end = page.records[-1]
        next_cursor = str(Cursor(digest, shown + k, CursorPosition(0.0, end.id, end.taken_at)))
    return BrowsePage(list_pictures(library, page.records, shown, filters), next_cursor, page.total)


def timeline(library: Library, filters: Filters | None = None) -> Timeline:
    """Return how many pictures there are of each day, in the order of `browse`. Raises as `browse` does."""
    return load_days(library, (filters or Filters()).condition())


def browse_from_day(
    library: Library, day: date | None, offset: int = 0, k: int = 60, filters: Filters | None = None
) -> tuple[ListedImage, ...]:
    """Return up to `k` pictures in the order of `browse`, beginning with those of `day`, without the first `offset`.

    With None, those without a date. Ranks are counted from the first picture of that day. Raises as `browse` does.
    """
    filters = filters or Filters()
    return list_pictures(library, load_from_day(library, filters.condition(), day, offset, k), offset, filters)


def list_pictures(
    library: Library, records: Sequence[ContentRecord], shown: int, filters: Filters
) -> tuple[ListedImage, ...]:
    """Number the records of a page that comes after `shown` others, and add what a filter found in them."""
    pictures = [ListedImage(rank, record) for rank, record in enumerate(records, shown + 1)]
    pictures = with_texts(library, pictures, TextSearch.of(filters.condition()))
    if filters.within:
        pictures = [picture.prefer_folders(filters.within) for picture in pictures]
    return tuple(pictures)


def count_pictures(library: Library, filters: Filters) -> int:
    """Count the pictures that match the filters. Raises as `browse` does."""
    return count_contents(library, filters.condition())
