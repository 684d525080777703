"""Filters of a search, and the text syntax of their conditions."""

from search.filters.dates import parse_date
from search.filters.fields import FIELD_NAMES, field_condition, parse_where, where_term
from search.filters.filters import Filters
from store.filters.conditions import And, Condition, FieldTest, Not, Op, Or

__all__ = [
    "FIELD_NAMES",
    "And",
    "Condition",
    "FieldTest",
    "Filters",
    "Not",
    "Op",
    "Or",
    "field_condition",
    "parse_date",
    "parse_where",
    "where_term",
]
