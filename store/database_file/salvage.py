"""The rows of a damaged database: from the pages of each table, from pages that nothing refers to, and from indexes."""

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from store.catalog.tables import PictureState, RootKind, TagSource
from store.database_file.pages import Pages
from store.database_file.records import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_INTERIOR,
    TABLE_LEAF,
    Page,
    Record,
    Value,
    read_page,
)

__all__ = ["Row", "Salvage", "TableShape", "read_shapes", "stored_schema"]

Row: TypeAlias = tuple[int, tuple[Value, ...]]
"""A rowid and the values of all columns."""

DERIVED_TABLES = ("text_index", "content_blocks", "kept_counts", "vector_changes")
"""Beginnings of the names of tables that are built from others, or start empty: the full-text index with its tables,
counts, and the change feed."""

EXACT_BYTES = MappingProxyType({("contents", "digest"): 32, ("text_lines", "corners"): 32})
CHOICES = MappingProxyType(
    {
        ("pictures", "state"): frozenset(PictureState),
        ("roots", "kind"): frozenset(RootKind),
        ("content_tags", "source"): frozenset(TagSource),
    }
)
"""Columns with few possible values. Any other value is damage."""


@dataclass(frozen=True)
class Column:
    """A column as declared, with the value of rows that were written before it was added."""

    name: str
    type: str
    is_required: bool
    default: Value

    def accepts(self, table: str, value: Value) -> bool:
        """Return whether `value` can be in this column."""
        if value is None:
            return not self.is_required
        check = next((check for kind, check in _CHECKS.items() if kind in self.type), None)
        if check is not None and not check(value):
            return False
        key = (table, self.name)
        if key in EXACT_BYTES and not (isinstance(value, bytes) and len(value) == EXACT_BYTES[key]):
            return False
        return key not in CHOICES or value in CHOICES[key]


@dataclass(frozen=True)
class TableShape:
    """A table: its columns, the number of its first page, and its indexes.

    `alias` is the position of the column that is the rowid. `root` is None if the first page is not known. Each index
    has the positions of its columns and the number of its first page.
    """

    name: str
    columns: tuple[Column, ...]
    alias: int | None
    root: int | None
    indexes: tuple[tuple[tuple[int, ...], int], ...]

    def row(self, record: Record) -> Row | None:
        """Return a record as a row of this table; None if it cannot be one."""
        if record.rowid is None or len(record.values) > len(self.columns):
            return None
        values = list(record.values)
        values += [column.default for column in self.columns[len(values) :]]
        if self.alias is not None:
            values[self.alias] = record.rowid
        if all(column.accepts(self.name, value) for column, value in zip(self.columns, values, strict=True)):
            return record.rowid, tuple(values)
        return None


def stored_schema(pages: Pages) -> list[tuple[str, str, str, int, str | None]]:
    """Return the readable rows of `sqlite_schema`: type, name, table, first page, and SQL."""
    found = []
    for page in Salvage(pages, {}).walk(1, TABLE_INTERIOR, TABLE_LEAF, Counter(), "sqlite_schema"):
        for record in page.records:
            match record.values:
                case (str(kind), str(name), str(table), int(root), None | str() as sql):
                    found.append((kind, name, table, root, sql))
    return found


def read_shapes(schema: list[tuple[str, str, str, int, str | None]]) -> dict[str, TableShape]:
    """Return the tables that the rows of a `sqlite_schema` describe, by name, without derived ones."""
    with closing(sqlite3.connect(":memory:")) as memory:
        for kind in ("table", "index"):
            for each, name, _, _, sql in schema:
                if each == kind and sql and not name.startswith((*DERIVED_TABLES, "sqlite_")):
                    with suppress(sqlite3.Error):  # damaged text
                        memory.execute(sql)
        roots = {name: root for _, name, _, root, _ in schema if root > 0}
        statement = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return {name: _shape(memory, name, roots) for (name,) in memory.execute(statement).fetchall()}


def _shape(memory: sqlite3.Connection, table: str, roots: Mapping[str, int]) -> TableShape:
    facts = memory.execute(f"PRAGMA table_info({table})").fetchall()
    keys = [row for row in facts if row[5]]
    alias = keys[0][0] if len(keys) == 1 and keys[0][2].upper() == "INTEGER" else None
    columns = tuple(
        Column(
            name,
            kind.upper(),
            bool(required) or bool(key),
            None if default is None else memory.execute(f"SELECT {default}").fetchone()[0],
        )
        for _, name, kind, required, default, key in facts
    )
    indexes = []
    for _, name, *_ in memory.execute(f"PRAGMA index_list({table})").fetchall():
        positions = tuple(row[1] for row in memory.execute(f"PRAGMA index_info({name})").fetchall())
        if name in roots and all(position is not None and position >= 0 for position in positions):
            indexes.append((positions, roots[name]))
    return TableShape(table, columns, alias, roots.get(table), tuple(indexes))


