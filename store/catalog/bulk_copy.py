"""Filling an empty catalogue with the rows of another one: without triggers, and with the IDs that were given out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Table, func, select, text

from store.catalog.tables import Base

__all__ = ["last_ids", "set_last_ids", "triggers_off"]


@contextmanager
def triggers_off(connection: Connection) -> Iterator[None]:
    """Write rows in the block without what triggers would do: their results are among the rows.

    The full-text index, which is no table of rows, is built at the end. After an exception the transaction must be
    rolled back.
    """
    statement = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid")
    triggers = connection.execute(statement).all()
    for trigger in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{trigger.name}"')
    yield
    for trigger in triggers:
        connection.exec_driver_sql(trigger.sql)
    connection.exec_driver_sql("INSERT INTO text_index (text_index) VALUES ('rebuild')")


def last_ids(connection: Connection) -> dict[str, int]:
    """Return the highest ID that each table has given out. It may be higher than those of its rows."""
    ids = {table.name: connection.scalar(select(func.max(table.c.id))) or 0 for table in _numbered()}
    given = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
    return ids | {row.name: max(ids.get(row.name, 0), row.seq) for row in given}


def set_last_ids(connection: Connection, ids: Mapping[str, int]) -> None:
    """Have the tables give out higher IDs than these from now on, where they promise to use none twice."""
    for table in _numbered():
        if table.dialect_options["sqlite"]["autoincrement"] and ids.get(table.name):
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            values = {"name": table.name, "seq": ids[table.name]}
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), values)


def _numbered() -> list[Table]:
    """Return the tables whose primary key is a number that the database gives."""
    return [table for table in Base.metadata.sorted_tables if [*table.primary_key.columns.keys()] == ["id"]]
