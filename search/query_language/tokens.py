"""Tokens of the query language, each with its position in the text, and how filters among them combine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.errors import QuerySyntax
from core.notices import Notice
from search.filters import And, Condition, Or
from search.query import QueryInput

__all__ = [
    "DashToken",
    "FilterToken",
    "OrToken",
    "PhraseToken",
    "PlusToken",
    "Token",
    "WeightToken",
    "WordToken",
    "conjunction",
    "join_alternatives",
]


@dataclass(frozen=True)
class WordToken:
    """A word of plain text, or anything else that has no special meaning."""

    start: int
    end: int


@dataclass(frozen=True)
class PhraseToken:
    """A marked part of the query: in quotation marks, with a weight or a minus, or a picture."""

    start: int
    end: int
    source: QueryInput
    weight: float | None = None
    """The absolute weight; None if it has none."""
    negative: bool = False
    quoted: bool = False
    """Whether it is only a text in quotation marks, which belongs to the sentence around it."""
    typographic: bool = False
    """Whether these are other marks than `"`. They are kept in a query without operators."""


@dataclass(frozen=True)
class WeightToken:
    """A weight before bare words, such as `0.5:` in `0.5:sunset at sea`."""

    start: int
    end: int
    value: float


@dataclass(frozen=True)
class FilterToken:
    """A filter, or several in brackets."""

    start: int
    end: int
    condition: Condition


@dataclass(frozen=True)
class OrToken:
    """`or`: an operator between two filters, otherwise a word."""

    start: int
    end: int


@dataclass(frozen=True)
class PlusToken:
    """A plus between blanks."""

    start: int
    end: int


@dataclass(frozen=True)
class DashToken:
    """A minus between blanks, or a dash."""

    start: int
    end: int


Token: TypeAlias = WordToken | PhraseToken | WeightToken | FilterToken | OrToken | PlusToken | DashToken


def join_alternatives(text: str, tokens: Sequence[Token], *, prose: bool = False) -> list[Token]:
    """Combine filters that are joined by `or` into one filter each.

    Any other `or` becomes a word if `prose` is set; otherwise it raises `QuerySyntax`.
    """
    result: list[Token] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if isinstance(token, OrToken):
            if not prose:
                fault = Notice("or_between_filters", "`or` must stand between two filters")
                raise QuerySyntax(text, token.start, fault)
            token = WordToken(token.start, token.end)
        if isinstance(token, FilterToken):
            alternatives = _alternatives(tokens, index)
            index += 2 * (len(alternatives) - 1)
            token = _any_of(alternatives)
        result.append(token)
        index += 1
    return result


def conjunction(tokens: Sequence[Token]) -> Condition:
    """Return all filters among `tokens` as one condition."""
    conditions = tuple(token.condition for token in tokens if isinstance(token, FilterToken))
    return conditions[0] if len(conditions) == 1 else And(conditions)


def _alternatives(tokens: Sequence[Token], index: int) -> list[FilterToken]:
    """Return the filter at `index` and all that follow it, each after an `or`."""
    alternatives: list[FilterToken] = []
    for at in range(index, len(tokens), 2):
        token = tokens[at]
        if not isinstance(token, FilterToken) or (alternatives and not isinstance(tokens[at - 1], OrToken)):
            break
        alternatives.append(token)
    return alternatives


def _any_of(alternatives: Sequence[FilterToken]) -> FilterToken:
    """Combine several filters into one; a first filter that is a disjunction is extended, not nested."""
    if len(alternatives) == 1:
        return alternatives[0]
    first, *others = (token.condition for token in alternatives)
    conditions = (*(first.conditions if isinstance(first, Or) else (first,)), *others)
    return FilterToken(alternatives[0].start, alternatives[-1].end, Or(conditions))
