"""The distinct values of an indexed column, by as many steps through its index as there are values.

`SELECT DISTINCT` would read the whole index: with a million pictures and a hundred cameras a hundred steps take less
than a millisecond. SQLite calls this a skip scan, and does not use it here by itself.
"""

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import InstrumentedAttribute

__all__ = ["distinct_values"]


def distinct_values(connection: Connection, column: InstrumentedAttribute[str | None]) -> list[str]:
    """The values of `column`, ascending; `column` is the first of an index."""
    first = select(func.min(column).label("value")).cte("steps", recursive=True)
    beyond: ColumnElement[str | None] = (
        select(func.min(column)).where(column > first.c.value).correlate(first).scalar_subquery()
    )
    steps = first.union_all(select(beyond).where(first.c.value.is_not(None)))
    found = connection.execute(select(steps.c.value).where(steps.c.value.is_not(None)))
    return list(found.scalars())
