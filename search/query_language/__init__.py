"""The query language: texts, pictures and filters in one line (docs/searching.md)."""

from search.query_language.parser import ParsedQuery, filter_text, misspelt_filters, parse

__all__ = ["ParsedQuery", "filter_text", "misspelt_filters", "parse"]
