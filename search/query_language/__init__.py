"""The query language: words, pictures and filters in one line of text, as people type it (docs/searching.md)."""

from search.query_language.parser import Question, filters_of, parse
from search.query_language.suggestions import misspelt

__all__ = ["Question", "filters_of", "misspelt", "parse"]
