"""Conditions on pictures: tests of fields, combined by and, or and not. `store.filters.selection` evaluates them.

A picture matches if one of its present files, together with its content, satisfies the whole condition. A test of an
unknown value is false, and its negation is true: `not(iso > 800)` keeps pictures without an ISO value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from core.errors import InvalidQuery
from store.catalog.geography import Box, Circle

__all__ = ["And", "Box", "Circle", "Condition", "FieldTest", "Not", "Op", "Or", "Value", "check_size"]

MAX_TESTS = 200
"""Tests of one condition; each of several values of a test counts. SQLite allows expressions of 1,000 levels, and one
test can need several."""

MAX_DEPTH = 50
"""Nested levels of and, or and not."""


class Op(StrEnum):
    """How a field is compared with a value."""

    EQ = "eq"
    NE = "ne"
    """Not `EQ`; true if the field is unknown."""
    IN = "in"
    """Equal to one of several values, or inside a `Circle` or a `Box`."""
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    LIKE = "like"
    """The whole text matches a pattern, ignoring case: `*` is any text, `?` any character."""
    WORDS = "words"
    """The whole name, or whole words of it, ignoring case: `Anna` is in `Anna Berg`, and not in `Annabel`."""
    EXISTS = "exists"
    """The field is known; takes no value."""


Value: TypeAlias = str | int | float | datetime | Path | Circle | Box


@dataclass(frozen=True)
class FieldTest:
    """Compares a field of `store.filters.fields` with `value`: a tuple for `IN`, None for `EXISTS`."""

    field: str
    op: Op
    value: Value | tuple[Value, ...] | None = None


@dataclass(frozen=True)
class And:
    """True if all conditions are true, also without any conditions."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Or:
    """True if at least one condition is true."""

    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Not:
    """True if the condition is false or unknown."""

    condition: "Condition"


Condition: TypeAlias = FieldTest | And | Or | Not


def check_size(condition: Condition) -> None:
    """Raise `InvalidQuery` if a condition is too large or too deep for the database."""
    number = 0
    for part, depth in _parts(condition):
        number += 1
        if isinstance(part, FieldTest) and isinstance(part.value, tuple) and part.field != "id":
            number += len(part.value)
        if number > MAX_TESTS or depth > MAX_DEPTH:
            raise InvalidQuery(
                f"The filter is too large. At most {MAX_TESTS} conditions and {MAX_DEPTH} nested levels are allowed."
            )


def _parts(condition: Condition) -> Iterator[tuple[Condition, int]]:
    """Yield each part of `condition` and its depth, without recursion: a deep condition must not exhaust the stack."""
    stack: list[tuple[Condition, int]] = [(condition, 1)]
    while stack:
        part, depth = stack.pop()
        yield part, depth
        if isinstance(part, Not):
            stack.append((part.condition, depth + 1))
        elif isinstance(part, (And, Or)):
            stack.extend((inner, depth + 1) for inner in part.conditions)
