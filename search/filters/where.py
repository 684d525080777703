"""One condition in one text, as `--where` takes it: `iso>800`, `camera:x100`, `tag!=beach`."""

import re

from core.errors import InvalidQuery
from search.filters.fields import field_condition
from store.filters.conditions import Condition, Not

__all__ = ["parse_where"]

_WHERE = re.compile(r"\s*(-?)([A-Za-z]+)\s*(!=|<=|>=|<|>|=|:)(.*)", re.DOTALL)


def parse_where(text: str) -> Condition:
    """`field:value`, or with `=`, `!=`, `<`, `<=`, `>`, `>=` between the two. Raises `InvalidQuery`.

    `:` looks for a part of a text, `=` for the whole of it; a minus before the field asks for the opposite.
    """
    match = _WHERE.fullmatch(text)
    if match is None:
        raise InvalidQuery(f"{text!r} is no condition; write for instance iso>800, camera:x100 or rating>=4")
    minus, name, sign, value = match.groups()
    if minus:
        return Not(parse_where(f"{name}{sign}{value}"))
    if sign == ":":
        return field_condition(name, value.strip())
    if sign == "!=":
        return Not(parse_where(f"{name}={value}"))
    whole = sign == "=" and name.casefold() in ("camera", "lens", "name", "title", "description")
    return field_condition(name, ("=" if whole else "" if sign == "=" else sign) + value.strip())
