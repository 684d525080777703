"""Verdicts of people that pictures are not near-duplicates of each other.

A verdict is about two contents. It separates them in groups at once, and in all groups that are computed later. It
ends when it is withdrawn, or when one of the contents is forgotten.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import combinations, product

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, tuple_, update

from store.catalog.id_sets import among, batch_slices
from store.catalog.tables import Content, DistinctPair, PerceptualHashRow, Picture, PictureState
from store.library import Library, Writer
from store.near_duplicates.groups import compare_again
from store.near_duplicates.stored_hashes import BEST_FIRST
from store.spaces.registry import active_space

__all__ = ["Pair", "count_verdicts", "list_verdicts", "pairs_among", "tell_apart", "withdraw_verdicts"]

Pair = tuple[int, int]
"""Two contents, the one with the smaller ID first."""

PAIRS_PER_STATEMENT = 1_000


def pairs_among(content_ids: Iterable[int], others: Iterable[int] | None = None) -> list[Pair]:
    """Return all pairs of these contents, or each of them with each of `others`."""
    ids = dict.fromkeys(content_ids)
    found = combinations(ids, 2) if others is None else product(ids, dict.fromkeys(others))
    return sorted({(min(one, other), max(one, other)) for one, other in found if one != other})


def tell_apart(library: Library, pairs: Collection[Pair], waiting: Callable[[], None] | None = None) -> int:
    """Record that the contents of each pair are not near-duplicates, and separate their groups.

    Returns how many verdicts are new. Contents that are not in the library are skipped. `waiting` is as for
    `Library.exclusive`.
    """
    with library.exclusive(waiting) as writer:
        with writer.transaction() as connection:
            new = _new_pairs(connection, pairs)
            if new:
                rows = [{"first_id": first, "second_id": second} for first, second in new]
                connection.execute(insert(DistinctPair), rows)
            anchors = _anchors(connection, {content_id for pair in new for content_id in pair})
            evicted = [member for anchor in sorted(anchors) for member in _misplaced(connection, anchor)]
            _reset(connection, among(PerceptualHashRow.content_id.expression, evicted))
        _regroup(writer, evicted)
    return len(new)


def withdraw_verdicts(library: Library, pairs: Collection[Pair], waiting: Callable[[], None] | None = None) -> int:
    """Withdraw verdicts, and compare the groups of these contents again; return how many verdicts there were."""
    ids = sorted({content_id for pair in pairs for content_id in pair})
    removed = 0
    with library.exclusive(waiting) as writer:
        with writer.transaction() as connection:
            for batch in _batches(sorted(pairs)):
                is_named = tuple_(DistinctPair.first_id, DistinctPair.second_id).in_(batch)
                removed += connection.execute(delete(DistinctPair).where(is_named)).rowcount
            in_groups = among(PerceptualHashRow.anchor_id.expression, sorted(_anchors(connection, set(ids))))
            members = list(connection.execute(select(PerceptualHashRow.content_id).where(in_groups)).scalars())
            if removed:
                _reset(connection, in_groups)
        if removed:
            _regroup(writer, members)
    return removed


def list_verdicts(library: Library, limit: int, after: Pair = (0, 0)) -> list[Pair]:
    """Return up to `limit` pairs of present contents that were told apart, in the order of their IDs, `after` one."""
    with library.read() as connection:
        later = or_(
            DistinctPair.first_id > after[0], and_(DistinctPair.first_id == after[0], DistinctPair.second_id > after[1])
        )
        statement = (
            select(DistinctPair.first_id, DistinctPair.second_id)
            .where(later, *_both_present())
            .order_by(DistinctPair.first_id, DistinctPair.second_id)
            .limit(limit)
        )
        return [(row.first_id, row.second_id) for row in connection.execute(statement)]


def count_verdicts(library: Library) -> int:
    """Return how many pairs of present contents were told apart."""
    with library.read() as connection:
        return connection.scalar(select(func.count()).select_from(DistinctPair).where(*_both_present())) or 0


def _both_present() -> list[ColumnElement[bool]]:
    return [
        select(Picture.id).where(Picture.content_id == content, Picture.state == PictureState.PRESENT).exists()
        for content in (DistinctPair.first_id, DistinctPair.second_id)
    ]


def _new_pairs(connection: Connection, pairs: Collection[Pair]) -> list[Pair]:
    """Return those of the pairs whose contents are in the library, and that are not recorded yet."""
    ids = sorted({content_id for pair in pairs for content_id in pair})
    existing = set[int]()
    for batch in batch_slices(len(ids)):
        existing |= set(connection.execute(select(Content.id).where(Content.id.in_(ids[batch]))).scalars())
    known = set[Pair]()
    for chunk in _batches(sorted(pairs)):
        is_named = tuple_(DistinctPair.first_id, DistinctPair.second_id).in_(chunk)
        rows = connection.execute(select(DistinctPair.first_id, DistinctPair.second_id).where(is_named))
        known |= {(row.first_id, row.second_id) for row in rows}
    return [pair for pair in sorted(set(pairs)) if pair not in known and set(pair) <= existing]


def _batches(pairs: Sequence[Pair]) -> Iterable[Sequence[Pair]]:
    return (pairs[start : start + PAIRS_PER_STATEMENT] for start in range(0, len(pairs), PAIRS_PER_STATEMENT))


def _anchors(connection: Connection, content_ids: set[int]) -> set[int]:
    """Return the groups of contents, by their anchors."""
    is_chosen = among(PerceptualHashRow.content_id.expression, sorted(content_ids))
    statement = select(PerceptualHashRow.anchor_id).where(is_chosen, PerceptualHashRow.anchor_id.is_not(None))
    return {anchor for anchor in connection.execute(statement).scalars() if anchor is not None}


def _misplaced(connection: Connection, anchor: int) -> list[int]:
    """Return the members of a group that were told apart from its anchor, or from a better member that stays."""
    members = connection.execute(
        select(PerceptualHashRow.content_id)
        .join(Content, Content.id == PerceptualHashRow.content_id)
        .where(PerceptualHashRow.anchor_id == anchor)
        .order_by(PerceptualHashRow.content_id != anchor, *BEST_FIRST)
    ).scalars()
    ids = list(members)
    apart = connection.execute(
        select(DistinctPair.first_id, DistinctPair.second_id).where(
            among(DistinctPair.first_id.expression, ids), among(DistinctPair.second_id.expression, ids)
        )
    )
    distinct = {frozenset(pair) for pair in apart}
    told = {content_id for pair in distinct for content_id in pair}
    kept, misplaced = list[int](), list[int]()
    for content_id in (each for each in ids if each in told):
        is_apart = any(frozenset((content_id, other)) in distinct for other in kept)
        (misplaced if is_apart else kept).append(content_id)
    return misplaced


def _reset(connection: Connection, is_chosen: ColumnElement[bool]) -> None:
    connection.execute(update(PerceptualHashRow).where(is_chosen).values(anchor_id=None))


def _regroup(writer: Writer, content_ids: Sequence[int]) -> None:
    """Compare contents that have no group again. Without an active space, the next index run does so."""
    active = active_space(writer.library)
    if content_ids and active is not None:
        compare_again(writer, active, content_ids)
