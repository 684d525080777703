"""Groups of near-duplicates in the catalogue: kept up to date, asked for, checked and made again.

A group is known by its anchor. It is derived from hashes and embeddings, and no one's work is lost with it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from store.catalog.likeness import Likeness
from store.catalog.tables import Content, Picture, Root, RootKind, State
from store.library import Library
from store.near_duplicates.grouping import BLOCK, Grouping, Nearness, Vectors
from store.queries import VARIABLES, embeddings
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import Ids

__all__ = [
    "Look",
    "anchors_of",
    "broken",
    "count_unseen",
    "group_all",
    "note_looks",
    "others_of",
    "reset_broken",
    "several",
    "update_stacks",
]

HASH_BYTES = 32

BEST_FIRST = (
    (Content.width * Content.height).desc(),
    Content.size.desc(),
    Content.taken_at.is_(None),
    Content.taken_at,
    Content.id,
)


@dataclass(frozen=True)
class Look:
    """What a picture looks like: its perceptual hash (32 bytes), None if it is too plain for one."""

    version: int
    bits: bytes | None


def note_looks(connection: Connection, looks: Mapping[int, Look]) -> None:
    """Keeps the hashes of contents, within a transaction; those that are there already stay with their groups."""
    if not looks:
        return
    known = select(Likeness.content_id, Likeness.version).where(Likeness.content_id.in_(list(looks)))
    versions = {row.content_id: row.version for row in connection.execute(known)}
    fresh = {content_id: look for content_id, look in looks.items() if versions.get(content_id) != look.version}
    connection.execute(delete(Likeness).where(Likeness.content_id.in_(set(fresh) & set(versions))))
    rows = [
        {"content_id": content_id, "version": look.version, "bits": look.bits} for content_id, look in fresh.items()
    ]
    if rows:
        connection.execute(insert(Likeness), rows)


def update_stacks(library: Library, stored: StoredSpace, nearness: Nearness | None = None) -> int:
    """Compares what has not been compared yet with every group; returns how many contents these were.

    The caller holds the writer lock. A block is a transaction: a process that is killed leaves the rest to the next.
    """
    with library.read() as connection:
        pending = (Likeness.anchor_id.is_(None), Likeness.bits.is_not(None))
        ids, bits = _hashes(connection, pending)
        anchors = _hashes(connection, (Likeness.anchor_id == Likeness.content_id, Likeness.bits.is_not(None)))
    if not len(ids):
        return 0
    grouping = Grouping(nearness or Nearness(), _vectors_of(library, stored), *anchors)
    for start in range(0, len(ids), BLOCK):
        some = ids[start : start + BLOCK]
        found = grouping.assign(some, bits[start : start + BLOCK])
        _write(library, some, found)
    return len(ids)


def group_all(library: Library, stored: StoredSpace, nearness: Nearness) -> dict[int, int]:
    """Every content with a hash and its anchor, as if all were compared now; nothing is written."""
    with library.read() as connection:
        ids, bits = _hashes(connection, (Likeness.bits.is_not(None),))
    grouping = Grouping(nearness, _vectors_of(library, stored), *_nothing())
    blocks = [grouping.assign(ids[at : at + BLOCK], bits[at : at + BLOCK]) for at in range(0, len(ids), BLOCK)]
    return dict(zip(ids.tolist(), np.concatenate(blocks).tolist(), strict=True)) if blocks else {}


def anchors_of(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """The anchor of each of these contents that is present and has been compared."""
    present = select(Picture.id).where(Picture.content_id == Likeness.content_id, Picture.state == State.PRESENT)
    found: dict[int, int] = {}
    for some in _portions(ids):
        statement = select(Likeness.content_id, Likeness.anchor_id).where(
            Likeness.content_id.in_(some), Likeness.anchor_id.is_not(None), present.exists()
        )
        found |= {row.content_id: row.anchor_id for row in connection.execute(statement)}
    return found


def others_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[int]]:
    """What stands in the same group as each of these contents, present or not, by id; what stands alone is left out."""
    other = aliased(Likeness)
    found: dict[int, list[int]] = {}
    for some in _portions(ids):
        statement = (
            select(Likeness.content_id, other.content_id.label("other"))
            .join(other, (other.anchor_id == Likeness.anchor_id) & (other.content_id != Likeness.content_id))
            .where(Likeness.content_id.in_(some))
            .order_by(other.content_id)
        )
        for row in connection.execute(statement):
            found.setdefault(row.content_id, []).append(row.other)
    return found


def several(connection: Connection, anchors: Mapping[int, int] | None = None) -> dict[int, int]:
    """The contents of every group that has several present files, exact copies among them, each with its anchor.

    The groups are those of the catalogue, unless others are given.
    """
    statement = (
        select(Picture.content_id, Likeness.anchor_id, func.count().label("files"))
        .join(Root, Root.id == Picture.root_id)
        .outerjoin(Likeness, Likeness.content_id == Picture.content_id)
        .where(Picture.state == State.PRESENT, Root.kind == RootKind.FOLDER)
        .group_by(Picture.content_id)
    )
    found, files = dict[int, int](), Counter[int]()
    for row in connection.execute(statement):
        content, stored, number = int(row.content_id), row.anchor_id, int(row.files)
        anchor = (stored if anchors is None else anchors.get(content)) or content
        found[content] = anchor
        files[anchor] += number
    return {content: anchor for content, anchor in found.items() if files[anchor] > 1}


def count_unseen(library: Library) -> int:
    """Present pictures that have not been looked at, or not been compared yet."""
    statement = (
        select(func.count(Picture.content_id.distinct()))
        .join(Root, Root.id == Picture.root_id)
        .outerjoin(Likeness, Likeness.content_id == Picture.content_id)
        .where(Picture.state == State.PRESENT, Root.kind == RootKind.FOLDER)
        .where(or_(Likeness.content_id.is_(None), Likeness.bits.is_not(None) & Likeness.anchor_id.is_(None)))
    )
    with library.read() as connection:
        return connection.scalar(statement) or 0


def broken(connection: Connection) -> list[int]:
    """Contents whose hash is malformed, or that stand with what is no anchor or not near."""
    head = aliased(Likeness)
    statement = (
        select(Likeness.content_id, Likeness.bits, Likeness.anchor_id, head.bits, head.anchor_id)
        .outerjoin(head, head.content_id == Likeness.anchor_id)
        .where(or_(Likeness.bits.is_not(None), Likeness.anchor_id.is_not(None)))
        .order_by(Likeness.content_id)
    )
    return [row[0] for row in connection.execute(statement) if not _is_sound(row[1], row[2], row[3], row[4])]


def _is_sound(bits: bytes | None, anchor_id: int | None, head_bits: bytes | None, head_anchor: int | None) -> bool:
    if bits is None or len(bits) != HASH_BYTES or anchor_id is None:
        return anchor_id is None and (bits is None or len(bits) == HASH_BYTES)
    if head_anchor != anchor_id or head_bits is None or len(head_bits) != HASH_BYTES:
        return False
    return (int.from_bytes(bits) ^ int.from_bytes(head_bits)).bit_count() <= Nearness().bits


def reset_broken(connection: Connection) -> int:
    """Gives up what is broken, within a transaction: malformed hashes are made again by the next index run."""
    bad = broken(connection)
    for some in _portions(bad):
        malformed = (Likeness.content_id.in_(some), func.length(Likeness.bits) != HASH_BYTES)
        connection.execute(delete(Likeness).where(*malformed))
        connection.execute(update(Likeness).where(Likeness.content_id.in_(some)).values(anchor_id=None))
    return len(bad)


def _hashes(connection: Connection, conditions: Iterable[ColumnElement[bool]]) -> tuple[Ids, NDArray[np.uint8]]:
    """Ids (n,) and hashes (n, 32), best pictures first."""
    statement = (
        select(Likeness.content_id, Likeness.bits)
        .join(Content, Content.id == Likeness.content_id)
        .where(*conditions, func.length(Likeness.bits) == HASH_BYTES)
        .order_by(*BEST_FIRST)
    )
    ids, bits = list[int](), bytearray()
    for content_id, some in connection.execute(statement):
        ids.append(content_id)
        bits += some or b""
    return np.array(ids, np.int64), np.frombuffer(bytes(bits), np.uint8).reshape(-1, HASH_BYTES)


def _nothing() -> tuple[Ids, NDArray[np.uint8]]:
    return np.empty(0, np.int64), np.empty((0, HASH_BYTES), np.uint8)


def _vectors_of(library: Library, stored: StoredSpace) -> Vectors:
    def vectors(ids: Ids) -> NDArray[np.float32]:
        rows = np.full((len(ids), stored.space.dim), np.nan, np.float32)
        with library.read() as connection:
            for found, some in embeddings(connection, stored, ids):
                rows[np.searchsorted(ids, found)] = some
        return rows

    return vectors


def _write(library: Library, ids: Ids, anchors: Ids) -> None:
    change = update(Likeness).where(Likeness.content_id == bindparam("content")).values(anchor_id=bindparam("anchor"))
    rows = [
        {"content": content_id, "anchor": anchor}
        for content_id, anchor in zip(ids.tolist(), anchors.tolist(), strict=True)
    ]
    with library.write() as connection:
        connection.execute(change, rows)


def _portions(ids: Sequence[int]) -> Iterator[list[int]]:
    """`ids`, as many at a time as one statement may name."""
    for start in range(0, len(ids), VARIABLES):
        yield list(ids[start : start + VARIABLES])
