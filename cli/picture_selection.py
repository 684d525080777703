"""Which pictures a verb is about: files and folders that were named, and what filters or a search keep."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import from_here

if TYPE_CHECKING:
    from search import Filters
    from store import Library

__all__ = ["named_files", "picked"]


def named_files(paths: Sequence[Path]) -> list[Path]:
    """`paths`, with those on standard input in the place of `-`: one a line, or each ended by a NUL byte."""
    found = []
    for path in paths:
        if path != Path("-"):
            found.append(from_here(path))
            continue
        data = sys.stdin.buffer.read()
        names = data.split(b"\0" if b"\0" in data else b"\n")
        found += [from_here(Path(os.fsdecode(name))) for name in names if name]
    return found


def picked(library: "Library", paths: Sequence[Path], narrowed: "Filters", query: str | None, top: int) -> list[int]:
    """The contents at or beneath `paths`, if there are any, that filters keep; the `top` best of them for a query.

    Raises `NothingKnown` for a path at which the library knows no present picture.
    """
    from core.errors import NothingKnown
    from search.filters import And, FieldTest, Filters, Op
    from store.filters.selection import matching

    if not paths and not narrowed and query is None:
        raise click.UsageError("Name pictures, or say which: --query, --in, --where and others.")
    with library.read() as connection:
        where = narrowed.condition()
        if paths:
            ids = set[int]()
            for path in paths:
                found = matching(connection, FieldTest("folder", Op.EQ, path))
                known = {each for each in connection.execute(found).scalars() if each is not None}
                if not known:
                    raise NothingKnown(path)
                ids |= known
            where = And((where, FieldTest("id", Op.IN, tuple(sorted(ids)))))
        if query is None:
            return [each for each in connection.execute(matching(connection, where)).scalars() if each is not None]
    return _best(library, query, Filters(where=where), top)


def _best(library: "Library", query: str, narrowed: "Filters", top: int) -> list[int]:
    from cli.query_options import merged
    from search import Filters, Searcher
    from search.query_language import parse

    question = parse(query)
    if question.query is None:
        raise click.UsageError("--query takes words; filters alone go without it: --where.")
    hits = Searcher(library).search(question.query, k=top, filters=merged(narrowed, Filters(where=question.where)))
    return [hit.id for hit in hits]
