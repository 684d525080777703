"""What a picture must be: tests of fields, joined by and, or, not. Plain values; `store.filters.selection` asks the
catalogue.

A picture is found when one of its present files, together with what it holds, fulfils the whole condition. A test of
something that is not known is not fulfilled, and its negation is: `not(iso > 800)` keeps pictures that tell no ISO.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from core.errors import InvalidQuery

__all__ = ["And", "Box", "Circle", "Condition", "FieldTest", "Not", "Op", "Or", "Value", "check_size"]

MOST_TESTS = 200
"""Of one condition, several values of one test counted each; SQLite allows expressions 1,000 levels deep, and one test
may make several of them."""

DEEPEST = 50
"""Levels of and, or, not within each other."""


class Op(StrEnum):
    """How a field is held against a value."""

    EQ = "eq"
    NE = "ne"
    """Not `EQ`; so it holds where the field is not known."""
    IN = "in"
    """One of several values, or inside of a `Circle` or a `Box`."""
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    LIKE = "like"
    """A text fits a pattern as a whole, as names are compared: `*` is any text, `?` any one character."""
    EXISTS = "exists"
    """Something is known; takes no value."""


@dataclass(frozen=True)
class Circle:
    """Places on the globe within `metres` of a point; degrees, north and east positive."""

    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True)
class Box:
    """Places between two parallels and two meridians: from `west` eastwards to `east`, maybe over the date line."""

    south: float
    west: float
    north: float
    east: float


Value: TypeAlias = str | int | float | datetime | Path | Circle | Box


@dataclass(frozen=True)
class FieldTest:
    """`field` (a name of `store.filters.fields`) held against `value`; several values for `IN`, none for `EXISTS`."""

    field: str
    op: Op
    value: Value | tuple[Value, ...] | None = None


@dataclass(frozen=True)
class And:
    """All of them; of none, always true."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Or:
    """At least one of them; of none, never true."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Not:
    """The opposite."""

    condition: "Condition"


Condition: TypeAlias = FieldTest | And | Or | Not


def check_size(condition: Condition) -> None:
    """Raises `InvalidQuery` for a condition that is too large or too deep for the database."""
    number = 0
    for part, depth in _parts(condition):
        number += 1
        if isinstance(part, FieldTest) and isinstance(part.value, tuple) and part.field != "id":
            number += len(part.value)
        if number > MOST_TESTS or depth > DEEPEST:
            raise InvalidQuery(
                f"the filter is too large: at most {MOST_TESTS} conditions, at most {DEEPEST} levels within each other"
            )


def _parts(condition: Condition) -> Iterator[tuple[Condition, int]]:
    """Each part of `condition` and how deep it lies, without recursion: what is too deep must not exhaust the stack."""
    waiting: list[tuple[Condition, int]] = [(condition, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        if isinstance(part, Not):
            waiting.append((part.condition, depth + 1))
        elif isinstance(part, (And, Or)):
            waiting.extend((inner, depth + 1) for inner in part.conditions)
