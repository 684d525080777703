"""The tables that a migration copies, in an order in which every row follows those that it refers to."""

from sqlalchemy import Connection, Table, func, select

from store.catalog.tables import Base, IndexGeneration, LibraryState

__all__ = ["carried_tables", "count_rows", "is_empty"]

LEFT_OUT = frozenset({IndexGeneration.__tablename__})
"""What is true of one machine only: which index files it has. They are written again from the vectors."""


def carried_tables() -> list[Table]:
    """Return the tables that are copied."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each table that is copied."""
    return {table.name: _count(connection, table) for table in carried_tables()}


def is_empty(connection: Connection) -> bool:
    """Return whether a library is as it was created: without folders, pictures, vectors, tags, albums and jobs."""
    state = LibraryState.__tablename__
    has_rows = any(
        connection.execute(select(1).select_from(table).limit(1)).first() is not None
        for table in carried_tables()
        if table.name != state
    )
    return not has_rows and not connection.scalar(select(LibraryState.revision))


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
