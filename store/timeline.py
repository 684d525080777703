"""The timeline of a library: how many pictures there are of each day, their shapes, and the pictures from a day on.

The order is that of `store.queries.newest_contents`: newest first, equal dates by descending ID, undated ones last.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    SQLColumnExpression,
    and_,
    case,
    func,
    literal,
    select,
    true,
)

from store.catalog.portable_sql import character, date_text, greater_of, joined, lesser_of, quotient
from store.catalog.tables import Content
from store.filters.conditions import Condition
from store.filters.selection import matching_contents, scanned_contents
from store.library import Library
from store.queries import ContentRecord, content_records_in

__all__ = ["SHAPE_STEPS", "DayCount", "Timeline", "load_days", "load_from_day"]

SHAPE_STEPS = 18
"""Steps between 1:1 and 2:1 in the code of a shape: 4:3, 3:2, 16:9 and 2:1 are whole numbers of them."""

MAX_SHAPE = 36
"""The code of a picture that is three times as wide as high, or wider."""

SQUARE = 71
"""The character code, `G`, of a picture as wide as high. All codes are printable, from `#` to `k`."""

_DAY_LENGTH = len("2024-12-31")
_UNDATED = "-" * _DAY_LENGTH


@dataclass(frozen=True)
class DayCount:
    """The number of pictures of a day, by the camera's clock; None for pictures without a date."""

    day: date | None
    count: int


@dataclass(frozen=True)
class Timeline:
    """The days of a library, newest first, and the shape of each picture.

    `shapes` has one character for each picture in the order of the days. Its code minus 71 is `n`: the picture is
    1 + n / 18 times as wide as high, or, if `n` is negative, 1 - n / 18 times as high as wide. `n` is rounded, and
    between -36 and 36.
    """

    days: tuple[DayCount, ...]
    shapes: str

    @property
    def count(self) -> int:
        """Return the number of pictures."""
        return len(self.shapes)


def load_days(library: Library, condition: Condition | None) -> Timeline:
    """Return the days of the pictures that `condition` keeps. Raises `InvalidQuery` and `PathNotIndexed`.

    The rows are transferred as one text, with 11 characters for each, because 100,000 rows would be as many
    Python objects.
    """
    row = func.coalesce(date_text(Content.taken_at, _DAY_LENGTH), literal(_UNDATED)) + _shape()
    with library.read() as connection:
        ordered = (
            select(row.label("row"))
            .where(scanned_contents(connection, condition))
            .order_by(Content.taken_at.desc().nulls_last(), Content.id.desc())
            .subquery()
        )
        text = connection.scalar(select(joined(ordered.c.row, ""))) or ""
    letters = np.frombuffer(text.encode("ascii"), "S1").reshape(-1, _DAY_LENGTH + 1)  # (n, 11)
    return Timeline(_counted(letters[:, :-1]), letters[:, -1].tobytes().decode("ascii"))


def load_from_day(
    library: Library, condition: Condition | None, day: date | None, offset: int, limit: int
) -> list[ContentRecord]:
    """Return up to `limit` pictures that `condition` keeps: those of `day`, without the first `offset`, and older ones.

    With None, those without a date. Raises `InvalidQuery` and `PathNotIndexed`.
    """
    with library.read() as connection:
        is_kept = matching_contents(connection, condition)
        ids: list[int] = []
        if day is not None:
            is_dated = and_(is_kept, Content.taken_at.is_not(None), _is_before(day))
            ids = _page(connection, is_dated, offset, limit)
            offset = 0 if ids else offset - _count(connection, is_dated)
        if len(ids) < limit:
            is_undated = and_(is_kept, Content.taken_at.is_(None))
            ids += _page(connection, is_undated, max(0, offset), limit - len(ids))
        records = content_records_in(connection, ids)
    return [records[content_id] for content_id in ids]


def _shape() -> ColumnElement[str]:
    """One character for the shape of a content; see `Timeline`."""
    width, height = Content.width, Content.height
    landscape = lesser_of(MAX_SHAPE, _rounded(width, height) - SHAPE_STEPS)
    portrait = greater_of(-MAX_SHAPE, SHAPE_STEPS - _rounded(height, width))
    code = func.coalesce(case((width >= height, landscape), else_=portrait), 0)  # NULL without a size
    return character(SQUARE + code)


def _rounded(long: SQLColumnExpression[int], short: SQLColumnExpression[int]) -> ColumnElement[int]:
    """`long / short` in steps, rounded with integers only."""
    return quotient(2 * SHAPE_STEPS * long + short, 2 * short)  # NULL if `short` is 0


def _counted(days: NDArray[np.bytes_]) -> tuple[DayCount, ...]:
    """Count the equal rows of letters (n, 10) that follow each other."""
    texts = np.ascontiguousarray(days).view(f"S{_DAY_LENGTH}").ravel()  # (n,)
    if not len(texts):
        return ()
    starts = np.concatenate([[0], np.flatnonzero(texts[1:] != texts[:-1]) + 1])
    counts = np.diff(np.append(starts, len(texts))).tolist()
    undated = int(texts[-1] == _UNDATED.encode())  # they come last
    dated: list[date | None] = texts[starts[: len(starts) - undated]].astype("datetime64[D]").tolist()
    return tuple(map(DayCount, [*dated, *[None] * undated], counts))


def _is_before(day: date) -> ColumnElement[bool]:
    """Taken on `day` or before."""
    if day == date.max:
        return true()
    return Content.taken_at < datetime.combine(day + timedelta(days=1), datetime.min.time())


def _page(connection: Connection, is_kept: ColumnElement[bool], offset: int, limit: int) -> list[int]:
    statement = (
        select(Content.id)
        .where(is_kept)
        .order_by(Content.taken_at.desc().nulls_last(), Content.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return list(connection.execute(statement).scalars())


def _count(connection: Connection, is_kept: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(Content).where(is_kept)) or 0
