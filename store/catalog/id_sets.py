"""Large sets of IDs: reading them from the catalogue, passing them to statements, and set difference."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    LargeBinary,
    SelectBase,
    SQLColumnExpression,
    Text,
    bindparam,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator, TypeEngine

from store.catalog.portable_sql import Predicate, joined

__all__ = ["MAX_VARIABLES", "Ids", "among", "batch_slices", "read_ids", "without"]

Ids: TypeAlias = NDArray[np.int64]

MAX_VARIABLES = 5_000
"""Bound variables of one statement. SQLite allows 32,766 unless built otherwise."""


def batch_slices(count: int) -> Iterator[slice]:
    """Slices that cut a sequence of `count` ids into batches small enough for one statement."""
    return (slice(start, start + MAX_VARIABLES) for start in range(0, count, MAX_VARIABLES))


def read_ids(connection: Connection, statement: SelectBase) -> Ids:
    """Return the distinct IDs selected by a statement with one column, in ascending order.

    They are transferred as one text: a million rows would be as many Python objects and take five times as long.
    Removing duplicates is faster here than in SQLite, too.
    """
    (column,) = statement.subquery().c
    text = connection.scalar(select(joined(column)))
    ids = np.sort(np.fromstring(text or "", dtype=np.int64, sep=","))
    is_first = np.ones(len(ids), np.bool_)
    is_first[1:] = ids[1:] != ids[:-1]
    return ids[is_first]


def among(column: SQLColumnExpression[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """Return `column IN values` with a single bound variable, for any number of IDs or names, or of paths in UTF-8."""
    kind: TypeEngine[Any] = cast("Any", column).expression.type
    item = LargeBinary() if isinstance(kind, LargeBinary) else BigInteger() if isinstance(kind, Integer) else Text()
    return _Among(column, bindparam(None, list(values), _Values(item), unique=True))


class _Among(Predicate):
    inherit_cache = True


class _Values(TypeDecorator[list[object]]):
    """Values of one type: an array, where the database has arrays, or else a text in JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = (
            LargeBinary() if isinstance(of, LargeBinary) else BigInteger() if isinstance(of, Integer) else Text()
        )

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the bound variable."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Text())
        from sqlalchemy.dialects.postgresql import ARRAY

        return dialect.type_descriptor(ARRAY(self.item))

    def process_bind_param(self, value: list[object] | None, dialect: Dialect) -> Any:
        """Return the values as the database takes them."""
        if dialect.name == "postgresql":
            return value
        return json.dumps([each.decode() if isinstance(each, bytes) else each for each in value or ()])


@compiles(_Among)
def _among_in_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    value = "CAST(value AS BLOB)" if isinstance(column.type, LargeBinary) else "value"
    rows = f"SELECT {value} FROM json_each({compiler.process(values, **options)})"
    return f"({compiler.process(column, **options)} IN ({rows}))"


@compiles(_Among, "postgresql")
def _among_in_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return f"({compiler.process(column, **options)} = ANY ({compiler.process(values, **options)}))"


def without(ids: Ids, others: Ids) -> Ids:
    """Return the distinct `ids` that are not in `others`, in the same order.

    `np.setdiff1d` would remove duplicates first, which takes more than a second for a million IDs.
    """
    return ids[~np.isin(ids, others, assume_unique=True)]
