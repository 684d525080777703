"""Groups of near-duplicates as they are in the catalogue: members of groups, and contents that have none yet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, or_, select

from core.errors import PathNotIndexed
from core.files import absolute
from store.catalog.id_sets import Ids, batch_slices
from store.catalog.id_sets import among as is_among
from store.catalog.tables import PerceptualHashRow, Picture, PictureState, Root, RootKind
from store.catalog.tables.mapping import aliased
from store.library import Library
from store.queries import ContentRecord, content_records_in
from store.roots import locations_at

__all__ = ["count_ungrouped", "duplicate_anchors", "list_duplicate_groups", "near_duplicate_records"]


def duplicate_anchors(library: Library, ids: Sequence[int]) -> dict[int, int]:
    """Return the anchor of each of these contents that is present and has been compared."""
    present = select(Picture.id).where(
        Picture.content_id == PerceptualHashRow.content_id, Picture.state == PictureState.PRESENT
    )
    anchors: dict[int, int] = {}
    with library.read() as connection:
        for batch in batch_slices(len(ids)):
            statement = select(PerceptualHashRow.content_id, PerceptualHashRow.anchor_id).where(
                is_among(PerceptualHashRow.content_id, list(ids[batch])),
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
            .where(is_among(PerceptualHashRow.content_id, list(ids[batch])))
            .order_by(other.content_id)
        )
        for row in connection.execute(statement):
            members.setdefault(row.content_id, []).append(row.other)
    return members


def _repeated(connection: Connection, anchors: Mapping[int, int] | None) -> dict[int, int]:
    """The contents of every group that has several present files, each with its anchor."""
    statement = (
        select(
            Picture.content_id, func.min(PerceptualHashRow.anchor_id).label("anchor_id"), func.count().label("files")
        )
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
