"""Find texts in the catalogue: parts of the text of frames by an index, and free texts compared like names.

SQLite has a full-text index of all sequences of three characters, and functions of Python that are called for each row.
PostgreSQL has an index of trigrams for LIKE; texts that are not ASCII are compared in this process there.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    SQLColumnExpression,
    String,
    bindparam,
    case,
    collate,
    func,
    null,
    select,
    union,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler

from store.catalog.collation import fold, matches
from store.catalog.id_sets import among
from store.catalog.portable_sql import Predicate
from store.catalog.tables import TextFrame

__all__ = ["INDEXED_LENGTH", "frames_with", "like_pattern", "text_in", "text_like"]

INDEXED_LENGTH = 3
"""Characters of the sequences in the index. Shorter texts are looked for in all frames."""

_TO_LIKE = str.maketrans({"*": "%", "?": "_", "%": "\\%", "_": "\\_", "\\": "\\\\"})
_QUOTED = str.maketrans({'"': '""', "\0": "\ufffd"})  # MATCH would end at a NUL, which no text contains
_ESCAPED = str.maketrans({"%": "\\%", "_": "\\_", "\\": "\\\\"})


def like_pattern(pattern: str) -> str:
    """Translate a pattern with `*` and `?` to one for LIKE with the escape character `\\`."""
    return pattern.translate(_TO_LIKE)


class _FramesWith(Predicate):
    inherit_cache = True


def frames_with(pieces: Collection[str]) -> ColumnElement[bool]:
    """Return whether a row of `TextFrame` contains all of these texts, each of `INDEXED_LENGTH` characters or more."""
    phrases = " AND ".join(f'"{piece.translate(_QUOTED)}"' for piece in pieces)
    parts = [bindparam(None, f"%{piece.translate(_ESCAPED)}%", String(), unique=True) for piece in pieces]
    return _FramesWith(TextFrame.id, TextFrame.comparable, phrases, *parts)


@compiles(_FramesWith)
def _match(element: _FramesWith, compiler: SQLCompiler, **options: Any) -> str:
    frame, _comparable, phrases, *_parts = (compiler.process(clause, **options) for clause in [*element.clauses][:3])
    return f"({frame} IN (SELECT rowid FROM text_index WHERE text_index MATCH {phrases}))"


@compiles(_FramesWith, "postgresql")
def _match_in_postgresql(element: _FramesWith, compiler: SQLCompiler, **options: Any) -> str:
    _frame, comparable, _phrases, *parts = element.clauses
    text = compiler.process(comparable, **options)
    return "(" + " AND ".join(f"{text} LIKE {compiler.process(part, **options)}" for part in parts) + ")"


def text_like(connection: Connection, text: SQLColumnExpression[Any], pattern: str) -> ColumnElement[bool]:
    """Return whether all of a text matches a pattern, as `store.catalog.collation.matches` says."""
    if connection.dialect.name == "postgresql":
        of_ascii = _lower(text).like(like_pattern(fold(pattern)), escape="\\")
        return _compared(connection, text, of_ascii, lambda value: matches(value, pattern))
    return func.sightline_like(text, pattern) == 1


def text_in(connection: Connection, text: SQLColumnExpression[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return whether a text equals one of `texts`, compared like names."""
    keys = {fold(each) for each in texts}
    if connection.dialect.name == "postgresql":
        return _compared(connection, text, _lower(text).in_(sorted(keys)), lambda value: fold(value) in keys)
    return func.sightline_fold(text).in_(sorted(keys))


def _compared(
    connection: Connection,
    text: SQLColumnExpression[Any],
    of_ascii: ColumnElement[bool],
    accepts: Callable[[str], bool],
) -> ColumnElement[bool]:
    """Compare ASCII in the database, and other texts here: only Python folds as `store.catalog.collation` does."""
    columns = [column for column in visitors.iterate(cast("Any", text).expression) if isinstance(column, Column)]
    values = union(*(select(column).where(~_is_ascii(column), column.is_not(None)) for column in columns))
    accepted = [value for value in connection.execute(values).scalars() if accepts(value)]
    # Without values, `among` is false for NULL; a comparison is NULL.
    return case((text.is_(None), null()), (_is_ascii(text), of_ascii), else_=among(text, accepted))


def _is_ascii(text: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    return func.octet_length(text) == func.char_length(text)


def _lower(text: SQLColumnExpression[Any]) -> ColumnElement[str]:
    return func.lower(collate(text, "C"))
