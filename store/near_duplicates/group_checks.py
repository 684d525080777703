"""Finding groups of near-duplicates that cannot be right, and resetting them; for `verify` and `repair`."""

from sqlalchemy import Connection, delete, func, or_, select, update

from store.catalog.id_sets import batch_slices
from store.catalog.tables import DistinctPair, PerceptualHashRow
from store.catalog.tables.mapping import aliased
from store.near_duplicates.grouper import DuplicateThresholds
from store.near_duplicates.hashes import HASH_BYTES

__all__ = ["find_broken_groups", "reset_broken_groups"]


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


def _is_sound(bits: bytes | None, anchor_id: int | None, anchor_bits: bytes | None, of_anchor: int | None) -> bool:
    if bits is None or len(bits) != HASH_BYTES or anchor_id is None:
        return anchor_id is None and (bits is None or len(bits) == HASH_BYTES)
    if of_anchor != anchor_id or anchor_bits is None or len(anchor_bits) != HASH_BYTES:
        return False
    return (int.from_bytes(bits) ^ int.from_bytes(anchor_bits)).bit_count() <= DuplicateThresholds().max_bits
