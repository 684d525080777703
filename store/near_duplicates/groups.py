"""Groups of near-duplicates in the catalogue: comparing new contents, and computing all groups.

A group is identified by its anchor, the content that all its members are near to (see `grouper`). Groups are derived
from hashes and embeddings, so that they can be computed again at any time.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, func, select, update

from store.catalog.id_sets import Ids, among
from store.catalog.tables import PerceptualHashRow
from store.change_counter import ChangeCounter
from store.library import Library, Writer
from store.near_duplicates.grouper import BLOCK_SIZE, Closest, DuplicateGrouper, DuplicateThresholds
from store.near_duplicates.separation import Separation, load_separation, separation_checksum
from store.near_duplicates.stored_hashes import best_first, load_anchor_hashes, load_hashes
from store.spaces.embeddings import load_vectors
from store.spaces.registry import StoredSpace

__all__ = ["compare_again", "compute_duplicate_groups", "update_near_duplicate_groups"]

MAX_TRIES = 3
"""How often a block is compared before the writer lock is kept: others may change the library again and again."""


def update_near_duplicate_groups(
    library: Library,
    stored: StoredSpace,
    thresholds: DuplicateThresholds | None = None,
    waiting: Callable[[], None] | None = None,
    check: Callable[[], None] | None = None,
) -> int:
    """Compare contents that have not been compared yet with every group; return how many they were.

    Each block is a transaction: if the process is killed, the next call compares the rest. The writer lock is held
    while groups are written, not while hashes are compared. `waiting` and `check` are as for `Library.exclusive`;
    `check` is also called before each block.
    """
    with library.read() as connection:
        ids, _ = load_hashes(connection, (PerceptualHashRow.anchor_id.is_(None),))
    compared = 0
    with closing(_SharedGrouper(library, stored, thresholds or DuplicateThresholds(), len(ids))) as grouper:
        for start in range(0, len(ids), BLOCK_SIZE):
            block, number, tries = ids[start : start + BLOCK_SIZE], None, 0
            while number is None:
                if check is not None:
                    check()
                tries += 1
                prepared = grouper.prepare(block)
                with library.exclusive(waiting, check) as writer:
                    number = grouper.compare(writer, prepared, at_once=tries == MAX_TRIES)
            compared += number
    return compared


@dataclass(frozen=True)
class _Prepared:
    """A block of contents (n,) without a group, with hashes (n, 32), and the anchors that are closest to each."""

    ids: Ids
    bits: NDArray[np.uint8]
    closest: Closest


class _SharedGrouper:
    """Compares contents block by block, between which other processes may change the groups.

    Nothing changes groups without the writer lock. What takes long is done before it is taken: reading all anchors, and
    comparing hashes with them. `searches` is about how many contents will be compared.
    """

    def __init__(self, library: Library, stored: StoredSpace, thresholds: DuplicateThresholds, searches: int) -> None:
        self._library = library
        self._stored = stored
        self._thresholds = thresholds
        self._searches = searches
        self._changes = ChangeCounter(library)
        self._known: tuple[tuple[int, ...], DuplicateGrouper] | None = None
        """A checksum of the groups and verdicts in the catalogue, and the grouper that knows them."""
        self._seen: int | None = None
        """The value of `_changes` at which the checksum was that of `_known`."""

    def close(self) -> None:
        """Close the connection that notices changes."""
        self._changes.close()

    def prepare(self, ids: Ids) -> _Prepared:
        """Find the anchors closest to those of the contents (n,) that are there and have no group."""
        change = self._changes.value()
        with self._library.read() as connection:
            ungrouped = (PerceptualHashRow.anchor_id.is_(None), PerceptualHashRow.content_id.in_(ids.tolist()))
            ids, bits = load_hashes(connection, ungrouped)
            grouper = self._current(connection, change)
        return _Prepared(ids, bits, grouper.closest(bits))

    def compare(self, writer: Writer, prepared: _Prepared, *, at_once: bool) -> int | None:
        """Compare contents, and return their number; None if the library has changed since they were prepared.

        With `at_once`, they are prepared again in that case, although the writer lock is held.
        """
        if self._changes.value() != self._seen:
            if not at_once:
                return None
            prepared = self.prepare(prepared.ids)
        if self._known is not None and len(prepared.ids):
            ids = prepared.ids
            (number, rows, anchors, *verdicts), grouper = self._known
            assigned = grouper.assign(ids, prepared.bits, prepared.closest)
            self._known = None  # until it is known that the groups were written
            _write_anchors(writer, ids, assigned)
            checksum = number + len(ids), rows + int(ids.sum()), anchors + int(assigned.sum()), *verdicts
            self._known, self._seen = (checksum, grouper), self._changes.value()
        return len(prepared.ids)

    def _current(self, connection: Connection, change: int) -> DuplicateGrouper:
        """Return a grouper that knows the groups in the catalogue, where `_changes` has the value `change`."""
        if self._known is None or self._seen != change:
            checksum = _checksum(connection)
            if self._known is None or self._known[0] != checksum:
                self._known = None  # before the memory of another one is needed
                anchors, separation = load_anchor_hashes(connection), load_separation(connection, with_groups=True)
                found = _grouper(self._library, self._stored, self._thresholds, *anchors, separation, self._searches)
                self._known = checksum, found
            self._seen = change
        return self._known[1]


def compare_again(writer: Writer, stored: StoredSpace, content_ids: Sequence[int]) -> None:
    """Compare those of these contents that have no group with every group. The writer lock is held all the time."""
    with writer.library.read() as connection:
        chosen = among(PerceptualHashRow.content_id.expression, list(content_ids))
        ids, _ = load_hashes(connection, (PerceptualHashRow.anchor_id.is_(None), chosen))
    with closing(_SharedGrouper(writer.library, stored, DuplicateThresholds(), len(ids))) as grouper:
        for start in range(0, len(ids), BLOCK_SIZE):
            grouper.compare(writer, grouper.prepare(ids[start : start + BLOCK_SIZE]), at_once=True)


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
    grouper = _grouper(library, stored, thresholds, ids[:0], bits[:0], separation, len(ids))
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
    searches: int,
) -> DuplicateGrouper:
    return DuplicateGrouper(
        thresholds,
        lambda ids: load_vectors(library, stored, ids),
        anchors,
        bits,
        separation,
        partial(best_first, library),
        searches,
    )


def _write_anchors(writer: Writer, ids: Ids, anchors: Ids) -> None:
    change = (
        update(PerceptualHashRow)
        .where(PerceptualHashRow.content_id == bindparam("content"))
        .values(anchor_id=bindparam("anchor"))
    )
    alone = ids[ids == anchors].tolist()  # nearly all
    rows = [
        {"content": content_id, "anchor": anchor}
        for content_id, anchor in zip(ids.tolist(), anchors.tolist(), strict=True)
        if content_id != anchor
    ]
    with writer.transaction() as connection:
        is_alone = among(PerceptualHashRow.content_id, alone)
        connection.execute(update(PerceptualHashRow).where(is_alone).values(anchor_id=PerceptualHashRow.content_id))
        if rows:
            connection.execute(change, rows)
