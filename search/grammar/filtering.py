"""Filters of a query put together: `or` joins the two beside it, and all that then stand side by side must hold."""

from collections.abc import Sequence

from search.filters import And, Condition, Or
from search.grammar import items
from search.grammar.items import Filter, Item
from sightline.errors import QuerySyntax

__all__ = ["conjunction", "joined"]


def joined(text: str, found: Sequence[Item], *, prose: bool = False) -> list[Item]:
    """`found` with filters that an `or` stands between made one.

    Any other `or` is a word where there is `prose`; elsewhere it raises `QuerySyntax`.
    """
    result: list[Item] = []
    place = 0
    while place < len(found):
        item = found[place]
        following = found[place + 1] if place + 1 < len(found) else None
        if isinstance(item, items.Or):
            left = result[-1] if result else None
            if isinstance(left, Filter) and isinstance(following, Filter):
                result[-1] = Filter(left.start, following.end, _either(left.condition, following.condition))
                place += 2
                continue
            if not prose:
                raise QuerySyntax(text, item.start, "or stands between two filters")
            item = items.Word(item.start, item.end)
        result.append(item)
        place += 1
    return result


def conjunction(found: Sequence[Item]) -> Condition:
    """All filters among `found` as one condition."""
    conditions = tuple(item.condition for item in found if isinstance(item, Filter))
    return conditions[0] if len(conditions) == 1 else And(conditions)


def _either(left: Condition, right: Condition) -> Or:
    return Or((*(left.conditions if isinstance(left, Or) else (left,)), right))
