"""The average colours of contents."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, update

from store.catalog.tables import Content
from store.library import Writer

__all__ = ["record_colors", "record_colors_in"]


def record_colors(writer: Writer, colors: Mapping[int, int]) -> None:
    """Store the average colours, 0xRRGGBB, of contents by ID."""
    with writer.transaction() as connection:
        record_colors_in(connection, colors)


def record_colors_in(connection: Connection, colors: Mapping[int, int]) -> None:
    """As `record_colors`, within a transaction."""
    statement = update(Content).where(Content.id == bindparam("content_id")).values(color=bindparam("average"))
    rows = [{"content_id": content_id, "average": color} for content_id, color in colors.items()]
    if rows:
        connection.execute(statement, rows)
