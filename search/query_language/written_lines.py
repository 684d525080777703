"""Lines of the query language that are put together from pieces. A piece may read otherwise beside others."""

from collections.abc import Callable, Iterable

from core.errors import InvalidQuery, QuerySyntax
from search.filters import And, Condition, FieldTest, Not, Op, Or
from search.query_language.parser import ParsedQuery, parse

__all__ = ["line_that_reads_as", "mapped_condition", "same_meaning"]


def line_that_reads_as(meant: ParsedQuery, candidates: Iterable[str]) -> str | None:
    """Return the first of `candidates` that has the meaning of `meant`; None if there is none."""
    return next((line for line in candidates if _reads_as(line, meant)), None)


def same_meaning(one: Condition | None, other: Condition | None) -> bool:
    """Return whether two conditions are equal, but for the nesting of `And` and `Or` and for double negations."""
    return _flat(one) == _flat(other)


def mapped_condition(condition: Condition, change: Callable[[FieldTest], FieldTest]) -> Condition:
    """Return `condition` with each of its tests replaced by `change(test)`."""
    if isinstance(condition, (And, Or)):
        return type(condition)(tuple(mapped_condition(part, change) for part in condition.conditions))
    if isinstance(condition, Not):
        return Not(mapped_condition(condition.condition, change))
    return change(condition)


def _reads_as(line: str, meant: ParsedQuery) -> bool:
    try:
        read = parse(line)
    except (InvalidQuery, QuerySyntax):
        return False
    return read.query == meant.query and same_meaning(read.where, meant.where)


def _flat(condition: Condition | None) -> object:
    """Return a value that is equal for conditions of the same meaning."""
    if isinstance(condition, (And, Or)):
        kind = type(condition)
        parts = frozenset[object]()
        for part in map(_flat, condition.conditions):
            is_same = isinstance(part, tuple) and part[0] is kind
            parts |= part[1] if isinstance(part, tuple) and is_same else {part}
        return next(iter(parts)) if len(parts) == 1 else (kind, parts)
    if isinstance(condition, Not):
        inner = condition.condition
        return _flat(inner.condition) if isinstance(inner, Not) else (Not, _flat(inner))
    if isinstance(condition, FieldTest) and condition.field == "folder" and condition.op is Op.IN:
        folders = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        return _flat(Or(tuple(FieldTest("folder", Op.EQ, folder) for folder in folders)))
    return condition
