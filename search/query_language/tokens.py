"""What a line of a query is made of: each piece of it with the place where it stands."""

from dataclasses import dataclass
from typing import TypeAlias

from search.filters import Condition
from search.query import Source

__all__ = ["Dash", "Filter", "Item", "Or", "Phrase", "Plus", "Weight", "Word"]


@dataclass(frozen=True)
class Word:
    """A word of prose, or whatever else is no operator."""

    start: int
    end: int


@dataclass(frozen=True)
class Phrase:
    """A part of the query that is marked as one: in quotation marks, weighted, a picture, or with a minus before it."""

    start: int
    end: int
    source: Source
    weight: float | None = None
    """Without its sign; None where none is written."""
    negative: bool = False
    quoted: bool = False
    """Words in quotation marks and nothing more: within a sentence they belong to it."""


@dataclass(frozen=True)
class Weight:
    """A weight before bare words, such as `0.5:` in `0.5:sunset at sea`."""

    start: int
    end: int
    value: float


@dataclass(frozen=True)
class Filter:
    """A condition, or several in brackets."""

    start: int
    end: int
    condition: Condition


@dataclass(frozen=True)
class Or:
    """`or`, which means itself unless there is a filter on either side."""

    start: int
    end: int


@dataclass(frozen=True)
class Plus:
    """A plus between blanks."""

    start: int
    end: int


@dataclass(frozen=True)
class Dash:
    """A minus between blanks, or a dash."""

    start: int
    end: int


Item: TypeAlias = Word | Phrase | Weight | Filter | Or | Plus | Dash
