"""Contents that people have told apart: they are never in the same group of near-duplicates."""

from collections import defaultdict
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from store.catalog.id_sets import Ids, among
from store.catalog.tables import DistinctPair, PerceptualHashRow

__all__ = ["Separation", "load_separation", "separation_checksum"]


class Separation:
    """Which groups a content may join. `others` has the contents that each was told apart from.

    `anchors` has the groups of those that have one; `place` adds to them.
    """

    def __init__(self, others: Mapping[int, Collection[int]], anchors: Mapping[int, int]) -> None:
        self._others = others
        self._ids = np.array(sorted(others), np.int64)
        self._anchors = dict(anchors)

    def concerns(self, ids: Ids) -> NDArray[np.bool_]:
        """Return which of the contents (n,) were told apart from any other."""
        return np.isin(ids, self._ids)

    def allows(self, content_id: int, anchor: int) -> bool:
        """Return whether a content may join the group of this anchor."""
        return all(self._anchors.get(other) != anchor for other in self._others.get(content_id, ()))

    def place(self, content_id: int, anchor: int) -> None:
        """Remember the group of a content."""
        if content_id in self._others:
            self._anchors[content_id] = anchor


def load_separation(connection: Connection, *, with_groups: bool) -> Separation:
    """Return all verdicts of the library; `with_groups` includes the present groups of these contents."""
    others: dict[int, set[int]] = defaultdict(set)
    for first, second in connection.execute(select(DistinctPair.first_id, DistinctPair.second_id)):
        others[first].add(second)
        others[second].add(first)
    anchors: dict[int, int] = {}
    if with_groups and others:
        rows = select(PerceptualHashRow.content_id, PerceptualHashRow.anchor_id).where(
            among(PerceptualHashRow.content_id.expression, sorted(others)), PerceptualHashRow.anchor_id.is_not(None)
        )
        anchors = {content_id: anchor for content_id, anchor in connection.execute(rows) if anchor is not None}
    return Separation(others, anchors)


def separation_checksum(connection: Connection) -> tuple[int, int, int]:
    """Return numbers that differ if the verdicts differ."""
    sums = select(func.count(), func.sum(DistinctPair.first_id), func.sum(DistinctPair.second_id))
    number, first, second = connection.execute(sums).one()
    return number, first or 0, second or 0
