"""Pictures without a query: the newest first, as an album shows them. Nothing is ranked and no model is needed."""

from dataclasses import dataclass

import numpy as np

from search.filters import Filters
from search.paging import Cursor, CursorPosition, query_digest
from search.results import ListedImage
from store.library import Library
from store.queries import count_contents, newest_contents

__all__ = ["Browsed", "browse", "count"]


MOST = 2**31
"""Pictures of one page; more than there are, and within what a database counts to."""


@dataclass(frozen=True)
class Browsed:
    """A page of pictures."""

    pictures: tuple[ListedImage, ...]
    next: str | None
    """The cursor of the page after this one; None when there is nothing more."""
    total: int
    """How many there are on all pages."""


def browse(library: Library, k: int = 60, filters: Filters | None = None, cursor: str | None = None) -> Browsed:
    """The `k` pictures taken last, those without a date after them; `cursor` is the `next` of the page before.

    Raises `InvalidQuery` for a filter that cannot be asked and for a cursor of another query.
    """
    filters = filters or Filters()
    asked = query_digest("browse", np.empty(0, np.float32), filters)
    last = None if cursor is None else Cursor.parse(cursor, asked)
    after = None if last is None else (last.position.id, last.position.taken_at)
    page = newest_contents(library, filters.condition(), k, after)
    before = last.shown if last else 0
    pictures = [ListedImage(rank, record) for rank, record in enumerate(page.records, before + 1)]
    more = None
    if page.has_more:
        end = page.records[-1]
        more = str(Cursor(asked, before + k, CursorPosition(0.0, end.id, end.taken_at)))
    if filters.within:
        pictures = [picture.prefer_folders(filters.within) for picture in pictures]
    return Browsed(tuple(pictures), more, page.total)


def count(library: Library, filters: Filters) -> int:
    """How many pictures the filters keep. Raises `InvalidQuery` for a filter that cannot be asked."""
    return count_contents(library, filters.condition())
