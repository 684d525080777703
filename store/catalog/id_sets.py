"""Large sets of IDs: reading them from the catalogue, passing them to statements, and set difference."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, SQLColumnExpression, func, select

__all__ = ["MAX_VARIABLES", "Ids", "among", "batch_slices", "read_ids", "without"]

Ids: TypeAlias = NDArray[np.int64]

MAX_VARIABLES = 5_000
"""Bound variables of one statement. SQLite allows 32,766 unless built otherwise."""


def batch_slices(count: int) -> Iterator[slice]:
    """Slices that cut a sequence of `count` ids into batches small enough for one statement."""
    return (slice(start, start + MAX_VARIABLES) for start in range(0, count, MAX_VARIABLES))


def read_ids(connection: Connection, statement: Select[Any]) -> Ids:
    """Return the distinct IDs selected by a statement with one column, in ascending order.

    They are transferred as one text: a million rows would be as many Python objects and take five times as long.
    Removing duplicates is faster here than in SQLite, too.
    """
    (column,) = statement.subquery().c
    text = connection.scalar(select(func.group_concat(column)))
    ids = np.sort(np.fromstring(text or "", dtype=np.int64, sep=","))
    is_first = np.ones(len(ids), np.bool_)
    is_first[1:] = ids[1:] != ids[:-1]
    return ids[is_first]


def among(column: SQLColumnExpression[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """Return `column IN values` with a single bound variable, for any number of IDs or names."""
    return column.in_(select(func.json_each(json.dumps(values)).table_valued("value").c.value))


def without(ids: Ids, others: Ids) -> Ids:
    """Return the distinct `ids` that are not in `others`, in the same order.

    `np.setdiff1d` would remove duplicates first, which takes more than a second for a million IDs.
    """
    return ids[~np.isin(ids, others, assume_unique=True)]
