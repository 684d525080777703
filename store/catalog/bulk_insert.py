"""Insert many rows with few statements.

A statement that fires a trigger can fail halfway, so SQLite first copies each page that it changes. With a statement
for each row that takes longer than the rows themselves (measured with 100,000 rows: 20 µs for each, and 6 to 10 with
statements of many rows; for pictures 30 and 11). PostgreSQL reads rows by COPY.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Column, Connection, Insert, Table, insert, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from store.catalog.id_sets import among
from store.catalog.tables import Base

__all__ = ["count_rows", "insert_new", "insert_rows", "insert_with_ids", "load_rows"]


def insert_rows(connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have values for the same columns. Nothing is done without rows."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and not _computed(table) - rows[0].keys():
        columns = [_table(table).c[name] for name in rows[0]]
        _copy_rows(connection, _table(table), columns, _converted(connection, columns, rows))
        return
    key = next(iter(table.__table__.primary_key))
    # Only with RETURNING, SQLAlchemy inserts several rows with one statement.
    connection.execute(insert(table).returning(key), list(rows)).close()


def insert_with_ids(
    connection: Connection, table: type[Base], key: str, rows: Sequence[Mapping[str, Any]]
) -> dict[Any, int]:
    """Insert rows as `insert_rows` does, and return the IDs that they got by the value of a unique column."""
    if not rows:
        return {}
    columns = _table(table).c
    if connection.dialect.name == "postgresql":
        insert_rows(connection, table, rows)
        values = [row[key] for row in rows]
        found = connection.execute(select(columns[key], columns.id).where(among(columns[key], values)))
    else:
        found = connection.execute(insert(table).returning(columns[key], columns.id), list(rows))
    return {row[0]: row[1] for row in found}


class _InsertNew(Insert):
    inherit_cache = True


def insert_new(table: type[Base]) -> Insert:
    """Return a statement that inserts rows, and leaves out those whose key, or other unique columns, a row has.

    Rows that break another rule raise an error. A select that it inserts from needs a condition: SQLite would read what
    follows as that of a join.
    """
    return _InsertNew(table)


@compiles(_InsertNew)
def _insert_in_sqlite(element: _InsertNew, compiler: SQLCompiler, **options: Any) -> str:
    from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing

    return _with_clause(element, OnConflictDoNothing(), compiler, **options)


@compiles(_InsertNew, "postgresql")
def _insert_in_postgresql(element: _InsertNew, compiler: SQLCompiler, **options: Any) -> str:
    from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing

    return _with_clause(element, OnConflictDoNothing(), compiler, **options)


def _with_clause(element: _InsertNew, clause: Any, compiler: SQLCompiler, **options: Any) -> str:
    statement = element._generate()
    statement._post_values_clause = clause
    visit: Callable[..., str] = compiler.visit_insert
    return visit(statement, **options)


def load_rows(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows with a value for each column of a table, in its order, without a dictionary for each row."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy_rows(connection, table, table.columns.values(), rows)
        return
    names, marks = ", ".join(table.c.keys()), ", ".join("?" * len(table.c))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))


def count_rows(connection: Connection, *tables: Table) -> None:
    """Have the planner know the rows of temporary tables. PostgreSQL would take them for small ones; SQLite needs none.

    The connection is in a transaction that may write.
    """
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.exec_driver_sql(f'ANALYZE "{table.name}"')


def _copy_rows(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows by COPY, which takes a fraction of the time of a statement for each row."""
    cursor: Any = connection.connection.cursor()
    names = ", ".join(f'"{column.name}"' for column in columns)
    with cursor, cursor.connection.sends_much(), cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def _converted(
    connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Mapping[str, Any]]
) -> Iterator[list[Any]]:
    """Yield the values of each row as they are passed to the driver."""
    dialect = connection.dialect
    found = [(column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in columns]
    for row in rows:
        yield [row[name] if convert is None else convert(row[name]) for name, convert in found]


def _computed(table: type[Base]) -> set[str]:
    """Return the columns whose default values the database does not know."""
    return {
        column.name
        for column in _table(table).columns
        if column.default is not None and (column.default.is_callable or column.server_default is None)
    }


def _table(table: type[Base]) -> Table:
    return cast("Table", table.__table__)
