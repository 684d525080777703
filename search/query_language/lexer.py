"""The lexer of the query language. Everything that is not clearly an operator, a filter or a picture is plain text."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from core.errors import InvalidQuery, QuerySyntax
from core.frames import FIRST_FRAME
from search.filters import FIELD_NAMES, Not, field_condition
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

__all__ = ["tokenize"]

_BLANK = re.compile(r"\s*")
_CHUNK = re.compile(r"\S+")
_IN_BRACKETS = re.compile(r"[^\s)]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?(?:e[-+]?\d+)?):(?=[^\s\d:])", re.IGNORECASE | re.ASCII)
_FIELD = re.compile(r"([a-z]+):(?=\S)", re.IGNORECASE | re.ASCII)
_GROUP = re.compile(r"\(\s*(?:-?\(\s*)*-?([a-z]+):\S", re.IGNORECASE | re.ASCII)
_LIKE = re.compile(r"like:(\d{1,18})(?:#(\d{1,9}))?(?=[\s)]|$)", re.IGNORECASE | re.ASCII)
_PATH = re.compile(r"(?:\.{1,2}/|~/)\S+|/\S*\w\.\w+(?:#\d+)?(?:\[[^\]\s]*\])?(?=\s|$)")
"""`./`, `../` and `~/` begin a picture; `/` only if a name with an extension follows, so `/etc` is text."""
_FRAME_AND_CROP = re.compile(r"(?:#(\d{1,9}))?(?:\[([\d.,%e+-]+)\])?", re.ASCII)
_AFTER_NAME = re.compile(r"(?:(?<=\w)#\d{1,9})?(?:\[[\d.,%e+-]+\])?$", re.ASCII)
"""After a picture: the number of a frame, from 1, and a region."""

_OPERATORS: Mapping[str, type[PlusToken | DashToken | OrToken]] = MappingProxyType(
    {"+": PlusToken, "-": DashToken, "or": OrToken}
)
"""Operators, which must stand between blanks."""

MAX_BRACKET_DEPTH = 40


def tokenize(text: str) -> list[Token]:
    """Split `text` into tokens. Raises `QuerySyntax`."""
    return _Lexer(text).tokens()


class _Lexer:
    """Splits one text into tokens; `at` is the current position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

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
        negative = chunk[0] == "-"
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
            return WeightToken(start, self.at, float(weight[1]))
        self.at = end
        return WordToken(start, end)

    def _phrase(self, start: int, *, negative: bool) -> PhraseToken | None:
        """Read a quoted phrase, a picture or `like:ID`, with an optional weight. Reads nothing if there is none."""
        before = self.at
        weight = _WEIGHT.match(self.text, self.at)
        self.at = weight.end() if weight else self.at
        quoted = self.text[self.at] == '"'
        source = self._marked_source(start)
        if source is None and weight is not None and negative and self.text[self.at].isalpha():
            word = self._peek(_CHUNK)
            source = self._source(start, lambda: TextInput(word))
            self.at += len(word)
        if source is None:
            self.at = before
            return None
        value = float(weight[1]) if weight else None
        plain = quoted and isinstance(source, TextInput) and not weight and not negative
        return PhraseToken(start, self.at, source, value, negative, plain)

    def _marked_source(self, start: int) -> QueryInput | None:
        like, path = _LIKE.match(self.text, self.at), _PATH.match(self.text, self.at)
        if like is not None:
            self.at = like.end()
            return self._source(start, lambda: StoredInput(int(like[1]), _frame_number(like[2])))
        if path is not None:
            return self._bare_picture(path[0])
        if self.text[self.at] != '"':
            return None
        is_picture = self.text.startswith(("./", "../", "~/", "/"), self.at + 1)
        inside = self._quotation()
        return self._picture(inside, start) if is_picture else self._source(start, lambda: TextInput(inside))

    def _bare_picture(self, chunk: str) -> QueryInput:
        start = self.at
        after = _AFTER_NAME.search(chunk)
        name = chunk[: after.start()] if after else chunk
        self.at += len(name)
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
        if field is not None and field[1].casefold() in FIELD_NAMES:
            self.at = field.end()
            quoted = self.text[self.at] == '"'
            value = self._quotation() if quoted else self._take(_IN_BRACKETS if depth else _CHUNK)
            try:
                return FilterToken(start, self.at, field_condition(field[1], value))
            except InvalidQuery as exc:
                raise QuerySyntax(self.text, start, str(exc)) from exc
        if self.text[self.at] == "(" and self._begins_filters():
            return self._group(depth + 1)
        return None

    def _begins_filters(self) -> bool:
        """Whether a filter follows the brackets here; brackets around anything else are plain text."""
        match = _GROUP.match(self.text, self.at)
        return match is not None and match[1].casefold() in FIELD_NAMES

    def _group(self, depth: int) -> FilterToken:
        """Read filters between brackets."""
        start = self.at
        if depth > MAX_BRACKET_DEPTH:
            raise QuerySyntax(self.text, start, "Too many nested brackets")
        self.at += 1
        inside: list[Token] = []
        while self._skip_blanks() and self.text[self.at] != ")":
            begin = self.at
            if self._peek(_IN_BRACKETS).casefold() == "or":
                self.at += 2
                inside.append(OrToken(begin, self.at))
                continue
            negative = self.text[self.at] == "-"
            self.at += negative
            token = self._filter(depth) if self.at < len(self.text) else None
            if token is None:
                raise QuerySyntax(self.text, begin, "Brackets with a filter must contain filters only")
            inside.append(FilterToken(begin, self.at, Not(token.condition) if negative else token.condition))
        if self.at >= len(self.text):
            raise QuerySyntax(self.text, start, "The bracket is not closed")
        self.at += 1
        return FilterToken(start, self.at, conjunction(join_alternatives(self.text, inside)))

    def _quotation(self) -> str:
        """Read a text in quotation marks and return its content."""
        match = _QUOTED.match(self.text, self.at)
        if match is None:
            raise QuerySyntax(self.text, self.at, "The quotation mark is not closed")
        self.at = match.end()
        return re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)

    def _source(self, start: int, create: Callable[[], QueryInput]) -> QueryInput:
        """Call `create`, and add the position `start` to its errors."""
        try:
            return create()
        except InvalidQuery as exc:
            raise QuerySyntax(self.text, start, str(exc)) from exc

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


def _frame_number(ordinal: str | None) -> int:
    """Return the number of a frame, which begins at 0, for how people count it."""
    return FIRST_FRAME if ordinal is None else int(ordinal) - 1
