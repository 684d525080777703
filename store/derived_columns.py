"""Check and correct what the catalogue derives from its own rows: columns of paths, and counts that are kept."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from store.catalog.id_sets import among
from store.catalog.path_keys import path_columns
from store.catalog.portable_sql import quotient
from store.catalog.tables import BLOCK_SIZE, Content, ContentBlock, KeptCounts, Picture
from store.kept_counts.keeping import wrong_counts

__all__ = ["correct_derived", "find_wrong_blocks", "find_wrong_paths"]

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
    pictures = [
        {"picture": row.id, **{f"new_{name}": value for name, value in path_columns(row.relpath).items()}}
        for row in _wrong_rows(connection)
    ]
    if pictures:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("folder", "path_key", "name_key")}
        connection.execute(update(Picture).where(Picture.id == bindparam("picture")).values(values), pictures)
    unknown, wrong = _unknown_blocks(connection), wrong_counts(connection)
    if unknown:
        connection.execute(insert(ContentBlock), [{"number": number, "version": 1} for number in unknown])
    connection.execute(delete(KeptCounts).where(among(KeptCounts.number.expression, [*unknown, *wrong])))
    # Other processes may remember the wrong counts of this version.
    is_wrong = among(ContentBlock.number.expression, wrong)
    connection.execute(update(ContentBlock).where(is_wrong).values(version=ContentBlock.version + 1))
    return len(pictures), len(unknown) + len(wrong)


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
