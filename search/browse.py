"""Pictures without a question: the newest first, as an album shows them. Nothing is ranked and no model is needed."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from search.filters import Filters
from search.hits import Listed
from search.kept import kept
from search.paging import Cursor, Place, question
from store.catalog.tables import Content
from store.library import Library
from store.queries import describe

__all__ = ["Browsed", "browse", "count"]


MOST = 2**31
"""Pictures of one page; more than there are, and within what a database counts to."""


@dataclass(frozen=True)
class Browsed:
    """A page of pictures."""

    pictures: tuple[Listed, ...]
    next: str | None
    """The cursor of the page after this one; None when there is nothing more."""
    total: int
    """How many there are on all pages."""


def browse(library: Library, k: int = 60, filters: Filters | None = None, cursor: str | None = None) -> Browsed:
    """The `k` pictures taken last, those without a date after them; `cursor` is the `next` of the page before.

    Raises `InvalidQuery` for a filter that cannot be asked and for a cursor of another question.
    """
    filters = filters or Filters()
    asked = question("browse", np.empty(0, np.float32), filters)
    last = None if cursor is None else Cursor.parse(cursor, asked)
    with library.read() as connection:
        held = kept(connection, filters)
        total = _count(connection, held)
        rows = connection.execute(
            select(Content.id, Content.taken_at)
            .where(held, true() if last is None else _behind(last.place))
            .order_by(Content.taken_at.desc().nulls_last(), Content.id.desc())
            .limit(min(k, MOST) + 1)
        ).all()
        records = describe(connection, [row.id for row in rows[:k]])
    before = last.shown if last else 0
    pictures = [Listed(rank, records[row.id]) for rank, row in enumerate(rows[:k], before + 1) if row.id in records]
    more = None
    if len(rows) > k:
        more = str(Cursor(asked, before + k, Place(0.0, rows[k - 1].id, rows[k - 1].taken_at)))
    if filters.within:
        pictures = [picture.seen_from(filters.within) for picture in pictures]
    return Browsed(tuple(pictures), more, total)


def count(library: Library, filters: Filters) -> int:
    """How many pictures the filters keep. Raises `InvalidQuery` for a filter that cannot be asked."""
    with library.read() as connection:
        return _count(connection, kept(connection, filters))


def _count(connection: Connection, held: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(Content).where(held)) or 0


def _behind(place: Place) -> ColumnElement[bool]:
    """Contents that come after `place`."""
    undated = Content.taken_at.is_(None)
    if place.taken_at is None:
        return and_(undated, Content.id < place.id)
    moment: datetime = place.taken_at
    return or_(undated, Content.taken_at < moment, and_(Content.taken_at == moment, Content.id < place.id))
