"""Which contents filters keep, as a condition of a statement: for what is listed and counted, and not ranked."""

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.orm import aliased

from search.filters import Filters
from store.catalog.tables import Content, Picture, State
from store.filters.selection import matching

__all__ = ["kept"]


def kept(connection: Connection, filters: Filters | None) -> ColumnElement[bool]:
    """Contents that `filters` keep; without any, those of which a file is present.

    Raises `InvalidQuery` and `NothingKnown` as a search does.
    """
    if filters:
        return Content.id.in_(matching(connection, filters.selection(connection)))
    file = aliased(Picture)  # the statement may speak of other files of the same content
    return select(file.id).where(file.content_id == Content.id, file.state == State.PRESENT).exists()
