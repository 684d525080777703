"""Filters of a query put together: `or` joins the two beside it, and all that then stand side by side must hold."""

from collections.abc import Sequence

from core.errors import QuerySyntax
from search.filters import And, Condition, Or
from search.query_language import tokens
from search.query_language.tokens import Filter, Item

__all__ = ["conjunction", "joined"]


def joined(text: str, found: Sequence[Item], *, prose: bool = False) -> list[Item]:
    """`found` with filters that an `or` stands between made one.

    Any other `or` is a word where there is `prose`; elsewhere it raises `QuerySyntax`.
    """
    result: list[Item] = []
    place = 0
    while place < len(found):
        item = found[place]
        if isinstance(item, tokens.Or):
            if not prose:
                raise QuerySyntax(text, item.start, "or stands between two filters")
            item = tokens.Word(item.start, item.end)
        if isinstance(item, Filter):
            alternatives = _alternatives(found, place)
            place += 2 * (len(alternatives) - 1)
            item = _either(alternatives)
        result.append(item)
        place += 1
    return result


def _alternatives(found: Sequence[Item], place: int) -> list[Filter]:
    """The filter at `place`, and those that an `or` joins to it, one after the other."""
    alternatives: list[Filter] = []
    for row in range(place, len(found), 2):
        item = found[row]
        if not isinstance(item, Filter) or (alternatives and not isinstance(found[row - 1], tokens.Or)):
            break
        alternatives.append(item)
    return alternatives


def conjunction(found: Sequence[Item]) -> Condition:
    """All filters among `found` as one condition."""
    conditions = tuple(item.condition for item in found if isinstance(item, Filter))
    return conditions[0] if len(conditions) == 1 else And(conditions)


def _either(alternatives: Sequence[Filter]) -> Filter:
    """One filter of several; what one of them joins already stands beside the others."""
    if len(alternatives) == 1:
        return alternatives[0]
    first, *others = (one.condition for one in alternatives)
    conditions = (*(first.conditions if isinstance(first, Or) else (first,)), *others)
    return Filter(alternatives[0].start, alternatives[-1].end, Or(conditions))
