"""Copying the rows of a table from one database to another one, and comparing both afterwards.

Rows are read as values of Python and written as such, so that each database stores them in its own way. The comparison
reads them again from both, in the order of the primary key, and compares every value, vectors byte by byte.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from store.catalog.bulk_copy import RowsNotStorable, write_rows

__all__ = ["BLOCK", "CarriedTable", "RowsDiffer", "RowsRefused", "Source", "compare_rows", "copy_rows"]

BLOCK = 2_000
"""Rows that are held in memory at a time: 4 MB of vectors with 1,024 numbers."""


@dataclass(frozen=True)
class CarriedTable:
    """A table that is the same in both databases."""

    name: str
    rows: int
    digest: str
    """SHA-256 of all values, in the order of the primary key."""


class RowsDiffer(Exception):
    """A row of `table` differs between the two databases; `key` is its primary key."""

    def __init__(self, table: str, key: tuple[object, ...]) -> None:
        super().__init__(table, key)
        self.table, self.key = table, key


class RowsRefused(Exception):
    """The target does not accept the rows of `table`; `detail` says why.

    They have a value that it cannot store (`is_limit`), or break a rule of the schema.
    """

    def __init__(self, table: str, detail: str, *, is_limit: bool) -> None:
        super().__init__(table, detail)
        self.table, self.detail, self.is_limit = table, detail, is_limit


@dataclass(frozen=True)
class Source:
    """What is read: a connection, and how its errors are translated, which would be taken for those of the target."""

    connection: Connection
    errors: Callable[[], AbstractContextManager[None]]

    def blocks(self, table: Table) -> Iterator[Sequence[Row[Any]]]:
        """Yield the rows of a table. Raises the errors of the library that is read."""
        with self.errors():
            yield from _blocks(self.connection, table)


def copy_rows(table: Table, source: Source, target: Connection, advance: Callable[[int], None]) -> None:
    """Copy all rows of a table. Raises `RowsRefused`."""
    for block in source.blocks(table):
        try:
            write_rows(target, table, block)
        except RowsNotStorable as exc:
            raise RowsRefused(table.name, str(exc), is_limit=exc.is_limit) from exc
        advance(len(block))


def compare_rows(table: Table, source: Source, target: Connection, advance: Callable[[int], None]) -> CarriedTable:
    """Compare all rows of a table. Raises `RowsDiffer` for the first one that is not the same, or is missing.

    Raises `RowsRefused` if that is because the target stores no text with a NUL.
    """
    digest, rows = hashlib.sha256(), 0
    for here, there in zip_longest(source.blocks(table), _blocks(target, table), fillvalue=()):
        for row, copy in zip_longest(here, there):
            encoded = None if row is None else _encoded(row)
            if copy is None or encoded is None or encoded != _encoded(copy):
                if row is not None and any(isinstance(value, str) and "\0" in value for value in row):
                    raise RowsRefused(table.name, "a text has a NUL character", is_limit=True)
                raise RowsDiffer(table.name, _key(table, copy if row is None else row))
            digest.update(encoded)
        rows += len(here)
        advance(len(here))
    return CarriedTable(table.name, rows, digest.hexdigest())


def _blocks(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    statement = select(table).order_by(*table.primary_key)
    with connection.execute(statement, execution_options={"yield_per": BLOCK}) as rows:
        yield from rows.partitions()


def _key(table: Table, row: Row[Any]) -> tuple[object, ...]:
    return tuple(row._mapping[column] for column in table.primary_key)


def _encoded(row: Row[Any]) -> bytes:
    """Return bytes that differ for different values: numbers as Python writes them, which loses no digit."""
    parts = [value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass") for value in row]
    kinds = bytes(isinstance(value, bytes) for value in row)
    return b"".join((kinds, *(part for value in parts for part in (len(value).to_bytes(8), value))))
