"""The parser of the query language: from a line of text to a query and its filters.

Most lines are sentences, and no sentence is split by accident: `t-shirt`, `3:30 pm`, `who's there?` and
`Paris - by night` are plain text. The following is special:

    a + b, a - b        parts, with blanks around the operator; a dash is an operator only if the line also has a plus,
                        or next to a marked part (quoted, weighted, or a picture)
    -word, -"phrase"    a negative part
    0.5:words, 2:"..."  a part with a weight
    ./my.jpg  like:42   a picture; `./my.jpg[10%,0%,50%,100%]` is a region of it
    ./my.tif#3  like:42#3   the third page or moment of a file that has several
    field:value         a filter, if the field is known; -field:value; a:1 or b:2; (a:1 or b:2)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidQuery, QuerySyntax
from core.notices import Notice
from search.filters import Condition
from search.query import Part, Query, QueryInput, TextInput, negative_parts
from search.query_language.lexer import tokenize
from search.query_language.tokens import (
    DashToken,
    FilterToken,
    PhraseToken,
    PlusToken,
    Token,
    WeightToken,
    WordToken,
    conjunction,
    join_alternatives,
)

__all__ = ["ParsedQuery", "filter_text", "parse", "without_filters"]


@dataclass(frozen=True)
class ParsedQuery:
    """A query and its filters."""

    query: Query | None
    """None if the line contains only filters."""
    where: Condition | None = None


@dataclass(frozen=True)
class _Term:
    """A part of the query before its weight is known: the default weight of negative parts depends on the others."""

    source: QueryInput
    weight: float | None
    negative: bool
    at: int


def parse(text: str) -> ParsedQuery:
    """Parse a line of the query language. Raises `QuerySyntax`, which points at the error, or `InvalidQuery`."""
    tokens = join_alternatives(text, tokenize(text), prose=True)
    terms: list[_Term] = []
    runs = _runs(text, tokens)
    for sign, run in runs:
        terms += _terms(text, run if len(runs) > 1 else _as_typed(run), negative=sign)
    where = conjunction(tokens) if any(isinstance(token, FilterToken) for token in tokens) else None
    if not terms and where is not None:
        return ParsedQuery(None, where)
    return ParsedQuery(_query(text, terms), where)


def filter_text(text: str) -> str:
    """Return only the filters of `text`, as typed. Raises as `parse` does."""
    tokens = join_alternatives(text, tokenize(text), prose=True)
    return " ".join(text[token.start : token.end] for token in tokens if isinstance(token, FilterToken))


def without_filters(text: str) -> str:
    """Return `text` without its filters; all else as typed. Raises as `parse` does."""
    pieces, end = list[str](), 0
    for token in join_alternatives(text, tokenize(text), prose=True):
        if isinstance(token, FilterToken):
            pieces.append(text[end : token.start].strip())
            end = token.end
    return " ".join(piece for piece in [*pieces, text[end:].strip()] if piece)


def _query(text: str, terms: Sequence[_Term]) -> Query:
    wanted = [_part(text, term) for term in terms if not term.negative]
    unweighted = [term for term in terms if term.negative and term.weight is None]
    if terms and not wanted:
        raise QuerySyntax(
            text,
            terms[0].at,
            Notice(
                "only_negative",
                "The query only says what to avoid: add what to search for; in quotation marks, it is read as text",
            ),
            is_operator=True,
        )
    negative = negative_parts(wanted, [term.source for term in unweighted])
    shares = {id(term): part for term, part in zip(unweighted, negative, strict=True)}
    return Query(tuple(shares.get(id(term)) or _part(text, term) for term in terms))


def _part(text: str, term: _Term) -> Part:
    """Return a part with the term's own weight, 1 by default."""
    weight = 1.0 if term.weight is None else term.weight
    try:
        return Part(term.source, -weight if term.negative else weight)
    except InvalidQuery as exc:
        raise QuerySyntax(text, term.at, Notice("unreadable_part", str(exc))) from exc


def _runs(text: str, tokens: Sequence[Token]) -> list[tuple[bool, list[Token]]]:
    """Split the tokens at the operators; return each run with whether its operator is a minus."""
    runs: list[tuple[bool, list[Token]]] = [(False, [])]
    last: Token | None = None
    for index, token in enumerate(tokens):
        if isinstance(token, PlusToken) or (isinstance(token, DashToken) and _is_minus(tokens, index)):
            if last is not None and not runs[-1][1]:
                raise QuerySyntax(
                    text,
                    token.start,
                    Notice("two_operators", "Two operators in a row; in quotation marks, an operator is read as text"),
                    is_operator=True,
                )
            runs.append((isinstance(token, DashToken), []))
            last = token
        elif isinstance(token, DashToken):
            runs[-1][1].append(WordToken(token.start, token.end))
        else:
            runs[-1][1].append(token)
    if last is not None and not any(not isinstance(token, FilterToken) for token in runs[-1][1]):
        raise QuerySyntax(
            text,
            last.start,
            Notice(
                "nothing_after_operator", "Something must follow this operator; in quotation marks, it is read as text"
            ),
            is_operator=True,
        )
    return runs


def _is_minus(tokens: Sequence[Token], index: int) -> bool:
    """Whether the dash at `index` is an operator: if the line has a plus, or if a marked part is next to it."""
    neighbours = [*tokens[max(index - 1, 0) : index], *tokens[index + 1 : index + 2]]
    return any(isinstance(token, PlusToken) for token in tokens) or any(
        isinstance(token, (PhraseToken, WeightToken)) for token in neighbours
    )


def _terms(text: str, run: Sequence[Token], *, negative: bool) -> list[_Term]:
    """Return the parts of one run: one for all of its words, and one for each marked part."""
    weight: float | None = None
    words = [token for token in run if not isinstance(token, FilterToken)]
    if words and isinstance(words[0], WeightToken):
        weight = words[0].value
        words = words[1:]
    if len(words) == 1 and isinstance(words[0], PhraseToken):
        return [_marked(words[0], negative=negative, weight=weight)]
    terms: list[_Term] = []
    prose: list[Token] = []
    for token in words:
        if isinstance(token, PhraseToken) and not token.quoted:
            terms.append(_marked(token, negative=negative))
        else:
            prose.append(token)
    if prose:
        term = _Term(TextInput(_prose_text(text, prose)), weight, negative, run[0].start)
        first = next(index for index, token in enumerate(words) if token is prose[0])
        terms.insert(sum(not _is_prose(token) for token in words[:first]), term)
    return terms


def _as_typed(run: Sequence[Token]) -> list[Token]:
    """Return the tokens with typographic quotations as words, which keep their marks."""
    return [
        WordToken(token.start, token.end) if isinstance(token, PhraseToken) and token.typographic else token
        for token in run
    ]


def _marked(phrase: PhraseToken, *, negative: bool, weight: float | None = None) -> _Term:
    return _Term(
        phrase.source, weight if phrase.weight is None else phrase.weight, negative != phrase.negative, phrase.start
    )


def _is_prose(token: Token) -> bool:
    return not isinstance(token, PhraseToken) or token.quoted


def _prose_text(text: str, prose: Sequence[Token]) -> str:
    """Return the plain text of a run as typed, without the marked parts and filters in between."""
    pieces: list[tuple[int, int]] = []
    previous: Token | None = None
    for token in prose:
        adjacent = previous is not None and not text[previous.end : token.start].strip()
        if adjacent and pieces:
            pieces[-1] = (pieces[-1][0], token.end)
        else:
            pieces.append((token.start, token.end))
        previous = token
    return " ".join(text[start:end] for start, end in pieces)
