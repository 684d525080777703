"""Hashes in the catalogue: of contents, the best first, and of all anchors."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from store.catalog.id_sets import Ids, among
from store.catalog.portable_sql import hex_digits, joined
from store.catalog.tables import Content, PerceptualHashRow
from store.library import Library
from store.near_duplicates.hashes import HASH_BYTES

__all__ = ["BEST_FIRST", "best_first", "load_anchor_hashes", "load_hashes"]

ANCHOR_PAGE_SIZE = 250_000
"""Contents whose hashes are read at a time; each takes 64 characters."""

BEST_FIRST = (
    (Content.width * Content.height).desc(),
    Content.size.desc(),
    Content.taken_at.is_(None),
    Content.taken_at,
    Content.id,
)


def load_hashes(connection: Connection, conditions: Iterable[ColumnElement[bool]]) -> tuple[Ids, NDArray[np.uint8]]:
    """Return the IDs (n,) and well-formed hashes (n, 32), the best pictures first."""
    statement = (
        select(PerceptualHashRow.content_id, PerceptualHashRow.bits)
        .join(Content, Content.id == PerceptualHashRow.content_id)
        .where(*conditions, PerceptualHashRow.bits.is_not(None), func.length(PerceptualHashRow.bits) == HASH_BYTES)
        .order_by(*BEST_FIRST)
    )
    ids, hashes = list[int](), bytearray()
    for content_id, bits in connection.execute(statement):
        ids.append(content_id)
        hashes += bits or b""
    return np.array(ids, np.int64), np.frombuffer(bytes(hashes), np.uint8).reshape(-1, HASH_BYTES)


def load_anchor_hashes(connection: Connection) -> tuple[Ids, NDArray[np.uint8]]:
    """Return the IDs (n,), ascending, and the hashes (n, 32) of all anchors.

    They are transferred as texts, which takes a fifth of the time of a row for each.
    """
    row = PerceptualHashRow
    last = connection.scalar(select(func.max(row.content_id))) or 0
    ids, hashes = list[Ids](), bytearray()
    for start in range(0, last + 1, ANCHOR_PAGE_SIZE):
        statement = select(joined(row.content_id), joined(hex_digits(row.bits), "")).where(
            row.content_id >= start,
            row.content_id < start + ANCHOR_PAGE_SIZE,
            row.anchor_id + 0 == row.content_id,  # not by the index of anchors: the rows are read anyway
            func.length(row.bits) == HASH_BYTES,
        )
        numbers, texts = connection.execute(statement).one()
        ids.append(np.fromstring(numbers or "", np.int64, sep=","))
        hashes += bytes.fromhex(texts or "")
    found = np.concatenate(ids) if ids else np.empty(0, np.int64)
    return found, np.frombuffer(bytes(hashes), np.uint8).reshape(-1, HASH_BYTES)


def best_first(library: Library, ids: Ids) -> Ids:
    """Return the contents (n,) sorted, the best first."""
    with library.read() as connection:
        chosen = among(Content.id.expression, ids.tolist())
        return np.array(
            connection.execute(select(Content.id).where(chosen).order_by(*BEST_FIRST)).scalars().all(), np.int64
        )
