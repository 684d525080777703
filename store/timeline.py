"""The timeline of a library: how many pictures there are of each day, their shapes, and the pictures from a day on.

The order is that of `store.queries.newest_contents`: newest first, equal dates by descending ID, undated ones last.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, literal, select, true

from store.catalog.portable_sql import date_text, joined
from store.catalog.tables import Content
from store.filters.conditions import Condition
from store.filters.selection import candidates_in, matching_contents, scanned_contents
from store.kept_counts.block_columns import UNDATED
from store.kept_counts.by_date import ByDate, contents_by_date, is_large
from store.kept_counts.shapes import SHAPE_STEPS, shape_code
from store.library import Library
from store.queries import ContentRecord, content_records_in

__all__ = ["SHAPE_STEPS", "DayCount", "Timeline", "load_days", "load_from_day"]

MIN_PICTURES = 20_000
"""Pictures of a filter from which their columns are used. Sorting so few rows in the database takes about 60 ms."""

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
    """Return the days of the pictures that `condition` keeps. Raises `InvalidQuery` and `PathNotIndexed`."""
    with library.read() as connection:
        if is_large(connection):
            if condition is None:
                return _of_columns(contents_by_date(library, connection))
            ids = candidates_in(connection, condition)
            if len(ids) >= MIN_PICTURES:
                everything = contents_by_date(library, connection)
                return _of_columns(everything.take(np.isin(everything.ids, ids)))
        return _of_rows(connection, condition)


def _of_rows(connection: Connection, condition: Condition | None) -> Timeline:
    """Sort in the database, as few pictures are sorted fastest.

    The rows are transferred as one text, with 11 characters for each, because 100,000 rows would be as many
    Python objects.
    """
    row = func.coalesce(date_text(Content.taken_at, _DAY_LENGTH), literal(_UNDATED)) + shape_code()
    ordered = (
        select(row.label("row"))
        .where(scanned_contents(connection, condition))
        .order_by(Content.taken_at.desc().nulls_last(), Content.id.desc())
        .subquery()
    )
    text = connection.scalar(select(joined(ordered.c.row, ""))) or ""
    letters = np.frombuffer(text.encode("ascii"), "S1").reshape(-1, _DAY_LENGTH + 1)  # (n, 11)
    days = np.ascontiguousarray(letters[:, :-1]).view(f"S{_DAY_LENGTH}").ravel()  # (n,)
    is_undated = days == _UNDATED.encode()
    dates = days[~is_undated].astype("M8[D]")  # undated ones come last
    return Timeline(_counted(dates, int(np.count_nonzero(is_undated))), letters[:, -1].tobytes().decode("ascii"))


def _of_columns(contents: ByDate) -> Timeline:
    undated = int(np.count_nonzero(contents.times == UNDATED))
    dates = contents.times[: len(contents.times) - undated].astype("M8[us]").astype("M8[D]")
    return Timeline(_counted(dates, undated), contents.shapes.tobytes().decode("ascii"))


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


def _counted(dates: NDArray[np.datetime64], undated: int) -> tuple[DayCount, ...]:
    """Count the equal dates (n,) that follow each other, and those without a date."""
    starts = np.flatnonzero(np.concatenate([[True], dates[1:] != dates[:-1]])) if len(dates) else np.empty(0, np.int64)
    counts = np.diff(np.append(starts, len(dates))).tolist()
    days: list[date | None] = dates[starts].tolist()
    return tuple(map(DayCount, [*days, *[None] * bool(undated)], [*counts, *[undated] * bool(undated)]))


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
