"""What a user should know about how a query was read: signs and words that look like operators or filters but are text.

Nothing here changes a query. `parse` decides, and an error is better where the intention is certain.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from core.notices import Notice
from search.filters import FIELD_NAMES, And, Condition, FieldTest, Op
from search.filters.signs import COLONS, LONG_DASHES, MINUSES, plain_signs
from search.query import Query, TextInput
from search.query_language.lexer import FIELD_PATTERN, tokenize
from search.query_language.parser import parse
from search.query_language.tokens import FilterToken, PhraseToken, PlusToken, Token, WeightToken, WordToken

__all__ = ["COMPARABLE_FIELDS", "filter_notices", "query_notices"]

_FILTER_LIKE = re.compile(rf"(?<!\S)[{MINUSES}]?([a-z]{{3,}})[{COLONS}](?=[^\s:/])", re.IGNORECASE)
_WITHOUT_VALUE = re.compile(rf"(?<!\S)[{MINUSES}]?([a-z]+)[{COLONS}](?!\S)", re.IGNORECASE)
_AFTER_LETTER = re.compile(rf"(?<=[^\x00-\x7f]){FIELD_PATTERN}(?=\S)")
_FILTER = re.compile(rf"[{MINUSES}]?{FIELD_PATTERN}(.*)", re.DOTALL)

COMPARABLE_FIELDS = frozenset(
    ("aperture", "date", "exposure", "focal", "height", "iso", "mp", "rating", "size", "width", "year")
)
"""Fields that are compared with `>`, which a shell takes for a redirection."""

MARKED_FIELDS = COMPARABLE_FIELDS | {"album", "camera", "format", "lens", "orientation", "tag"}
"""Fields that are reported if they have no value. Others, such as `in:` and `title:`, are common in sentences."""

MIN_NAME_SIMILARITY = 0.8
"""How similar a name must be to a field's (`difflib`) to be reported. `note:this` and `http://` are not."""

_PICTURE_FILE = re.compile(r"[^\s:/]+\.(?:jpe?g|png|gif|webp|heic|heif|avif|tiff?|dng|mp4|mov)", re.IGNORECASE)
_FOREIGN_OPERATORS = frozenset(("|", "||", "&&", "¦"))
_PATTERN_FIELDS = frozenset(("camera", "lens", "name", "path", "title", "description", "tag"))
_UNIT = re.compile(r"(?:[kmgt]i?b|mm|mp|px|km|mi)", re.IGNORECASE)
_CHARACTER_CLASS = re.compile(r"\[[!^]|\[[^\]]{1,3}\]|\[[^\]]*\w-\w[^\]]*\]|\{[^}]*,[^}]*\}")
"""What shells and regular expressions read as one of several characters or texts."""
_BARE_NUMBER = re.compile(r"[<>=]*([0-9]+(?:\.[0-9]+)?)")

LONGEST_EXPOSURE = 30.0
"""Seconds. A longer exposure without a unit is more often the denominator of a short one."""
SMALLEST_FILE = 1000
"""Bytes. A smaller size without a unit is more often meant in megabytes."""
SHORTEST_RADIUS = 100
"""Metres. A smaller distance without a unit is more often meant in kilometres."""


def query_notices(text: str) -> tuple[Notice, ...]:
    """Return a notice for each part of a valid query that may be read otherwise than meant. Raises as `parse` does."""
    if not text.strip():
        return ()
    parsed = parse(text)
    tokens = tokenize(text)
    found = [*_signs(text, tokens), *_units(text, tokens)]
    for token in tokens:
        if isinstance(token, FilterToken):
            found += filter_notices(text[token.start : token.end])
    if parsed.query is not None:
        found += _misspelt(parsed.query)
    if parsed.where is not None:
        found += _contradictions(parsed.where)
    return tuple(dict.fromkeys(found))


