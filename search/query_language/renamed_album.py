"""Queries that use an album as a filter, when that album is renamed."""

from collections.abc import Iterator
from dataclasses import replace

from core.errors import InvalidQuery
from search.filters import FieldTest
from search.filters.signs import quoted
from search.query_language.lexer import field_values
from search.query_language.parser import ParsedQuery, filter_text, parse, without_filters
from search.query_language.written_lines import line_that_reads_as, mapped_condition
from store.albums.names import album_key

__all__ = ["with_album_renamed"]


def with_album_renamed(query: str, old: str, new: str) -> str:
    """Return `query` with `album:new` in place of each filter `album:old`, in any spelling; all else stays as typed.

    Beside a lone quotation mark, the new name could read otherwise; the filters are then written in front of the words.
    A query that cannot be parsed is returned unchanged.
    """
    try:
        parsed = parse(query)
    except InvalidQuery:
        return query
    if parsed.where is None:
        return query

    def change(test: FieldTest) -> FieldTest:
        is_old = test.field == "album" and album_key(str(test.value)) == album_key(old)
        return replace(test, value=new.strip()) if is_old else test

    meant = ParsedQuery(parsed.query, mapped_condition(parsed.where, change))
    return line_that_reads_as(meant, _candidates(query, old, new)) or query


def _candidates(query: str, old: str, new: str) -> Iterator[str]:
    yield _replaced(query, old, new)
    yield f"{_replaced(filter_text(query), old, new)} {without_filters(query)}".strip()


def _replaced(query: str, old: str, new: str) -> str:
    for found in reversed(field_values(query)):  # from the end, so that the positions before it stay valid
        if found.field == "album" and album_key(found.value) == album_key(old):
            query = query[: found.start] + quoted(new) + query[found.end :]
    return query
