"""From a line of text to its items. Whatever is not plainly an operator, a filter or a picture is prose."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from core.errors import InvalidQuery, QuerySyntax
from search.crop import Crop
from search.filters import FIELD_NAMES, Not, field_condition
from search.query import Picture, Source, Stored, Text
from search.query_language import tokens
from search.query_language.filter_terms import conjunction, joined
from search.query_language.tokens import Filter, Item, Phrase, Word

__all__ = ["read"]

_BLANK = re.compile(r"\s*")
_CHUNK = re.compile(r"\S+")
_IN_BRACKETS = re.compile(r"[^\s)]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?(?:e[-+]?\d+)?):(?=[^\s\d:])", re.IGNORECASE | re.ASCII)
_FIELD = re.compile(r"([a-z]+):(?=\S)", re.IGNORECASE | re.ASCII)
_GROUP = re.compile(r"\(\s*(?:-?\(\s*)*-?([a-z]+):\S", re.IGNORECASE | re.ASCII)
_LIKE = re.compile(r"like:(\d{1,18})(?=[\s)]|$)", re.IGNORECASE | re.ASCII)
_PATH = re.compile(r"(?:\.{1,2}/|~/)\S+|/\S*\w\.\w+(?:\[[^\]\s]*\])?(?=\s|$)")
"""`./`, `../` and `~/` begin a picture; so does `/`, if a name with an extension follows: `/etc` is no picture."""
_CROP = re.compile(r"\[([\d.,%e+-]+)\]")

_LONE: Mapping[str, type[tokens.Plus | tokens.Dash | tokens.Or]] = MappingProxyType(
    {"+": tokens.Plus, "-": tokens.Dash, "or": tokens.Or}
)
"""What means something where it stands between blanks."""

DEEPEST = 40
"""Brackets within brackets."""


def read(text: str) -> list[Item]:
    """The items of `text`, in order. Raises `QuerySyntax`."""
    return _Reader(text).items()


class _Reader:
    """Reads one text; `at` is how far it has come."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def items(self) -> list[Item]:
        found = []
        while self._skip_blanks():
            found.append(self._item())
        return found

    def _item(self) -> Item:
        chunk = self._peek(_CHUNK)
        start, end = self.at, self.at + len(chunk)
        lone = _LONE.get(chunk.casefold())
        if lone is not None:
            self.at = end
            return lone(start, end)
        negative = chunk[0] == "-"
        self.at += negative
        marked = self._filter(0) or self._phrase(start, negative=negative)
        if isinstance(marked, Filter):
            return Filter(start, self.at, Not(marked.condition) if negative else marked.condition)
        if marked is not None:
            return marked
        return self._plain(start, end, negative=negative)

    def _plain(self, start: int, end: int, *, negative: bool) -> Item:
        """A word; a letter right behind a minus makes it one to stay away from."""
        if negative and self.text[self.at].isalpha():
            source = self._source(start, lambda: Text(self.text[self.at : end]))
            self.at = end
            return Phrase(start, end, source, negative=True)
        weight = None if negative else _WEIGHT.match(self.text, self.at)
        if weight is not None:
            self.at = weight.end()
            return tokens.Weight(start, self.at, float(weight[1]))
        self.at = end
        return Word(start, end)

    def _phrase(self, start: int, *, negative: bool) -> Phrase | None:
        """A phrase in quotation marks, a picture or `like:ID`, each with or without a weight; nothing else is read."""
        before = self.at
        weight = _WEIGHT.match(self.text, self.at)
        self.at = weight.end() if weight else self.at
        quoted = self.text[self.at] == '"'
        source = self._marked_source(start)
        if source is None and weight is not None and negative and self.text[self.at].isalpha():
            word = self._peek(_CHUNK)
            source = self._source(start, lambda: Text(word))
            self.at += len(word)
        if source is None:
            self.at = before
            return None
        value = float(weight[1]) if weight else None
        plain = quoted and isinstance(source, Text) and not weight and not negative
        return Phrase(start, self.at, source, value, negative, plain)

    def _marked_source(self, start: int) -> Source | None:
        like, path = _LIKE.match(self.text, self.at), _PATH.match(self.text, self.at)
        if like is not None:
            self.at = like.end()
            return Stored(int(like[1]))
        if path is not None:
            return self._bare_picture(path[0])
        if self.text[self.at] != '"':
            return None
        is_picture = self.text.startswith(("./", "../", "~/", "/"), self.at + 1)
        inside = self._quotation()
        return self._picture(inside, start) if is_picture else self._source(start, lambda: Text(inside))

    def _bare_picture(self, chunk: str) -> Source:
        start = self.at
        crop = re.search(r"\[[\d.,%e+-]+\]$", chunk)
        self.at += crop.start() if crop else len(chunk)
        return self._picture(chunk[: crop.start()] if crop else chunk, start)

    def _picture(self, name: str, start: int) -> Source:
        """A picture called `name`, and the region that follows in square brackets."""
        box = _CROP.match(self.text, self.at)
        self.at = box.end() if box else self.at
        path = Path(os.path.expanduser(name))  # noqa: PTH111 (Path.expanduser may raise)
        return self._source(start, lambda: Picture(path, Crop.parse(box[1]) if box else None))

    def _filter(self, depth: int) -> Filter | None:
        """`name:value` of a known name, or filters in round brackets."""
        start = self.at
        field = _FIELD.match(self.text, self.at)
        if field is not None and field[1].casefold() in FIELD_NAMES:
            self.at = field.end()
            quoted = self.text[self.at] == '"'
            value = self._quotation() if quoted else self._take(_IN_BRACKETS if depth else _CHUNK)
            try:
                return Filter(start, self.at, field_condition(field[1], value))
            except InvalidQuery as exc:
                raise QuerySyntax(self.text, start, str(exc)) from exc
        if self.text[self.at] == "(" and self._begins_filters():
            return self._group(depth + 1)
        return None

    def _begins_filters(self) -> bool:
        """Whether a filter follows the brackets here: others are prose."""
        match = _GROUP.match(self.text, self.at)
        return match is not None and match[1].casefold() in FIELD_NAMES

    def _group(self, depth: int) -> Filter:
        """Filters between brackets."""
        start = self.at
        if depth > DEEPEST:
            raise QuerySyntax(self.text, start, "too many brackets within each other")
        self.at += 1
        inside: list[Item] = []
        while self._skip_blanks() and self.text[self.at] != ")":
            begun = self.at
            if self._peek(_IN_BRACKETS).casefold() == "or":
                self.at += 2
                inside.append(tokens.Or(begun, self.at))
                continue
            negative = self.text[self.at] == "-"
            self.at += negative
            found = self._filter(depth) if self.at < len(self.text) else None
            if found is None:
                raise QuerySyntax(self.text, begun, "only filters can stand in brackets beside filters")
            inside.append(Filter(begun, self.at, Not(found.condition) if negative else found.condition))
        if self.at >= len(self.text):
            raise QuerySyntax(self.text, start, "this bracket is never closed")
        self.at += 1
        return Filter(start, self.at, conjunction(joined(self.text, inside)))

    def _quotation(self) -> str:
        """What stands in the quotation marks here."""
        match = _QUOTED.match(self.text, self.at)
        if match is None:
            raise QuerySyntax(self.text, self.at, "this quotation mark is never closed")
        self.at = match.end()
        return re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)

    def _source(self, start: int, make: Callable[[], Source]) -> Source:
        """What `make` makes; what it has against it is said with the place."""
        try:
            return make()
        except InvalidQuery as exc:
            raise QuerySyntax(self.text, start, str(exc)) from exc

    def _skip_blanks(self) -> bool:
        """Says whether anything is left behind them."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _peek(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        return match[0] if match else ""

    def _take(self, pattern: re.Pattern[str]) -> str:
        taken = self._peek(pattern)
        self.at += len(taken)
        return taken