def filter_notices(text: str) -> list[Notice]:
    """Return notices about one filter, `field:value`, that may be read otherwise than meant."""
    match = _FILTER.fullmatch(text)
    if match is None:
        return []
    field, value = plain_signs(match[1]).casefold(), plain_signs(match[2])
    return [*_unit_notices(text, field, value), *_pattern_notices(text, field, value)]


def _unit_notices(text: str, field: str, value: str) -> Iterator[Notice]:
    """Yield a notice about a number whose unit is probably not the one that is meant."""
    number = _BARE_NUMBER.fullmatch(value)
    distance = re.fullmatch(r".*[,;].*[,;] *([0-9]+)", value) if field == "near" else None
    if field == "exposure" and number is not None and float(number[1]) > LONGEST_EXPOSURE:
        instead = f"exposure:1/{number[1]}"
        message = f"{text} means seconds; for a fraction of a second, write {instead}."
        yield Notice("exposure_in_seconds", message, {"term": text, "instead": instead})
    elif field == "size" and number is not None and float(number[1]) < SMALLEST_FILE:
        message = f"{text} means bytes; for megabytes, write {text}MB."
        yield Notice("size_in_bytes", message, {"term": text, "instead": f"{text}MB"})
    elif distance is not None and float(distance[1]) < SHORTEST_RADIUS:
        message = f"{text} means metres; for kilometres, write {text}km."
        yield Notice("distance_in_metres", message, {"term": text, "instead": f"{text}km"})


def _pattern_notices(text: str, field: str, value: str) -> Iterator[Notice]:
    """Yield a notice about signs that shells and regular expressions read otherwise."""
    if field in _PATTERN_FIELDS and _CHARACTER_CLASS.search(value):
        message = f"{text}: brackets and braces are compared as they are; only * and ? are wildcards."
        yield Notice("brackets_are_plain", message, {"term": text})
    elif field in _PATTERN_FIELDS - {"path", "name"} and re.fullmatch(r"/.+/", value):
        message = f"{text}: slashes are compared as they are; regular expressions are not supported."
        yield Notice("slashes_are_plain", message, {"term": text})


def _signs(text: str, tokens: Sequence[Token]) -> Iterator[Notice]:
    """Yield notices about words that are operators elsewhere, or would be with a plain hyphen."""
    has_plus = any(isinstance(token, PlusToken) for token in tokens)
    for index, token in enumerate(tokens):
        if not isinstance(token, WordToken):
            continue
        word = text[token.start : token.end]
        beside = [*tokens[max(index - 1, 0) : index], *tokens[index + 1 : index + 2]]
        is_marked = has_plus or any(isinstance(other, PhraseToken | WeightToken) for other in beside)
        if word[0] in LONG_DASHES + MINUSES:
            yield from _dash(word, is_marked=is_marked, is_first=index == 0, rest=text[token.end - 1 :])
        else:
            yield from _operator(word)
        yield from _attached(word)


def _dash(word: str, *, is_marked: bool, is_first: bool, rest: str) -> Iterator[Notice]:
    """Yield a notice about a dash that is text. `is_marked` says whether operators stand near it."""
    if len(word) == 1 and is_marked:
        message = f"{word} is read as text; a hyphen between blanks, -, subtracts what follows."
        yield Notice("dash_is_text", message, {"word": word})
    elif word[0] in LONG_DASHES and word[1:2].isalpha() and not is_first and not _is_closed(rest):
        instead = f"-{word[1:]}"
        message = f"{word} is read as text; with a hyphen, {instead}, the word is avoided."
        yield Notice("long_dash_is_text", message, {"word": word, "instead": instead})


