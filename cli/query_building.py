"""From the values of options to what `search` takes: filters, queries, search options."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from cli.command_types import EXCLUDED_WORD
from cli.options import FilterOptions, QueryOptions, RankingOptions
from cli.paths import logical_path
from core.frames import FIRST_FRAME
from search import Crop, Filters, ImageInput, Part, Query, SearchOptions, StoredInput, TextInput
from search.feedback import refine_query
from search.filters import FIELD_NAMES, And, Condition, parse_date, parse_where
from search.filters.signs import CLOSING, COLONS, MINUSES, plain_signs, unquoted
from search.query import QueryInput, negative_parts
from search.query_language import parse

_ID = re.compile(r"(\d{1,18})(?:#(\d{1,9}))?", re.ASCII)

__all__ = ["add_condition", "build_filters", "build_query", "build_search_options", "query_line"]


def build_filters(options: FilterOptions) -> Filters:
    """Parse the filter options. Raises `InvalidQuery` for an invalid date or filter."""
    conditions = tuple(map(parse_where, options.conditions))
    return Filters(
        within=tuple(map(logical_path, options.within)),
        after=None if options.after is None else parse_date(options.after),
        before=None if options.before is None else parse_date(options.before),
        where=(conditions[0] if len(conditions) == 1 else And(conditions)) if conditions else None,
    )


def add_condition(filters: Filters, condition: Condition | None) -> Filters:
    """Return `filters` with a further condition, such as the filters in the words of a query."""
    if condition is None:
        return filters
    return replace(filters, where=condition if filters.where is None else And((filters.where, condition)))


def build_query(options: QueryOptions, line: str | None = None) -> tuple[Query | None, Condition | None]:
    """Return the query, and the filters in its words. The query is None if there are only filters.

    `line` replaces the words of `options`. Raises `InvalidQuery`, and `click.UsageError` for a crop or a frame without
    an image.
    """
    line = (query_line(options.words) if line is None else line).strip()
    parts: list[Part] = []
    condition = None
    if line and options.plain:
        parts += Query.of(line).parts
    elif line:
        parsed = parse(line)
        parts += parsed.query.parts if parsed.query else ()
        condition = parsed.where
    crop = None if options.crop is None else Crop.parse(options.crop)
    if crop is not None and not options.images:
        raise click.UsageError("--crop selects a region of the picture that --image names.")
    if options.frame != FIRST_FRAME and not options.images:
        raise click.UsageError("--frame selects a page or a moment of the picture that --image names.")
    parts += [Part(ImageInput(image, crop, options.frame)) for image in options.images]
    parts += [Part(_picture(name)) for name in options.like]
    parts += negative_parts(parts, [TextInput(text) for text in options.without])
    query = Query(tuple(parts)) if parts else None
    if options.more or options.less:
        query = refine_query(
            query, [_picture(name) for name in options.more], [_picture(name) for name in options.less]
        )
    return query, condition


def _picture(name: str) -> QueryInput:
    """Return a picture of the library by its ID, with the number of a frame as in `42#3`, or a file."""
    match = _ID.fullmatch(name)
    if match is None:
        return ImageInput(Path(name))
    return StoredInput(int(match[1]), FIRST_FRAME if match[2] is None else int(match[2]) - 1)


def build_search_options(
    ranking: RankingOptions, filters: Filters, query: QueryOptions | None = None, *, explain: bool = False
) -> SearchOptions:
    """Return the search options for the values of the command line."""
    query = query or QueryOptions()
    return SearchOptions(
        k=ranking.top,
        min_score=ranking.min_score,
        filters=filters,
        relevant=ranking.relevant,
        sort=ranking.sort,
        cursor=ranking.cursor,
        diverse=ranking.diverse,
        explain=explain,
        collapse_duplicates=not ranking.expand,
        every_frame=ranking.every_frame,
        exact=ranking.exact,
        text_weight=ranking.text_weight,
        long_texts=query.long,
        prompt_ensemble=query.ensemble,
    )


def query_line(words: Sequence[str]) -> str:
    """Join the words of a query into one line, and restore the quotation marks that the shell removed."""
    if len(words) == 1:
        return _quoted(words[0]) if EXCLUDED_WORD.match(words[0]) else words[0]
    is_sign = [word in ("+", "-") for word in words]
    follows_sign = [any(is_sign[max(position - 1, 0) : position + 2]) for position in range(len(words))]
    return " ".join(_quoted(word, whole=whole) for word, whole in zip(words, follows_sign, strict=True))


_PREFIXED = re.compile(
    rf"([{MINUSES}]?(?:[a-zＡ-Ｚａ-ｚ]+[{COLONS}]|\d+(?:\.\d+)?[{COLONS}](?=\D))?)(.*)",
    re.DOTALL | re.IGNORECASE | re.ASCII,
)


def _quoted(word: str, *, whole: bool = False) -> str:
    """Quote an argument that contains blanks: `in:My Pictures` was `in:"My Pictures"` before the shell read it.

    With `whole`, also quote an argument without a prefix.
    """
    match = _PREFIXED.fullmatch(word)
    if match is None or '"' in word or not any(map(str.isspace, word)):
        return word
    prefix, rest = match.groups()
    if rest[:1] in CLOSING and unquoted(rest) != rest:
        return word
    name = plain_signs(prefix.lstrip(MINUSES).rstrip(COLONS))
    is_operator = bool(prefix) and (not name or name[0].isdigit() or name.casefold() in FIELD_NAMES)
    if is_operator or word.startswith(("./", "../", "~/")):
        return f'{prefix if is_operator else ""}"{(rest if is_operator else word)}"'
    return f'"{word}"' if whole else word
