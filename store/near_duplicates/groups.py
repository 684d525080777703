"""Groups of near-duplicates in the catalogue: updating, querying, verifying and resetting them.

A group is identified by its anchor, the content that all its members are near to (see `grouper`). Groups are derived
from hashes and embeddings, so that they can be computed again at any time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import aliased

from core.errors import PathNotIndexed
from core.files import absolute
from store.catalog.id_sets import Ids, among, batch_slices
from store.catalog.portable_sql import hex_digits, joined
from store.catalog.tables import Content, DistinctPair, PerceptualHashRow, Picture, PictureState, Root, RootKind
from store.library import Library, Writer
from store.near_duplicates.grouper import BLOCK_SIZE, DuplicateGrouper, DuplicateThresholds
from store.near_duplicates.hashes import HASH_BYTES
from store.near_duplicates.separation import Separation, load_separation, separation_checksum
from store.queries import ContentRecord, content_records_in
from store.roots import locations_at
from store.spaces.embeddings import load_vectors
from store.spaces.registry import StoredSpace

__all__ = [
    "BEST_FIRST",
    "compare_again",
    "compute_duplicate_groups",
    "count_ungrouped",
    "duplicate_anchors",
    "find_broken_groups",
    "list_duplicate_groups",
    "near_duplicate_records",
    "reset_broken_groups",
    "update_near_duplicate_groups",
]

ANCHOR_PAGE_SIZE = 250_000
"""Contents whose hashes are read at a time; each takes 64 characters."""

BEST_FIRST = (
    (Content.width * Content.height).desc(),
    Content.size.desc(),
    Content.taken_at.is_(None),
    Content.taken_at,
    Content.id,
)


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
        ids, _ = _hashes(connection, (PerceptualHashRow.anchor_id.is_(None),))
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
            ids, bits = _hashes(connection, ungrouped)
            checksum = _checksum(connection)
            if self._known is None or self._known[0] != checksum:
                anchors = _anchor_hashes(connection)
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
        ids, _ = _hashes(connection, (PerceptualHashRow.anchor_id.is_(None), chosen))
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
        ids, bits = _hashes(connection, ())
        separation = load_separation(connection, with_groups=False)
    grouper = _grouper(library, stored, thresholds, ids[:0], bits[:0], separation)
    blocks = [slice(start, start + BLOCK_SIZE) for start in range(0, len(ids), BLOCK_SIZE)]
    anchors = [anchor for block in blocks for anchor in grouper.assign(ids[block], bits[block]).tolist()]
    return dict(zip(ids.tolist(), anchors, strict=True))


def duplicate_anchors(library: Library, ids: Sequence[int]) -> dict[int, int]:
    """Return the anchor of each of these contents that is present and has been compared."""
    present = select(Picture.id).where(
        Picture.content_id == PerceptualHashRow.content_id, Picture.state == PictureState.PRESENT
    )
    anchors: dict[int, int] = {}
    with library.read() as connection:
        for batch in batch_slices(len(ids)):
            statement = select(PerceptualHashRow.content_id, PerceptualHashRow.anchor_id).where(
                PerceptualHashRow.content_id.in_(list(ids[batch])),
                PerceptualHashRow.anchor_id.is_not(None),
                present.exists(),
            )
            anchors |= {row.content_id: row.anchor_id for row in connection.execute(statement)}
    return anchors


def near_duplicate_records(
    library: Library, ids: Sequence[int], among: Ids | None = None
) -> dict[int, list[ContentRecord]]:
    """Return the other present contents in the group of each of `ids`, by ID; contents without any are left out.

    `among` restricts the result to these contents.
    """
    with library.read() as connection:
        members = _other_members(connection, ids)
        wanted = sorted({member for others in members.values() for member in others})
        if among is not None:
            wanted = np.intersect1d(among, np.array(wanted, np.int64)).tolist()
        records = content_records_in(connection, wanted)
    found = {
        content_id: [records[member] for member in others if member in records]
        for content_id, others in members.items()
    }
    return {content_id: others for content_id, others in found.items() if others}


def list_duplicate_groups(
    library: Library, folders: Sequence[Path] = (), anchors: Mapping[int, int] | None = None
) -> list[list[ContentRecord]]:
    """Return the contents of every group that has several present files, exact copies among them.

    The groups are those of the catalogue, unless `anchors` (by content) are given. Raises `PathNotIndexed` if the
    library covers nothing in one of `folders`; groups are not restricted to them.
    """
    with library.read() as connection:
        for folder in folders:
            if not locations_at(connection, absolute(folder)):
                raise PathNotIndexed(folder)
        groups: dict[int, list[int]] = {}
        for content_id, anchor in _repeated(connection, anchors).items():
            groups.setdefault(anchor, []).append(content_id)
        records = content_records_in(connection, [member for members in groups.values() for member in members])
    return [[records[member] for member in members if member in records] for members in groups.values()]


def count_ungrouped(library: Library) -> int:
    """Return how many present contents have not been hashed, or not been compared yet."""
    statement = (
        select(func.count(Picture.content_id.distinct()))
        .join(Root, Root.id == Picture.root_id)
        .outerjoin(PerceptualHashRow, PerceptualHashRow.content_id == Picture.content_id)
        .where(Picture.state == PictureState.PRESENT, Root.kind == RootKind.FOLDER)
        .where(
            or_(
                PerceptualHashRow.content_id.is_(None),
                PerceptualHashRow.bits.is_not(None) & PerceptualHashRow.anchor_id.is_(None),
            )
        )
    )
    with library.read() as connection:
        return connection.scalar(statement) or 0


def find_broken_groups(connection: Connection) -> list[int]:
    """Return contents with a malformed hash, whose anchor is not an anchor or not near, or that were told apart.

    Of two contents of a group that were told apart, the one with the larger ID is returned that is not the anchor.
    """
    anchor = aliased(PerceptualHashRow)
    statement = (
        select(
            PerceptualHashRow.content_id,
            PerceptualHashRow.bits,
            PerceptualHashRow.anchor_id,
            anchor.bits.label("anchor_bits"),
            anchor.anchor_id.label("anchor_of_anchor"),
        )
        .outerjoin(anchor, anchor.content_id == PerceptualHashRow.anchor_id)
        .where(or_(PerceptualHashRow.bits.is_not(None), PerceptualHashRow.anchor_id.is_not(None)))
        .order_by(PerceptualHashRow.content_id)
    )
    unsound = {
        row.content_id
        for row in connection.execute(statement)
        if not _is_sound(row.bits, row.anchor_id, row.anchor_bits, row.anchor_of_anchor)
    }
    return sorted(unsound | _not_separated(connection))


def _not_separated(connection: Connection) -> set[int]:
    """Return contents that share a group with one that they were told apart from, but not the anchor."""
    first, second = aliased(PerceptualHashRow), aliased(PerceptualHashRow)
    pairs = (
        select(first.content_id.label("one"), second.content_id.label("other"), first.anchor_id)
        .select_from(DistinctPair)
        .join(first, first.content_id == DistinctPair.first_id)
        .join(second, second.content_id == DistinctPair.second_id)
        .where(first.anchor_id == second.anchor_id)
    )
    return {row.one if row.other == row.anchor_id else row.other for row in connection.execute(pairs)}


def reset_broken_groups(connection: Connection) -> int:
    """Reset what `find_broken_groups` returns, so that it is hashed or compared again; return how many contents."""
    broken = find_broken_groups(connection)
    for batch in batch_slices(len(broken)):
        is_broken = PerceptualHashRow.content_id.in_(broken[batch])
        connection.execute(
            delete(PerceptualHashRow).where(is_broken, func.length(PerceptualHashRow.bits) != HASH_BYTES)
        )
        connection.execute(update(PerceptualHashRow).where(is_broken).values(anchor_id=None))
    return len(broken)


def _other_members(connection: Connection, ids: Sequence[int]) -> dict[int, list[int]]:
    """The other members of each content's group, present or not."""
    other = aliased(PerceptualHashRow)
    members: dict[int, list[int]] = {}
    for batch in batch_slices(len(ids)):
        statement = (
            select(PerceptualHashRow.content_id, other.content_id.label("other"))
            .join(
                other,
                (other.anchor_id == PerceptualHashRow.anchor_id) & (other.content_id != PerceptualHashRow.content_id),
            )
            .where(PerceptualHashRow.content_id.in_(list(ids[batch])))
            .order_by(other.content_id)
        )
        for row in connection.execute(statement):
            members.setdefault(row.content_id, []).append(row.other)
    return members


