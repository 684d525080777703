"""Groups of near-duplicates in the catalogue: comparing new contents, and computing all groups.

A group is identified by its anchor, the content that all its members are near to (see `grouper`). Groups are derived
from hashes and embeddings, so that they can be computed again at any time.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, func, select, update

from store.catalog.id_sets import Ids, among
from store.catalog.tables import PerceptualHashRow
from store.library import Library, Writer
from store.near_duplicates.grouper import BLOCK_SIZE, DuplicateGrouper, DuplicateThresholds
from store.near_duplicates.separation import Separation, load_separation, separation_checksum
from store.near_duplicates.stored_hashes import best_first, load_anchor_hashes, load_hashes
from store.spaces.embeddings import load_vectors
from store.spaces.registry import StoredSpace

__all__ = ["compare_again", "compute_duplicate_groups", "update_near_duplicate_groups"]


def update_near_duplicate_groups(
    library: Library,
    stored: StoredSpace,
    thresholds: DuplicateThresholds | None = None,
    waiting: Callable[[], None] | None = None,
    check: Callable[[], None] | None = None,
) -> int:
    """Compare contents that have not been compared yet with every group; return how many they were.

    Each block is a transaction, for which the writer lock is held: if the process is killed, the next call compares the
    rest. `waiting` and `check` are as for `Library.exclusive`; `check` is also called before each block.
    """
    with library.read() as connection:
        ids, _ = load_hashes(connection, (PerceptualHashRow.anchor_id.is_(None),))
    grouper, compared = _SharedGrouper(library, stored, thresholds or DuplicateThresholds()), 0
    for start in range(0, len(ids), BLOCK_SIZE):
        if check is not None:
            check()
        with library.exclusive(waiting, check) as writer:
            compared += grouper.compare(writer, ids[start : start + BLOCK_SIZE])
    return compared


class _SharedGrouper:
    """Compares contents block by block, between which other processes may change the groups."""

    def __init__(self, library: Library, stored: StoredSpace, thresholds: DuplicateThresholds) -> None:
        self._library = library
        self._stored = stored
        self._thresholds = thresholds
        self._known: tuple[tuple[int, ...], DuplicateGrouper] | None = None
        """A checksum of the groups and verdicts in the catalogue, and the grouper that knows them."""

    def compare(self, writer: Writer, ids: Ids) -> int:
        """Compare those of the contents (n,) that are still there and have no group; return their number."""
        with writer.library.read() as connection:
            ungrouped = (PerceptualHashRow.anchor_id.is_(None), PerceptualHashRow.content_id.in_(ids.tolist()))
            ids, bits = load_hashes(connection, ungrouped)
            checksum = _checksum(connection)
            if self._known is None or self._known[0] != checksum:
                anchors = load_anchor_hashes(connection)
                separation = load_separation(connection, with_groups=True)
                grouper = _grouper(self._library, self._stored, self._thresholds, *anchors, separation)
                self._known = checksum, grouper
        grouper = self._known[1]
        if len(ids):
            assigned = grouper.assign(ids, bits)
            _write_anchors(writer, ids, assigned)
            number, rows, anchor_ids, *verdicts = checksum  # nothing else is written in between
            checksum = number + len(ids), rows + int(ids.sum()), anchor_ids + int(assigned.sum()), *verdicts
        self._known = checksum, grouper
        return len(ids)


def compare_again(writer: Writer, stored: StoredSpace, content_ids: Sequence[int]) -> None:
    """Compare those of these contents that have no group with every group. The writer lock is held all the time."""
    with writer.library.read() as connection:
        chosen = among(PerceptualHashRow.content_id.expression, list(content_ids))
        ids, _ = load_hashes(connection, (PerceptualHashRow.anchor_id.is_(None), chosen))
    grouper = _SharedGrouper(writer.library, stored, DuplicateThresholds())
    for start in range(0, len(ids), BLOCK_SIZE):
        grouper.compare(writer, ids[start : start + BLOCK_SIZE])


def _checksum(connection: Connection) -> tuple[int, ...]:
    """Return numbers that differ if the groups or the verdicts differ."""
    row, anchor = PerceptualHashRow.content_id, PerceptualHashRow.anchor_id
    sums = select(func.count(), func.sum(row), func.sum(anchor)).where(anchor.is_not(None))
    number, rows, anchors = connection.execute(sums).one()
    return number, rows or 0, anchors or 0, *separation_checksum(connection)


def compute_duplicate_groups(library: Library, stored: StoredSpace, thresholds: DuplicateThresholds) -> dict[int, int]:
    """Return the anchor of every content with a hash, as if all were compared now. Nothing is written."""
    with library.read() as connection:
        ids, bits = load_hashes(connection, ())
        separation = load_separation(connection, with_groups=False)
    grouper = _grouper(library, stored, thresholds, ids[:0], bits[:0], separation)
    blocks = [slice(start, start + BLOCK_SIZE) for start in range(0, len(ids), BLOCK_SIZE)]
    anchors = [anchor for block in blocks for anchor in grouper.assign(ids[block], bits[block]).tolist()]
    return dict(zip(ids.tolist(), anchors, strict=True))


def _grouper(
    library: Library,
    stored: StoredSpace,
    thresholds: DuplicateThresholds,
    anchors: Ids,
    bits: NDArray[np.uint8],
    separation: Separation,
) -> DuplicateGrouper:
    return DuplicateGrouper(
        thresholds,
        lambda ids: load_vectors(library, stored, ids),
        anchors,
        bits,
        separation,
        partial(best_first, library),
    )


def _write_anchors(writer: Writer, ids: Ids, anchors: Ids) -> None:
    change = (
        update(PerceptualHashRow)
        .where(PerceptualHashRow.content_id == bindparam("content"))
        .values(anchor_id=bindparam("anchor"))
    )
    rows = [
        {"content": content_id, "anchor": anchor}
        for content_id, anchor in zip(ids.tolist(), anchors.tolist(), strict=True)
    ]
    with writer.transaction() as connection:
        connection.execute(change, rows)
