"""Translate patterns of paths to LIKE on the comparable forms that the catalogue stores.

A path has the comparable form of its root in front of its own, so a pattern of whole paths becomes, for each root, a
pattern of what follows. `store.catalog.path_keys` says which form is stored.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, SQLColumnExpression, and_, case, false, or_, select, true

from core.errors import InvalidQuery
from store.catalog.id_sets import among
from store.catalog.path_keys import path_key
from store.catalog.tables import Picture, Root, RootKind
from store.catalog.text_search import like_pattern

__all__ = ["SURROGATE", "comparable_path", "documents_below", "name_like", "path_in", "path_like", "remainders"]

SURROGATE = re.compile("[\ud800-\udfff]")
"""What stands for a byte that is not UTF-8, in names of files and on the command line."""

MAX_PATTERN_BYTES = 40_000
"""Bytes of a pattern with its escapes. SQLite rejects more than 50,000 (SQLITE_MAX_LIKE_PATTERN_LENGTH)."""


def path_like(connection: Connection, pattern: str) -> ColumnElement[bool]:
    """Return an expression that tells whether the whole path of a file matches `pattern`, ignoring case.

    Raises `InvalidQuery` for a pattern that is too long.
    """
    simple = _simplified(pattern)
    return _by_root(
        connection,
        (simple,),
        lambda beginning: remainders(simple, beginning),
        lambda patterns: _first([(_like(Picture.path_key, each), true()) for each in patterns]),
    )


def path_in(connection: Connection, paths: Collection[str]) -> ColumnElement[bool]:
    """Return an expression that tells whether the whole path of a file is one of `paths`, ignoring case."""
    keys = tuple(comparable_path(path) for path in paths)
    return _by_root(
        connection,
        keys,
        lambda beginning: tuple(key.removeprefix(beginning) for key in keys if key.startswith(beginning)),
        Picture.path_key.in_,
    )


def documents_below(connection: Connection, path: Path) -> list[ColumnElement[bool]]:
    """Return an expression that tells whether the ID of a document begins with a path and a slash.

    Case is ignored, as in patterns. The list is empty if there is no such document.
    """
    collections = select(Root.id).where(Root.kind == RootKind.COLLECTION)
    first, beyond = (path_key(os.fsencode(path) + end) for end in (b"/", b"0"))
    below = and_(Picture.root_id.in_(collections), Picture.path_key >= first, Picture.path_key < beyond)
    return [] if connection.scalar(select(Picture.id).where(below).limit(1)) is None else [below]


def name_like(pattern: str) -> ColumnElement[bool]:
    """Return an expression that tells whether the name of a file matches `pattern`, ignoring case.

    Raises `InvalidQuery` for a pattern that is too long.
    """
    return _like(Picture.name_key, _simplified(pattern))


def _by_root(
    connection: Connection,
    whole: tuple[str, ...],
    rest: Callable[[str], tuple[str, ...]],
    test: Callable[[tuple[str, ...]], ColumnElement[bool]],
) -> ColumnElement[bool]:
    """Return `test` of what `rest` leaves for the files of each root, which it gets the key of.

    The ID of a document can look like an absolute path, or like that of an object. It is then the whole path, and
    compared with `whole`.
    """
    roots = connection.execute(select(Root.id, Root.path, Root.kind)).all()
    by_rest = defaultdict[tuple[str, ...], list[int]](list)
    for root in roots:
        by_rest[rest(path_key(os.path.join(root.path, b"")))].append(root.id)  # noqa: PTH118 (bytes)
    found = [(among(Picture.root_id, ids), test(each)) for each, ids in by_rest.items() if each]
    # A `case` with many branches is not deep, as an `or` of as many parts would be.
    expression = found[0][1] if len(by_rest) == len(found) == 1 else _first(found)
    if any(root.kind == RootKind.COLLECTION for root in roots):
        is_absolute = and_(Picture.path_key >= "/", Picture.path_key < "0")
        is_object = and_(Picture.path_key >= "s3://", Picture.path_key < "s3:/0")
        expression = case((or_(is_absolute, is_object), test(whole)), else_=expression)
    return expression


def _first(branches: Sequence[tuple[ColumnElement[bool], ColumnElement[bool]]]) -> ColumnElement[bool]:
    return case(*branches, else_=false()) if branches else false()


def remainders(pattern: str, beginning: str) -> tuple[str, ...]:
    """Return patterns such that a text matches one of them if and only if `beginning` + text matches `pattern`."""
    positions = _beyond_stars(pattern, {0})
    for character in beginning:
        stay = {position for position in positions if pattern[position : position + 1] == "*"}
        advanced = {
            position + 1 for position in positions - stay if pattern[position : position + 1] in ("?", character)
        }
        positions = _beyond_stars(pattern, stay | advanced)
    # What matches from an earlier star also matches from the last one, or from the character after it.
    star = max((position for position in positions if pattern[position : position + 1] == "*"), default=None)
    kept = positions if star is None else {star} | {position for position in positions if position > star + 1}
    return tuple(pattern[position:] for position in sorted(kept))


def _beyond_stars(pattern: str, positions: set[int]) -> set[int]:
    """Add the positions after stars at `positions`, because a star can match nothing."""
    reached = set[int]()
    for position in positions:
        reached.add(position)
        while pattern[position : position + 1] == "*":
            position += 1
            reached.add(position)
    return reached


def _simplified(pattern: str) -> str:
    """Return the comparable form of a pattern, with repeated stars merged, which match the same texts."""
    simple = re.sub(r"\*+", "*", comparable_path(pattern))
    if len(like_pattern(simple).encode()) > MAX_PATTERN_BYTES:
        raise InvalidQuery("The pattern is too long.")
    return simple


def comparable_path(text: str) -> str:
    """Return the comparable form of a path or a pattern, as `path_key` does; bytes that are no text are surrogates."""
    try:
        return path_key(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # half of a pair, from JSON
        return path_key(SURROGATE.sub("\ufffd", text).encode())


def _like(column: SQLColumnExpression[str], pattern: str) -> ColumnElement[bool]:
    return column.like(like_pattern(pattern), escape="\\")
