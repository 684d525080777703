"""From the items of a line to a query and its filters.

Most lines are sentences, and a sentence is never taken apart by accident: `t-shirt`, `3:30 pm`, `who's there?`,
`Paris - by night` mean themselves. What is special:

    a + b, a - b        parts, with blanks around the sign; a dash only counts where the line also has a plus, or where
                        something beside it is marked (quoted, weighted, a picture)
    -word, -"phrase"    to stay away from
    0.5:words, 2:"..."  a part that counts for less or more
    ./my.jpg  like:42   pictures; `./my.jpg[10%,0%,50%,100%]` is a region of one
    field:value         a filter, where the field is one; -field:value; a:1 or b:2; (a:1 or b:2)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidQuery, QuerySyntax
from search.filters import Condition
from search.query import Part, Query, Source, Text, away
from search.query_language import tokens
from search.query_language.filter_terms import conjunction, joined
from search.query_language.lexer import read
from search.query_language.tokens import Filter, Item, Phrase, Weight, Word

__all__ = ["Question", "filters_of", "parse"]


@dataclass(frozen=True)
class Question:
    """What a line asks: which pictures come first, and which there are to choose from."""

    query: Query | None
    """None for a line of nothing but filters."""
    where: Condition | None = None


@dataclass(frozen=True)
class _Term:
    """A part of the query before its weight is known: what to stay away from weighs what others leave it."""

    source: Source
    weight: float | None
    negative: bool
    at: int


def parse(text: str) -> Question:
    """The question that `text` asks. Raises `QuerySyntax`, which points at the place, or `InvalidQuery`."""
    found = joined(text, read(text), prose=True)
    terms: list[_Term] = []
    for sign, run in _runs(text, found):
        terms += _terms(text, run, negative=sign)
    where = conjunction(found) if any(isinstance(item, Filter) for item in found) else None
    if not terms and where is not None:
        return Question(None, where)
    return Question(_query(text, terms), where)


def filters_of(text: str) -> str:
    """The filters of `text` alone, as they were typed: parsed again, they keep the same. Raises as `parse` does."""
    found = joined(text, read(text), prose=True)
    return " ".join(text[item.start : item.end] for item in found if isinstance(item, Filter))


def _query(text: str, terms: Sequence[_Term]) -> Query:
    wanted = [_part(text, term) for term in terms if not term.negative]
    unweighed = [term for term in terms if term.negative and term.weight is None]
    if terms and not wanted:
        raise QuerySyntax(text, terms[0].at, "only what to stay away from: say what to look for, too" + _PLAIN)
    shares = {
        id(term): part for term, part in zip(unweighed, away(wanted, [term.source for term in unweighed]), strict=True)
    }
    return Query(tuple(shares.get(id(term)) or _part(text, term) for term in terms))


def _part(text: str, term: _Term) -> Part:
    """A term with a weight of its own, which is 1 for what is wanted."""
    weight = 1.0 if term.weight is None else term.weight
    try:
        return Part(term.source, -weight if term.negative else weight)
    except InvalidQuery as exc:
        raise QuerySyntax(text, term.at, str(exc)) from exc


def _runs(text: str, found: Sequence[Item]) -> list[tuple[bool, list[Item]]]:
    """What stands between the signs, each with whether its sign is a minus."""
    runs: list[tuple[bool, list[Item]]] = [(False, [])]
    last: Item | None = None
    for place, item in enumerate(found):
        if isinstance(item, tokens.Plus) or (isinstance(item, tokens.Dash) and _is_minus(found, place)):
            if last is not None and not runs[-1][1]:
                raise QuerySyntax(text, item.start, "two signs in a row" + _PLAIN)
            runs.append((isinstance(item, tokens.Dash), []))
            last = item
        elif isinstance(item, tokens.Dash):
            runs[-1][1].append(Word(item.start, item.end))
        else:
            runs[-1][1].append(item)
    if last is not None and not any(not isinstance(item, Filter) for item in runs[-1][1]):
        raise QuerySyntax(text, last.start, "something must follow this sign" + _PLAIN)
    return runs


_PLAIN = "; in quotation marks, or with --plain, it means itself"


def _is_minus(found: Sequence[Item], place: int) -> bool:
    """Whether the dash at `place` takes away: where the line adds too, or something beside it is marked as a part."""
    beside = [*found[max(place - 1, 0) : place], *found[place + 1 : place + 2]]
    return any(isinstance(item, tokens.Plus) for item in found) or any(
        isinstance(item, (Phrase, Weight)) for item in beside
    )


def _terms(text: str, run: Sequence[Item], *, negative: bool) -> list[_Term]:
    """The parts that one run makes: its words are one, whatever is marked is one each."""
    weight: float | None = None
    words = [item for item in run if not isinstance(item, Filter)]
    if words and isinstance(words[0], Weight):
        weight = words[0].value
        words = words[1:]
    if len(words) == 1 and isinstance(words[0], Phrase):
        return [_marked(words[0], negative=negative, weight=weight)]
    terms: list[_Term] = []
    prose: list[Item] = []
    for item in words:
        if isinstance(item, Phrase) and not item.quoted:
            terms.append(_marked(item, negative=negative))
        else:
            prose.append(item)
    if prose:
        said = _Term(Text(_said(text, prose)), weight, negative, run[0].start)
        first = next(place for place, item in enumerate(words) if item is prose[0])
        terms.insert(sum(not _is_prose(item) for item in words[:first]), said)
    return terms


def _marked(phrase: Phrase, *, negative: bool, weight: float | None = None) -> _Term:
    return _Term(
        phrase.source, weight if phrase.weight is None else phrase.weight, negative != phrase.negative, phrase.start
    )


def _is_prose(item: Item) -> bool:
    return not isinstance(item, Phrase) or item.quoted


def _said(text: str, prose: Sequence[Item]) -> str:
    """The prose of a run as it was typed, without what stood between."""
    pieces: list[tuple[int, int]] = []
    previous: Item | None = None
    for item in prose:
        adjacent = previous is not None and not text[previous.end : item.start].strip()
        if adjacent and pieces:
            pieces[-1] = (pieces[-1][0], item.end)
        else:
            pieces.append((item.start, item.end))
        previous = item
    return " ".join(text[start:end] for start, end in pieces)
