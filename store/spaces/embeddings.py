"""Vectors of contents in one space: added, or why there is none. Copies share them, so they are known by content."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select

from store.catalog.tables import Embedding, VectorFailure
from store.spaces.registry import StoredSpace

__all__ = ["BAD_VECTOR", "add_vectors", "note_faults"]

BAD_VECTOR = "bad-vector"
"""The reason of every vector failure so far: the model gave no vector that can be ranked."""


def add_vectors(connection: Connection, stored: StoredSpace, vectors: Mapping[int, NDArray[np.floating]]) -> int:
    """Writes the (D,) vectors of contents that have none in this space yet; returns how many these were."""
    if not vectors:
        return 0
    known = select(Embedding.content_id).where(Embedding.space_id == stored.id, Embedding.content_id.in_(list(vectors)))
    there = set(connection.execute(known).scalars())
    rows = [
        {"space_id": stored.id, "content_id": content_id, "vector": stored.to_bytes(vector)}
        for content_id, vector in vectors.items()
        if content_id not in there
    ]
    if rows:
        connection.execute(insert(Embedding), rows)
    _forget_faults(connection, stored, list(vectors))
    return len(rows)


def note_faults(connection: Connection, stored: StoredSpace, faults: Mapping[int, str]) -> None:
    """Notes what was wrong with the vectors of these contents, so that the same bytes are not tried at every run."""
    if not faults:
        return
    failed = select(VectorFailure.content_id, VectorFailure.tries).where(
        VectorFailure.space_id == stored.id, VectorFailure.content_id.in_(list(faults))
    )
    tries = {row.content_id: row.tries for row in connection.execute(failed)}
    _forget_faults(connection, stored, list(faults))
    now = datetime.now(UTC).replace(tzinfo=None)
    always = {"space_id": stored.id, "reason": BAD_VECTOR, "last_try_at": now}
    rows = [
        {**always, "content_id": content_id, "detail": fault, "tries": tries.get(content_id, 0) + 1}
        for content_id, fault in faults.items()
    ]
    connection.execute(insert(VectorFailure), rows)


def _forget_faults(connection: Connection, stored: StoredSpace, content_ids: list[int]) -> None:
    known = (VectorFailure.space_id == stored.id, VectorFailure.content_id.in_(content_ids))
    connection.execute(delete(VectorFailure).where(*known))
