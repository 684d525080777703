"""Check and correct what the catalogue derives from its own rows: columns of paths, and counts that are kept."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from store.catalog.id_sets import among
from store.catalog.path_keys import path_columns
from store.catalog.portable_sql import quotient
from store.catalog.tables import BLOCK_SIZE, Content, ContentBlock, KeptCounts, Picture
from store.kept_counts.keeping import wrong_counts
from store.library import Library, Writer
from store.roots import RootLocation, within

__all__ = ["complete_paths", "correct_derived", "find_wrong_blocks", "find_wrong_paths"]

PAGE_SIZE = 10_000
"""Pictures that are read at a time."""


def find_wrong_paths(connection: Connection) -> list[int]:
    """Return the pictures whose columns do not follow from their paths."""
    return [row.id for row in _wrong_rows(connection)]


def find_wrong_blocks(connection: Connection) -> list[int]:
    """Return the blocks of contents that have no version, or whose kept counts are wrong."""
    return sorted({*_unknown_blocks(connection), *wrong_counts(connection)})


def correct_derived(connection: Connection) -> tuple[int, int]:
    """Correct both; return the numbers of pictures and of blocks that were wrong."""
    pictures = _correct_paths(connection, ((row.id, row.relpath) for row in _wrong_rows(connection)))
    unknown, wrong = _unknown_blocks(connection), wrong_counts(connection)
    if unknown:
        connection.execute(insert(ContentBlock), [{"number": number, "version": 1} for number in unknown])
    connection.execute(delete(KeptCounts).where(among(KeptCounts.number.expression, [*unknown, *wrong])))
    # Other processes may remember the wrong counts of this version.
    is_wrong = among(ContentBlock.number.expression, wrong)
    connection.execute(update(ContentBlock).where(is_wrong).values(version=ContentBlock.version + 1))
    return pictures, len(unknown) + len(wrong)


def complete_paths(library: Library, location: RootLocation, lock: Callable[[], AbstractContextManager[Writer]]) -> int:
    """Fill the columns of pictures at and below `location` that have none; return how many there were.

    A process of an earlier version that has the library open while it is upgraded adds such pictures. `lock` yields
    the writer, if there is anything to do.
    """
    lacks_key = (*within(location), Picture.path_key == "", func.length(Picture.relpath) > 0)
    statement = select(Picture.id, Picture.relpath).where(*lacks_key)
    with library.read() as connection:
        is_complete = connection.execute(statement.limit(1)).one_or_none() is None
    if is_complete:
        return 0
    with lock() as writer, writer.transaction() as connection:
        return _correct_paths(connection, ((row.id, row.relpath) for row in connection.execute(statement).all()))


def _correct_paths(connection: Connection, pictures: Iterable[tuple[int, bytes]]) -> int:
    """Compute the columns of pictures, given by ID and path; return how many there were."""
    rows = [
        {"picture": id_, **{f"new_{name}": value for name, value in path_columns(relpath).items()}}
        for id_, relpath in pictures
    ]
    if rows:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("folder", "path_key", "name_key")}
        connection.execute(update(Picture).where(Picture.id == bindparam("picture")).values(values), rows)
    return len(rows)


def _wrong_rows(connection: Connection) -> Iterator[Row[int, bytes, bytes, str, str]]:
    columns = (Picture.id, Picture.relpath, Picture.folder, Picture.path_key, Picture.name_key)
    after: int | None = None
    while True:
        page = select(*columns).order_by(Picture.id).limit(PAGE_SIZE)
        rows = connection.execute(page if after is None else page.where(Picture.id > after)).all()
        if not rows:
            return
        after = rows[-1].id
        for row in rows:
            if path_columns(row.relpath) != {name: getattr(row, name) for name in ("folder", "path_key", "name_key")}:
                yield row


def _unknown_blocks(connection: Connection) -> list[int]:
    known = select(ContentBlock.number)
    number = quotient(Content.id, BLOCK_SIZE)
    return list(connection.execute(select(number).where(number.not_in(known)).distinct()).scalars())
