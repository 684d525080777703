"""Filling an empty catalogue with the rows of another one: without triggers, and with the IDs that were given out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import JSON, Column, Connection, Row, Table, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.types import TypeDecorator

from store.catalog.bulk_insert import load_rows
from store.catalog.tables import Base

__all__ = ["RowsNotStorable", "last_ids", "set_last_ids", "triggers_off", "write_rows"]


class RowsNotStorable(Exception):
    """Rows break a rule of the schema, or have a value that the database cannot store, such as a text with a NUL.

    `is_limit` says that it is a value.
    """

    def __init__(self, detail: str, *, is_limit: bool) -> None:
        super().__init__(detail)
        self.is_limit = is_limit


def write_rows(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    """Insert rows that were read from the same table of another catalogue. Raises `RowsNotStorable`."""
    if _is_postgresql(connection):
        _copy_rows(connection, table, rows)
        return
    try:
        connection.execute(insert(table), [dict(row._mapping) for row in rows])
    except (DataError, IntegrityError) as exc:
        raise RowsNotStorable(str(exc.orig), is_limit=isinstance(exc, DataError)) from exc


def _copy_rows(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    import psycopg

    as_json = {number for number, column in enumerate(table.columns) if _is_json(column)}
    try:
        load_rows(connection, table, [_with_json(row, as_json) for row in rows] if as_json else rows)
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as exc:
        raise RowsNotStorable(str(exc), is_limit=not isinstance(exc, psycopg.IntegrityError)) from exc


def _is_json(column: Column[Any]) -> bool:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    return isinstance(kind, JSON)


def _with_json(row: Row[Any], as_json: set[int]) -> list[Any]:
    return [json.dumps(value) if number in as_json and value is not None else value for number, value in enumerate(row)]


@contextmanager
def triggers_off(connection: Connection) -> Iterator[None]:
    """Write rows in the block without what triggers would do: their results are among the rows.

    The full-text index of SQLite, which is no table of rows, is built at the end. After an exception the transaction
    must be rolled back.
    """
    if _is_postgresql(connection):
        for table in Base.metadata.sorted_tables:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        yield
        for table in Base.metadata.sorted_tables:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
        return
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
    if _is_postgresql(connection):
        given = {name: _last_of_sequence(connection, sequence) for name, sequence in _sequences(connection).items()}
    else:
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        given = {row.name: row.seq for row in rows}
    return {name: max(last, given.get(name, 0)) for name, last in ids.items()}


def set_last_ids(connection: Connection, ids: Mapping[str, int]) -> None:
    """Have the tables give out higher IDs than these from now on, where they promise to use none twice."""
    if _is_postgresql(connection):
        for name in _sequences(connection):
            connection.exec_driver_sql(f"ALTER TABLE {name} ALTER id RESTART WITH {ids.get(name, 0) + 1}")
        return
    for table in _numbered():
        if table.dialect_options["sqlite"]["autoincrement"] and ids.get(table.name):
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            values = {"name": table.name, "seq": ids[table.name]}
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), values)


def _numbered() -> list[Table]:
    """Return the tables whose primary key is a number."""
    return [table for table in Base.metadata.sorted_tables if [*table.primary_key.columns.keys()] == ["id"]]


def _sequences(connection: Connection) -> dict[str, str]:
    """Return the tables to which PostgreSQL gives numbers, with the names of the sequences."""
    statement = text("SELECT pg_get_serial_sequence(:name, 'id')")
    found = {table.name: connection.scalar(statement, {"name": table.name}) for table in _numbered()}
    return {name: sequence for name, sequence in found.items() if sequence is not None}


def _last_of_sequence(connection: Connection, sequence: str) -> int:
    last = text(f"SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {sequence}")
    return int(connection.execute(last).scalar_one())


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
