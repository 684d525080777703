"""What a person narrows a search to, in their words, and the conditions that these are for the catalogue."""

from search.filters.dates import parse_date
from search.filters.fields import FIELD_NAMES, field_condition
from search.filters.filters import Filters
from search.filters.where import parse_where
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
]
