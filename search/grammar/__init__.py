"""The query language: words, pictures and filters in one line of text, as people type it (docs/searching.md)."""

from search.grammar.misspelt import misspelt
from search.grammar.parse import Question, filters_of, parse

__all__ = ["Question", "filters_of", "misspelt", "parse"]
