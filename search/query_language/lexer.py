"""The lexer of the query language. Everything that is not clearly an operator, a filter or a picture is plain text."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core.errors import InvalidQuery, QuerySyntax
from core.frames import FIRST_FRAME
from core.notices import Notice
from search.filters import FIELD_NAMES, Not, field_condition
from search.filters.signs import APOSTROPHES, CLOSING, COLONS, MINUSES, OPENING_BRACKETS, PLUSES, plain_signs
from search.query import ImageInput, QueryInput, StoredInput, TextInput
from search.query_image import Crop
from search.query_language.tokens import (
    DashToken,
    FilterToken,
    OrToken,
    PhraseToken,
    PlusToken,
    Token,
    WeightToken,
    WordToken,
    conjunction,
    join_alternatives,
)

__all__ = ["FIELD_PATTERN", "FieldValue", "PicturePath", "field_values", "picture_paths", "tokenize"]

_BLANK = re.compile(r"\s*")
_CHUNK = re.compile(r"\S+")
_IN_BRACKETS = re.compile(r"[^\s)）]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_DIGIT, _LETTER, _DASH = "[0-9０-９]", "[A-Za-zＡ-Ｚａ-ｚ]", f"[{MINUSES}]"
_WEIGHT = re.compile(
    rf"({_DIGIT}+(?:[.．]{_DIGIT}+)?(?:e[-+]?[0-9]+)?)[{COLONS}](?=[^\s0-9０-９{COLONS}])", re.IGNORECASE | re.ASCII
)
FIELD_PATTERN = rf"({_LETTER}+)[{COLONS}]"
"""The name of a field, and its colon."""
_FIELD = re.compile(rf"{FIELD_PATTERN}(?=\S)")
_GROUP = re.compile(rf"[{OPENING_BRACKETS}]\s*(?:{_DASH}?[{OPENING_BRACKETS}]\s*)*{_DASH}?{FIELD_PATTERN}\S")
_LIKE = re.compile(rf"like[{COLONS}](\d{{1,18}})(?:#(\d{{1,9}}))?(?=[\s)）]|$)", re.IGNORECASE | re.ASCII)
_PATH = re.compile(r"(?:\.{1,2}/|~/)\S+|/\S*\w\.\w+(?:#\d+)?(?:\[[^\]\s]*\])?(?=\s|$)")
"""`./`, `../` and `~/` begin a picture; `/` only if a name with an extension follows, so `/etc` is text."""
_FRAME_AND_CROP = re.compile(r"(?:#(\d{1,9}))?(?:\[([\d.,%e+-]+)\])?", re.ASCII)
_AFTER_NAME = re.compile(r"(?:(?<=\w)#\d{1,9})?(?:\[[\d.,%e+-]+\])?$", re.ASCII)
"""After a picture: the number of a frame, from 1, and a region."""

_OPERATORS: Mapping[str, type[PlusToken | DashToken | OrToken]] = MappingProxyType(
    {
        **dict.fromkeys(PLUSES, PlusToken),
        **dict.fromkeys("-\u2212\ufe63\uff0d", DashToken),  # not the en dash, which separates parts of sentences
        "or": OrToken,
    }
)
"""Operators, which must stand between blanks."""

_AFTER_QUOTATION = re.compile(r"[\s)）]|$")

MAX_BRACKET_DEPTH = 40


def tokenize(text: str) -> list[Token]:
    """Split `text` into tokens. Raises `QuerySyntax`."""
    return _Lexer(text).tokens()


@dataclass(frozen=True)
class FieldValue:
    """The value of one filter, also of one in brackets; `start` and `end` are those of the value with its quotation."""

    field: str
    value: str
    start: int
    end: int


def field_values(text: str) -> list[FieldValue]:
    """Return the values of all filters of `text`, in their order. Raises `QuerySyntax`."""
    lexer = _Lexer(text)
    lexer.tokens()
    return lexer.values


@dataclass(frozen=True)
class PicturePath:
    """The path of an example picture; `start` and `end` are those of the path with its quotation."""

    path: str
    start: int
    end: int


def picture_paths(text: str) -> list[PicturePath]:
    """Return the paths of all example pictures of `text`, in their order. Raises `QuerySyntax`."""
    lexer = _Lexer(text)
    lexer.tokens()
    return lexer.pictures


class _Lexer:
    """Splits one text into tokens; `at` is the current position.

    `values` and `pictures` are those of the filters and of the example pictures before it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.values: list[FieldValue] = []
        self.pictures: list[PicturePath] = []

    def tokens(self) -> list[Token]:
        tokens = []
        while self._skip_blanks():
            tokens.append(self._token())
        return tokens

    def _token(self) -> Token:
        chunk = self._peek(_CHUNK)
        start, end = self.at, self.at + len(chunk)
        operator = _OPERATORS.get(chunk.casefold())
        if operator is not None:
            self.at = end
            return operator(start, end)
        negative = chunk[0] in MINUSES and len(chunk) > 1
        self.at += negative
        marked = self._filter(0) or self._phrase(start, negative=negative)
        if isinstance(marked, FilterToken):
            return FilterToken(start, self.at, Not(marked.condition) if negative else marked.condition)
        if marked is not None:
            return marked
        return self._plain(start, end, negative=negative)

    def _plain(self, start: int, end: int, *, negative: bool) -> Token:
        """Read a word; a minus directly before a letter makes it a negative part."""
        if negative and self.text[self.at].isalpha():
            source = self._source(start, lambda: TextInput(self.text[self.at : end]))
            self.at = end
            return PhraseToken(start, end, source, negative=True)
        weight = None if negative else _WEIGHT.match(self.text, self.at)
        if weight is not None:
            self.at = weight.end()
            return WeightToken(start, self.at, float(plain_signs(weight[1])))
        self.at = end
        return WordToken(start, end)

    def _phrase(self, start: int, *, negative: bool) -> PhraseToken | None:
        """Read a quoted phrase, a picture or `like:ID`, with an optional weight. Reads nothing if there is none."""
        before = self.at
        weight = _WEIGHT.match(self.text, self.at)
        self.at = weight.end() if weight else self.at
        opening = self.text[self.at]
        source = self._marked_source(start, must_close=negative or weight is not None)
        if source is None and weight is not None and negative and self.text[self.at].isalpha():
            word = self._peek(_CHUNK)
            source = self._source(start, lambda: TextInput(word))
            self.at += len(word)
        if source is None:
            self.at = before
            return None
        value = float(plain_signs(weight[1])) if weight else None
        plain = opening in CLOSING and isinstance(source, TextInput) and not weight and not negative
        return PhraseToken(start, self.at, source, value, negative, plain, plain and opening != '"')

    def _marked_source(self, start: int, *, must_close: bool) -> QueryInput | None:
        like, path = _LIKE.match(self.text, self.at), _PATH.match(self.text, self.at)
        if like is not None:
            self.at = like.end()
            return self._source(start, lambda: StoredInput(int(like[1]), _frame_number(like[2])))
        if path is not None:
            return self._bare_picture(path[0])
        opening = self.text[self.at]
        if opening not in CLOSING or opening in APOSTROPHES:
            return None
        paths = ("./", "../", "~/", "/") if opening == '"' else ("./", "../", "~/")
        is_picture = self.text.startswith(paths, self.at + 1)
        opened_at = self.at
        inside = self._quotation(must_close=must_close or opening == '"')
        if inside is None or (opening != '"' and not inside.strip()):
            return None
        if not is_picture:
            return self._source(start, lambda: TextInput(inside))
        self.pictures.append(PicturePath(inside, opened_at, self.at))
        return self._picture(inside, start)

    def _bare_picture(self, chunk: str) -> QueryInput:
        start = self.at
        after = _AFTER_NAME.search(chunk)
        name = chunk[: after.start()] if after else chunk
        self.at += len(name)
        self.pictures.append(PicturePath(name, start, self.at))
        return self._picture(name, start)

    def _picture(self, name: str, start: int) -> QueryInput:
        """Return the picture `name`, with the frame and the region in square brackets that follow."""
        after = _FRAME_AND_CROP.match(self.text, self.at)
        assert after is not None  # both may be missing
        self.at = after.end()
        path = Path(os.path.expanduser(name))  # noqa: PTH111 (Path.expanduser may raise)
        return self._source(
            start, lambda: ImageInput(path, Crop.parse(after[2]) if after[2] else None, _frame_number(after[1]))
        )

    def _filter(self, depth: int) -> FilterToken | None:
        """Read a filter `name:value` with a known name, or filters in round brackets."""
        start = self.at
        field = _FIELD.match(self.text, self.at)
        if field is not None and _field_name(field[1]) in FIELD_NAMES:
            self.at = field.end()
            value = self._quotation(must_close=True) if self.text[self.at] in CLOSING else None
            value = self._take(_IN_BRACKETS if depth else _CHUNK) if value is None else value
            name = _field_name(field[1])
            self.values.append(FieldValue(name, value, field.end(), self.at))
            try:
                return FilterToken(start, self.at, field_condition(name, value))
            except InvalidQuery as exc:
                fault = Notice("unreadable_filter", str(exc), {"field": name, "value": value})
                raise QuerySyntax(self.text, start, fault) from exc
        if self.text[self.at] in OPENING_BRACKETS and self._begins_filters():
            return self._group(depth + 1)
        return None

    def _begins_filters(self) -> bool:
        """Whether a filter follows the brackets here; brackets around anything else are plain text."""
        match = _GROUP.match(self.text, self.at)
        return match is not None and _field_name(match[1]) in FIELD_NAMES

    def _group(self, depth: int) -> FilterToken:
        """Read filters between brackets."""
        start = self.at
        if depth > MAX_BRACKET_DEPTH:
            raise QuerySyntax(self.text, start, Notice("nested_brackets", "Too many nested brackets"))
        self.at += 1
        inside: list[Token] = []
        while self._skip_blanks() and self.text[self.at] not in ")）":
            begin = self.at
            if self._peek(_IN_BRACKETS).casefold() == "or":
                self.at += 2
                inside.append(OrToken(begin, self.at))
                continue
            negative = self.text[self.at] in MINUSES
            self.at += negative
            token = self._filter(depth) if self.at < len(self.text) else None
            if token is None:
                fault = Notice("only_filters_in_brackets", "Brackets with a filter must contain filters only")
                raise QuerySyntax(self.text, begin, fault)
            inside.append(FilterToken(begin, self.at, Not(token.condition) if negative else token.condition))
        if self.at >= len(self.text):
            raise QuerySyntax(self.text, start, Notice("unclosed_bracket", "The bracket is not closed"))
        self.at += 1
        return FilterToken(start, self.at, conjunction(join_alternatives(self.text, inside)))

    def _quotation(self, *, must_close: bool) -> str | None:
        """Read a text in quotation marks and return its content; None if an apostrophe begins no quotation.

        Typographic marks without an end are text, too, unless they `must_close`.
        """
        match = _QUOTED.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            return re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)
        opening = self.text[self.at]
        is_apostrophe = opening in APOSTROPHES
        closing = CLOSING[opening] if opening != '"' else "”“"
        ends = (
            at
            for at in range(self.at + 1, len(self.text))
            if self.text[at] in closing and (not is_apostrophe or _AFTER_QUOTATION.match(self.text, at + 1))
        )
        end = next(ends, None)
        if end is None:
            if must_close and not is_apostrophe:
                message = f"The quotation mark {opening} is not closed"
                raise QuerySyntax(self.text, self.at, Notice("unclosed_quotation", message, {"sign": opening}))
            return None
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return inside.strip()

    def _source(self, start: int, create: Callable[[], QueryInput]) -> QueryInput:
        """Call `create`, and add the position `start` to its errors."""
        try:
            return create()
        except InvalidQuery as exc:
            raise QuerySyntax(self.text, start, Notice("unreadable_part", str(exc))) from exc

    def _skip_blanks(self) -> bool:
        """Skip blanks; return whether any text is left."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _peek(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        return match[0] if match else ""

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = self._peek(pattern)
        self.at += len(match)
        return match


def _field_name(name: str) -> str:
    return plain_signs(name).casefold()


def _frame_number(ordinal: str | None) -> int:
    """Return the number of a frame, which begins at 0, for how people count it."""
    return FIRST_FRAME if ordinal is None else int(ordinal) - 1
