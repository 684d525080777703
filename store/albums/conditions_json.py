"""Conditions as nested lists that JSON can represent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.files import absolute
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or, Value

__all__ = ["condition_from_json", "condition_to_json"]


def condition_to_json(condition: Condition) -> list[Any]:
    """Return a condition as nested lists; the inverse of `condition_from_json`. Folders become absolute."""
    if isinstance(condition, (And, Or)):
        return [type(condition).__name__.lower(), *map(condition_to_json, condition.conditions)]
    if isinstance(condition, Not):
        return ["not", condition_to_json(condition.condition)]
    value = condition.value
    values = None
    if value is not None:
        values = [_value_to_json(part) for part in (value if isinstance(value, tuple) else (value,))]
    return ["test", condition.field, condition.op.value, isinstance(value, tuple), values]


def _value_to_json(value: Value) -> list[Any]:
    if isinstance(value, datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, Path):
        return ["path", str(absolute(value))]
    if isinstance(value, Circle):
        return ["circle", value.latitude, value.longitude, value.metres]
    if isinstance(value, Box):
        return ["box", value.south, value.west, value.north, value.east]
    return ["plain", value]


_VALUE_TYPES: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "datetime": datetime.fromisoformat,
        "path": Path,
        "circle": Circle,
        "box": Box,
        "plain": lambda value: value,
    }
)


def condition_from_json(saved: list[Any]) -> Condition:
    """Return the condition that `condition_to_json` has converted."""
    kind, *rest = saved
    if kind in ("and", "or"):
        parts = tuple(map(condition_from_json, rest))
        return And(parts) if kind == "and" else Or(parts)
    if kind == "not":
        return Not(condition_from_json(rest[0]))
    field, op, is_tuple, saved_values = rest
    if saved_values is None:
        return FieldTest(field, Op(op), None)
    values = tuple(_VALUE_TYPES[name](*arguments) for name, *arguments in saved_values)
    return FieldTest(field, Op(op), values if is_tuple else values[0])