def _repeated(connection: Connection, anchors: Mapping[int, int] | None) -> dict[int, int]:
    """The contents of every group that has several present files, each with its anchor."""
    statement = (
        select(Picture.content_id, PerceptualHashRow.anchor_id, func.count().label("files"))
        .join(Root, Root.id == Picture.root_id)
        .outerjoin(PerceptualHashRow, PerceptualHashRow.content_id == Picture.content_id)
        .where(Picture.state == PictureState.PRESENT, Root.kind == RootKind.FOLDER)
        .group_by(Picture.content_id)
    )
    by_content, files = dict[int, int](), Counter[int]()
    for row in connection.execute(statement):
        content_id, count = int(row.content_id), int(row.files)
        anchor = (row.anchor_id if anchors is None else anchors.get(content_id)) or content_id
        by_content[content_id] = anchor
        files[anchor] += count
    return {content_id: anchor for content_id, anchor in by_content.items() if files[anchor] > 1}


def _is_sound(bits: bytes | None, anchor_id: int | None, anchor_bits: bytes | None, of_anchor: int | None) -> bool:
    if bits is None or len(bits) != HASH_BYTES or anchor_id is None:
        return anchor_id is None and (bits is None or len(bits) == HASH_BYTES)
    if of_anchor != anchor_id or anchor_bits is None or len(anchor_bits) != HASH_BYTES:
        return False
    return (int.from_bytes(bits) ^ int.from_bytes(anchor_bits)).bit_count() <= DuplicateThresholds().max_bits


def _hashes(connection: Connection, conditions: Iterable[ColumnElement[bool]]) -> tuple[Ids, NDArray[np.uint8]]:
    """IDs (n,) and well-formed hashes (n, 32), best pictures first."""
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


def _anchor_hashes(connection: Connection) -> tuple[Ids, NDArray[np.uint8]]:
    """IDs (n,) and hashes (n, 32) of all anchors by ID, as texts, which takes a fifth of the time of a row for each."""
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


def _best_first(library: Library, ids: Ids) -> Ids:
    """Sort contents, the best first."""
    with library.read() as connection:
        chosen = among(Content.id.expression, ids.tolist())
        return np.array(
            connection.execute(select(Content.id).where(chosen).order_by(*BEST_FIRST)).scalars().all(), np.int64
        )


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
        partial(_best_first, library),
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
