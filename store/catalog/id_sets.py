"""Sets of ids: out of the catalogue in one go, into a statement, and taken from each other."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, SQLColumnExpression, func, select

from store.spaces.vector_index import Ids

__all__ = ["MAX_VARIABLES", "among", "batch_slices", "read_ids", "without"]

MAX_VARIABLES = 5_000
"""Bound variables of one statement. SQLite allows 32,766 unless built otherwise."""


def batch_slices(count: int) -> Iterator[slice]:
    """Slices that cut a sequence of `count` ids into batches small enough for one statement."""
    return (slice(start, start + MAX_VARIABLES) for start in range(0, count, MAX_VARIABLES))


def read_ids(connection: Connection, statement: Select[Any]) -> Ids:
    """The ids that a statement of one column finds, each once, ascending.

    They come as one text: a million rows would be as many objects of Python, and take five times as long. Telling them
    apart is faster here than in SQLite, too.
    """
    (column,) = statement.subquery().c
    text = connection.scalar(select(func.group_concat(column)))
    found = np.sort(np.fromstring(text or "", dtype=np.int64, sep=","))
    first = np.ones(len(found), np.bool_)
    first[1:] = found[1:] != found[:-1]
    return found[first]


def among(column: SQLColumnExpression[Any], values: Sequence[object]) -> ColumnElement[bool]:
    """`column IN values`, for any number of values, ids or names: one variable holds them all."""
    return column.in_(select(func.json_each(json.dumps(values)).table_valued("value").c.value))


def without(ids: Ids, others: Ids) -> Ids:
    """Those of `ids`, which are distinct, that are not among `others`, in their order.

    `np.setdiff1d` finds out that they are distinct by itself: of a million it takes more than a second.
    """
    return ids[~np.isin(ids, others, assume_unique=True)]