def _operator(word: str) -> Iterator[Notice]:
    """Yield a notice about a word that other query languages read as an operator, or as the name of a file."""
    if word in _FOREIGN_OPERATORS:
        message = f"{word} is read as text; `or` joins filters, and + between blanks adds a second query."
        yield Notice("operator_is_text", message, {"word": word})
    elif re.fullmatch(r"\+[^\W\d_]\w+", word):
        message = f"{word} is read as text; + is an operator only between blanks."
        yield Notice("plus_is_text", message, {"word": word})
    elif re.fullmatch(r"[^\W\d_]\S*\^\d+(?:\.\d+)?", word):
        name, _, weight = word.rpartition("^")
        instead = f"{weight}:{name}"
        message = f"{word} is read as text; a weight is written in front: {instead}"
        yield Notice("weight_is_text", message, {"word": word, "instead": instead})
    elif _PICTURE_FILE.fullmatch(word):
        instead = f"name:{word}"
        message = f"{word} is read as text; {instead} finds it by its name, and ./{word} searches with that file."
        yield Notice("file_name_is_text", message, {"word": word, "instead": instead})


def _is_closed(rest: str) -> bool:
    """Whether another long dash follows, as around an insertion."""
    return any(sign in rest for sign in LONG_DASHES)


def _attached(word: str) -> Iterator[Notice]:
    """Yield notices about filters that are not separated from the letters of a script without blanks."""
    for match in _AFTER_LETTER.finditer(word):
        name = plain_signs(match[1]).casefold()
        if name in FIELD_NAMES:
            message = f"{name}: is read as text, because no blank is in front of it."
            yield Notice("field_without_blank", message, {"field": name})


def _units(text: str, tokens: Sequence[Token]) -> Iterator[Notice]:
    """Yield notices about units that a blank separates from their number."""
    for token, after in pairwise(tokens):
        word, before = text[after.start : after.end], text[token.start : token.end]
        is_unit = isinstance(after, WordToken) and _UNIT.fullmatch(word) is not None
        if is_unit and isinstance(token, FilterToken) and before[-1:].isdecimal():
            message = f"{word} is read as text; without a blank it is the unit: {before}{word}"
            yield Notice("unit_is_text", message, {"word": word, "instead": f"{before}{word}"})


def _misspelt(query: Query) -> Iterator[Notice]:
    """Yield a notice for each word of the query that looks like a misspelt filter, or one without a value."""
    texts = [part.source.text for part in query.parts if isinstance(part.source, TextInput)]
    for name in dict.fromkeys(name for text in texts for name in _FILTER_LIKE.findall(text)):
        matches = difflib.get_close_matches(name.casefold(), FIELD_NAMES, 1, MIN_NAME_SIMILARITY)
        if matches:
            message = f"{name}: is not a field, so it is searched for as text. Did you mean {matches[0]}:?"
            yield Notice("unknown_field", message, {"field": name, "suggestion": matches[0]})
    for name in dict.fromkeys(name.casefold() for text in texts for name in _WITHOUT_VALUE.findall(text)):
        if name in MARKED_FIELDS:
            message = f"{name}: has no value, so it is searched for as text. {_remedy(name)}"
            yield Notice("field_without_value", message, {"field": name})


def _remedy(name: str) -> str:
    """Return how to give a field a value."""
    if name in COMPARABLE_FIELDS:
        return f"In a shell, > and < need quotation marks: '{name}:>=...'"
    return f"The value follows the colon without a blank: {name}:..."


def _contradictions(where: Condition) -> Iterator[Notice]:
    """Yield a notice if the dates that all must match leave nothing: `after:2023 before:2021`."""
    tests = [test for test in _required(where) if isinstance(test, FieldTest) and test.field == "taken_at"]
    starts = [test.value for test in tests if test.op is Op.GE and isinstance(test.value, datetime)]
    ends = [test.value for test in tests if test.op is Op.LT and isinstance(test.value, datetime)]
    if starts and ends and max(starts) >= min(ends):
        start, end = f"{max(starts):%Y-%m-%d}", f"{min(ends):%Y-%m-%d}"
        message = f"No date is both from {start} on and before {end}."
        yield Notice("contradictory_dates", message, {"start": start, "end": end})


def _required(where: Condition) -> Iterator[Condition]:
    if isinstance(where, And):
        for inner in where.conditions:
            yield from _required(inner)
    else:
        yield where
