"""The query language: texts, pictures and filters in one line (docs/searching.md)."""

from search.query_language.notices import filter_notices, query_notices
from search.query_language.parser import ParsedQuery, filter_text, parse
from search.query_language.renamed_album import with_album_renamed
from search.query_language.written_lines import line_that_reads_as

__all__ = [
    "ParsedQuery",
    "filter_notices",
    "filter_text",
    "line_that_reads_as",
    "parse",
    "query_notices",
    "with_album_renamed",
]