class Salvage:
    """Reads the rows of a damaged database.

    `lost` counts the damaged pages and records of each table, `lost_entries` those of its indexes.
    """

    def __init__(self, pages: Pages, shapes: Mapping[str, TableShape]) -> None:
        self.lost: Counter[str] = Counter()
        self.lost_entries: Counter[str] = Counter()
        self._pages = pages
        self._shapes = shapes
        self._claimed: set[int] = set()

    def rows(self, shape: TableShape) -> Iterator[Row]:
        """Yield the rows on the pages of a table that can be reached from its first one."""
        if shape.root is None:
            self.lost[shape.name] += 1
            return
        for page in self.walk(shape.root, TABLE_INTERIOR, TABLE_LEAF, self.lost, shape.name):
            rows = [shape.row(record) for record in page.records]
            self.lost[shape.name] += rows.count(None)
            if page.kind == TABLE_LEAF and (any(rows) or not rows):
                self._claimed.add(page.number)
            yield from filter(None, rows)

    def stray_rows(self) -> Iterator[tuple[TableShape, Row]]:
        """Yield rows on pages that can no longer be reached, because the page that refers to them is damaged.

        A page belongs to the only table with damage that all its rows fit. Call it after `rows` of all tables. If the
        list of free pages is damaged too, rows that were deleted may be among them.
        """
        damaged = [shape for name, shape in self._shapes.items() if self.lost[name]]
        if not damaged:
            return
        in_use = self._claimed | (self._pages.free() or set())
        for number in range(2, self._pages.count + 1):
            page = None if number in in_use else read_page(self._pages, number)
            if page is None or page.kind != TABLE_LEAF or page.damaged or not page.records:
                continue
            fitting = [shape for shape in damaged if all(shape.row(record) for record in page.records)]
            if len(fitting) == 1:
                for record in page.records:
                    if row := fitting[0].row(record):
                        yield fitting[0], row

    def partial_rows(self, shape: TableShape, is_saved: Callable[[int], bool]) -> dict[int, dict[str, Value]]:
        """Return what the indexes of a table have of rows that are not saved: by rowid, the values by column."""
        found: dict[int, dict[str, Value]] = {}
        for positions, root in shape.indexes:
            columns = [shape.columns[position] for position in positions]
            for page in self.walk(root, INDEX_INTERIOR, INDEX_LEAF, self.lost_entries, shape.name):
                for record in page.records:
                    *values, rowid = record.values
                    if len(values) != len(columns) or not isinstance(rowid, int) or is_saved(rowid):
                        continue
                    if all(column.accepts(shape.name, value) for column, value in zip(columns, values, strict=True)):
                        names = (column.name for column in columns)
                        found.setdefault(rowid, {}).update(zip(names, values, strict=True))
        return found

    def walk(self, root: int, interior: int, leaf: int, lost: Counter[str], table: str) -> Iterator[Page]:
        """Yield the pages of a B-tree in order, and add the damaged pages and cells to those of `table` in `lost`."""
        visited, waiting = set[int](), [root]
        while waiting:
            number = waiting.pop()
            page = None if number in visited else read_page(self._pages, number)
            visited.add(number)
            if page is None or page.kind not in (interior, leaf):
                lost[table] += 1
                continue
            lost[table] += page.damaged
            waiting.extend(reversed(page.children))
            yield page

    def claim(self, root: int) -> None:
        """Note that the pages of a table are not stray ones, without reading its rows."""
        pages = self.walk(root, TABLE_INTERIOR, TABLE_LEAF, Counter(), "")
        self._claimed.update(page.number for page in pages if page.kind == TABLE_LEAF)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_time(value: Value) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_json(value: Value) -> bool:
    try:
        json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return not isinstance(value, bytes)


_CHECKS: Mapping[str, Callable[[Value], bool]] = MappingProxyType(
    {
        "INT": lambda value: isinstance(value, int),
        "BOOL": lambda value: value in (0, 1),
        "CHAR": lambda value: isinstance(value, str) and "\0" not in value,
        "BLOB": lambda value: isinstance(value, bytes),
        "FLOAT": _is_number,
        "DATETIME": _is_time,
        "JSON": _is_json,
    }
)
"""Part of a declared type -> whether a value can have it."""
