"""Translate patterns of paths to LIKE, which is several times as fast as a Python function called for each path.

LIKE ignores the case of ASCII letters only, so it is used for *plain* paths: those with as many characters as bytes, in
which all characters are ASCII or replacement characters. `store.catalog.collation.matches` handles other paths, and
all paths if the pattern contains the replacement character.
"""

import os
import re
from collections import defaultdict

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, false, func, not_, or_, select, true

from store.catalog.collation import fold
from store.catalog.id_sets import among
from store.catalog.tables import Picture, Root
from store.filters.fields import FIELDS

__all__ = ["name_like", "path_like", "remainders"]

MAX_LIKE_PATTERNS = 16
"""LIKE expressions that one pattern may be translated to."""

MAX_PATTERN_LENGTH = 500
"""Characters of a pattern passed to SQLite, which rejects very long ones."""

REPLACEMENT_CHARACTER = "\ufffd"
"""Stands for bytes that are not UTF-8."""

_TO_LIKE = str.maketrans({"*": "%", "?": "_", "%": "\\%", "_": "\\_", "\\": "\\\\"})

_relpath = cast(Picture.relpath, String)
_plain = and_(
    func.length(_relpath) == func.length(Picture.relpath),
    not_(Picture.relpath.between(b"/", b"0")),  # the ID of a document can look like an absolute path
)


def path_like(connection: Connection, pattern: str) -> ColumnElement[bool]:
    """Return an expression that tells whether the whole path of a file matches `pattern`, ignoring case."""
    exact = func.sightline_like(FIELDS["path"].value, pattern) == 1
    folded = _simplified(pattern)
    if not _can_be_like(folded):
        return exact
    roots = defaultdict[tuple[str, ...], list[int]](list)
    for root in connection.execute(select(Root.id, Root.path)):
        beginning = fold(os.path.join(root.path, b"").decode("utf-8", "replace"))  # noqa: PTH118 (bytes)
        roots[remainders(folded, beginning)].append(root.id)
    if sum(map(len, roots)) > MAX_LIKE_PATTERNS:
        return exact
    found = [
        and_(or_(false(), *map(_like, likes)), *([among(Picture.root_id, ids)] if len(roots) > 1 else []))
        for likes, ids in roots.items()
    ]
    return case((_plain, or_(false(), *found)), else_=exact)


def name_like(pattern: str) -> ColumnElement[bool]:
    """Return an expression that tells whether the name of a file matches `pattern`, ignoring case."""
    exact = func.sightline_like(FIELDS["name"].value, pattern) == 1
    folded = _simplified(pattern)
    if not _can_be_like(folded):
        return exact
    is_ending = folded.startswith("*") and not set(folded[1:]) & set("*?/")
    patterns = [folded] if folded.startswith("*") else [folded, f"*/{folded}"]
    # Not `and`: within an expression, SQLite evaluates both sides.
    return case((not_(_plain), exact), (or_(*map(_like, patterns)), true() if is_ending else exact), else_=false())


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
    """Fold the case of a pattern, and merge repeated stars, which match the same texts."""
    return re.sub(r"\*+", "*", fold(pattern))


def _can_be_like(folded: str) -> bool:
    return len(folded) <= MAX_PATTERN_LENGTH and REPLACEMENT_CHARACTER not in folded and "\0" not in folded


def _like(pattern: str) -> ColumnElement[bool]:
    """Match a plain path with a folded pattern. Patterns with letters that are not ASCII match no plain path."""
    return _relpath.like(pattern.translate(_TO_LIKE), escape="\\") if pattern.isascii() else false()
