"""Comparisons in front of values, and spans between them: `>800`, `<=2.8`, `100..800`, `2021..`."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from store.filters.conditions import And, Condition, FieldTest, Op

__all__ = ["is_span", "span"]

Bound = TypeVar("Bound", float, datetime)

_COMPARED = re.compile(r"\s*(<=|>=|<|>)(.*)", re.DOTALL)


def is_span(text: str) -> bool:
    """Whether `text` is more than a value alone."""
    return ".." in text or _COMPARED.fullmatch(text) is not None


def span(field: str, text: str, parse: Callable[[str], tuple[Bound, Bound]]) -> Condition:
    """What `text` says about `field`; `parse` gives the first value that a text means, and the first that it does not.

    The ends of a span both belong to it: `2021..2023` is three whole years.
    """
    compared = _COMPARED.fullmatch(text)
    if compared is not None:
        first, beyond = parse(compared[2])
        limits = {"<": (Op.LT, first), "<=": (Op.LT, beyond), ">": (Op.GE, beyond), ">=": (Op.GE, first)}
        return FieldTest(field, *limits[compared[1]])
    start, dots, end = text.partition("..")
    if not dots:
        end = start
    parts = [FieldTest(field, Op.GE, parse(start)[0])] if start.strip() else []
    if end.strip() or not parts:
        parts.append(FieldTest(field, Op.LT, parse(end)[1]))
    return parts[0] if len(parts) == 1 else And(tuple(parts))
