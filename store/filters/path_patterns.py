"""Patterns of paths as LIKE, which SQLite tells several times as fast as a call of Python for each path does.

LIKE knows the case of ASCII letters only. So it tells of *plain* places alone, which have as many characters as bytes:
all of them ASCII, or bytes that are no UTF-8, one unknown character each, here as there.
`store.catalog.collation.matches` tells
of all others, and of every place if the pattern asks for the unknown character.
"""

import os
import re
from collections import defaultdict

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, false, func, not_, or_, select, true

from store.catalog.collation import fold
from store.catalog.id_sets import among
from store.catalog.tables import Picture, Root
from store.filters.fields import FIELDS

__all__ = ["name_like", "path_like", "rests"]

MOST_LIKES = 16
"""That one pattern may become."""

LONGEST = 500
"""Characters of a pattern that SQLite is given; it refuses very long ones."""

UNKNOWN = "\ufffd"
"""What bytes that are no UTF-8 are read as."""

_SPELLING = str.maketrans({"*": "%", "?": "_", "%": "\\%", "_": "\\_", "\\": "\\\\"})

_relpath = cast(Picture.relpath, String)
_plain = and_(
    func.length(_relpath) == func.length(Picture.relpath),
    not_(Picture.relpath.between(b"/", b"0")),  # the id of a document may look like a path from the root of all files
)


def path_like(connection: Connection, pattern: str) -> ColumnElement[bool]:
    """Whether the whole path of a file fits `pattern`, as names are compared."""
    exact = func.sightline_like(FIELDS["path"].value, pattern) == 1
    folded = _simplest(pattern)
    if not _is_sayable(folded):
        return exact
    roots = defaultdict[tuple[str, ...], list[int]](list)
    for root in connection.execute(select(Root.id, Root.path)):
        beginning = fold(os.path.join(root.path, b"").decode("utf-8", "replace"))  # noqa: PTH118 (bytes)
        roots[rests(folded, beginning)].append(root.id)
    if sum(map(len, roots)) > MOST_LIKES:
        return exact
    found = [
        and_(or_(false(), *map(_like, likes)), *([among(Picture.root_id, ids)] if len(roots) > 1 else []))
        for likes, ids in roots.items()
    ]
    return case((_plain, or_(false(), *found)), else_=exact)


def name_like(pattern: str) -> ColumnElement[bool]:
    """Whether the name of a file alone fits `pattern`, as names are compared."""
    exact = func.sightline_like(FIELDS["name"].value, pattern) == 1
    folded = _simplest(pattern)
    if not _is_sayable(folded):
        return exact
    is_ending = folded.startswith("*") and not set(folded[1:]) & set("*?/")
    places = [folded] if folded.startswith("*") else [folded, f"*/{folded}"]
    # Not `and`, of which SQLite works out both sides within an expression.
    return case((not_(_plain), exact), (or_(*map(_like, places)), true() if is_ending else exact), else_=false())


def rests(pattern: str, beginning: str) -> tuple[str, ...]:
    """Patterns of which a text fits one exactly if `beginning` and the text together fit `pattern`."""
    places = _beyond_stars(pattern, {0})
    for sign in beginning:
        stay = {place for place in places if pattern[place : place + 1] == "*"}
        go_on = {place + 1 for place in places - stay if pattern[place : place + 1] in ("?", sign)}
        places = _beyond_stars(pattern, stay | go_on)
    # Whatever fits from a star on fits from an earlier place too, or from the sign after it.
    star = max((place for place in places if pattern[place : place + 1] == "*"), default=None)
    kept = places if star is None else {star} | {place for place in places if place > star + 1}
    return tuple(pattern[place:] for place in sorted(kept))


def _beyond_stars(pattern: str, places: set[int]) -> set[int]:
    """`places` in a pattern, and those that lie behind stars there, which may be nothing."""
    reached = set[int]()
    for place in places:
        reached.add(place)
        while pattern[place : place + 1] == "*":
            place += 1
            reached.add(place)
    return reached


def _simplest(pattern: str) -> str:
    """A pattern that the same texts fit, folded: several stars in a row are as good as one."""
    return re.sub(r"\*+", "*", fold(pattern))


def _is_sayable(folded: str) -> bool:
    return len(folded) <= LONGEST and UNKNOWN not in folded and "\0" not in folded


def _like(pattern: str) -> ColumnElement[bool]:
    """Whether a plain place fits a folded pattern; none fits a letter that is not ASCII."""
    return _relpath.like(pattern.translate(_SPELLING), escape="\\") if pattern.isascii() else false()
