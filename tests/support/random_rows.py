"""Random rows for every table of a catalogue: any values that the schema allows, also unlikely ones."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
)
from sqlalchemy.types import TypeDecorator

__all__ = ["fill_tables"]

FIRST = datetime(1826, 1, 1)  # noqa: DTZ001 (the catalogue has local times)
LETTERS = "aZ09 _%'\"\\/-\n\té€漢字ا🌋\u200b\ufffd"


def fill_tables(connection: Connection, tables: Sequence[Table], rng: random.Random, most: int) -> None:
    """Insert up to `most` rows into each of `tables`, which are in the order of their references."""
    for table in tables:
        rows: list[dict[str, Any]] = []
        taken: set[tuple[object, ...]] = set()
        parents = {name: list(connection.execute(select(*columns)).all()) for name, columns in _parents(table).items()}
        for _ in range(rng.randrange(most + 1)):
            row = _random_row(table, parents, rng)
            if row is None or not _is_valid(table, row):
                continue
            keys = [(index, *(row[name] for name in names)) for index, names in enumerate(_unique(table))]
            if not taken.intersection(keys):
                taken.update(keys)
                rows.append(row)
        if rows:
            connection.execute(insert(table), rows)


def _parents(table: Table) -> dict[tuple[str, ...], list[Column[Any]]]:
    """Return the columns that refer to other tables, with those to which they refer."""
    return {
        tuple(column.name for column in key.columns): [element.column for element in key.elements]
        for key in table.foreign_key_constraints
    }


def _unique(table: Table) -> Iterable[tuple[str, ...]]:
    yield tuple(column.name for column in table.primary_key)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.name for column in constraint.columns)
    for column in table.columns:
        if column.unique:
            yield (column.name,)


def _random_row(
    table: Table, parents: Mapping[tuple[str, ...], Sequence[Any]], rng: random.Random
) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    for names, values in parents.items():
        is_optional = all(table.c[name].nullable for name in names)
        if is_optional and (not values or rng.random() < 0.3):
            row |= dict.fromkeys(names)
        elif not values:
            return None
        else:
            row |= dict(zip(names, rng.choice(values), strict=True))
    for column in table.columns:
        if column.name not in row:
            row[column.name] = None if column.nullable and rng.random() < 0.3 else _random_value(column, rng)
    return row


def _is_valid(table: Table, row: Mapping[str, Any]) -> bool:
    return bool(table.name != "distinct_pairs" or row["first_id"] < row["second_id"])


def _random_value(column: Column[Any], rng: random.Random) -> Any:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if column.name == "id":
        return rng.choice([rng.randrange(1, 100), rng.randrange(1, 2**40)])  # as `store.catalog.frame_ids` allows
    makers: tuple[tuple[type, Callable[[], Any]], ...] = (
        (Boolean, lambda: rng.random() < 0.5),
        (BigInteger, lambda: rng.choice([0, 1, -1, 2**63 - 1, -(2**63), rng.getrandbits(62)])),
        (Integer, lambda: rng.choice([0, 1, 2**31 - 1, rng.getrandbits(31), rng.randrange(100)])),
        (Float, lambda: rng.choice([0.0, 0.1, -1 / 3, 1e-300, 1.7e308, rng.gauss(0, 1e6)])),
        (DateTime, lambda: FIRST + timedelta(microseconds=rng.randrange(10**16))),
        (JSON, lambda: {_text(rng, 9): rng.choice([None, 1.5, [1, {"z": "ä", "a": 2}], _text(rng, 9), True])}),
        (
            LargeBinary,
            lambda: rng.randbytes(min(rng.choice([0, 1, 7, 32, 2048]), getattr(kind, "length", None) or 2048)),
        ),
        (String, lambda: _text(rng, min(getattr(kind, "length", None) or 40, 40))),
    )
    return next(make for type_, make in makers if isinstance(kind, type_))()


def _text(rng: random.Random, longest: int) -> str:
    return "".join(rng.choices(LETTERS, k=rng.randrange(longest + 1)))
