"""The index of a space in memory, and bringing it up to date with the catalogue.

The change feed (`store.catalog.change_feed`) names the contents that may have changed since the index was current. Only
these are compared. All IDs are compared after an upgrade, if the feed was cut off or damaged, and if so much has
changed that it is faster.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from core.errors import IndexFault, SpaceDropped
from core.frames import FIRST_FRAME
from store.catalog import change_feed
from store.catalog.frame_ids import content_of, number_of
from store.catalog.id_sets import Ids, without
from store.catalog.tables import SpaceRow
from store.library import Library
from store.spaces.embeddings import iter_vectors, searchable_among, searchable_ids
from store.spaces.registry import StoredSpace, revision_of
from store.spaces.vector_index import DerivedIndex

__all__ = [
    "FULL_COMPARISON_FACTOR",
    "CurrentIndex",
    "Difference",
    "at_present",
    "bring_up_to_date",
    "changed",
    "find_difference",
    "registration_of",
    "require_revision",
]

FULL_COMPARISON_FACTOR = 8
"""All IDs are compared if the contents that have changed are more than this part of an index."""


@dataclass(frozen=True)
class CurrentIndex:
    """An index with exactly the vectors that were searchable at `revision` of its space."""

    index: DerivedIndex
    revision: int
    published: bool
    """Whether the file on disk is current, too; otherwise `publish` writes it."""
    fault: IndexFault | None = None
    """The fault of the file on disk, if it is not just stale."""
    changed: bool = False
    """Whether its vectors differ from those of the file on disk."""
    checksum: bytes | None = None
    """The checksum of the file that it was loaded from, if any."""
    draft: Path | None = None
    """The complete file of the next generation that it was loaded from instead, which has no name yet."""

    position: int | None = None
    """The last change of the change feed that it reflects; None if that is not known."""
    registered_at: datetime | None = None
    """When the space was registered whose vectors were read. It may be dropped, and another one get its ID."""
    known_further_frames: Ids | None = None
    """The IDs of frames after the first, ascending, if they are known already."""

    def frames_of(self, contents: Ids) -> Ids:
        """Return the frames to search for the content IDs `contents` (n,); some need not be in the index."""
        if not self.has_further_frames:
            return contents
        return np.concatenate([contents, self.further_frames[np.isin(content_of(self.further_frames), contents)]])

    @property
    def has_further_frames(self) -> bool:
        """Whether any content has several frames in the index."""
        return bool(self.further_frames.size)

    @property
    def content_count(self) -> int:
        """The number of contents that can be found."""
        if not self.has_further_frames:
            return len(self.index)
        return len(np.unique(content_of(self.index.ids())))

    @cached_property
    def further_frames(self) -> Ids:
        """The IDs of frames after the first, ascending."""
        if self.known_further_frames is not None:
            return self.known_further_frames
        ids = self.index.ids()
        return np.sort(ids[number_of(ids) > FIRST_FRAME])


class Difference(NamedTuple):
    """What an index has too much, and what it lacks, as frame IDs (n,). IDs in both get another vector."""

    surplus: Ids
    missing: Ids

    @property
    def is_empty(self) -> bool:
        """Whether the index has all vectors, and no others."""
        return not (len(self.surplus) or len(self.missing))


def bring_up_to_date(library: Library, stored: StoredSpace, before: CurrentIndex) -> CurrentIndex:
    """Add and remove vectors so that an index has those of one view of the catalogue. Raises `SpaceDropped`."""
    with library.read() as connection:
        return changed(connection, stored, before, find_difference(connection, stored, before))


def changed(connection: Connection, stored: StoredSpace, before: CurrentIndex, difference: Difference) -> CurrentIndex:
    """Return an index with the vectors that it should have.

    It is copied if there are changes, because others may be searching it, or because it is mapped from its file.
    """
    current = at_present(connection, stored, before)
    if difference.is_empty:
        return current
    index, added = before.index.copy(), [np.empty(0, np.int64)]
    if len(difference.surplus):
        index.remove(difference.surplus)
    for ids, vectors in iter_vectors(connection, stored, difference.missing):
        index.add(ids, vectors)
        added.append(ids)
    further = _changed_frames(before.further_frames, difference.surplus, np.concatenate(added))
    return replace(current, index=index, changed=True, known_further_frames=further)


def at_present(connection: Connection, stored: StoredSpace, before: CurrentIndex) -> CurrentIndex:
    """Return an index as one of the present revision. Its file is not. Raises `SpaceDropped`."""
    return replace(
        before,
        revision=require_revision(connection, stored),
        published=False,
        position=change_feed.position(connection),
        registered_at=registration_of(connection, stored),
        known_further_frames=before.further_frames,
    )


def find_difference(connection: Connection, stored: StoredSpace, before: CurrentIndex) -> Difference:
    """Compare an index with the catalogue: the contents that have changed since, or all if those are not known."""
    changes = None
    if before.position is not None:
        changes = change_feed.changes_after(connection, stored.id, before.position)
    if changes is not None and len(changes.contents) * FULL_COMPARISON_FACTOR <= len(before.index):
        further = before.further_frames
        further = further[np.isin(content_of(further), changes.contents)]
        expected = searchable_among(connection, stored, changes.contents)
        present = before.index.held(np.concatenate([changes.contents, further]))
    else:
        expected, present = searchable_ids(connection, stored), before.index.ids()
    is_kept_current = before.checksum is not None and not change_feed.is_sole_record(connection)
    if changes is None and before.position is not None and not is_kept_current:
        # A file is discarded when vectors are replaced under their IDs; what was built in memory is not.
        return Difference(present, expected)
    if changes is None:
        return Difference(without(present, expected), without(expected, present))
    outdated = present[np.isin(content_of(present), changes.replaced)]
    return Difference(without(present, without(expected, outdated)), without(expected, without(present, outdated)))


def _changed_frames(further: Ids, surplus: Ids, added: Ids) -> Ids:
    """Return the frames after the first of an index, ascending, after `surplus` was removed and `added` added."""
    surplus, added = surplus[number_of(surplus) > FIRST_FRAME], added[number_of(added) > FIRST_FRAME]
    if not (len(surplus) or len(added)):
        return further
    return np.union1d(without(further, surplus), added)


def require_revision(connection: Connection, stored: StoredSpace) -> int:
    """Return the revision of a space. Raises `SpaceDropped`."""
    revision = revision_of(connection, stored)
    if revision is None:
        raise SpaceDropped(str(stored.space))
    return revision


def registration_of(connection: Connection, stored: StoredSpace) -> datetime | None:
    """Return when a space was registered; None if it was dropped."""
    same = (SpaceRow.id == stored.id, SpaceRow.fingerprint == stored.space.fingerprint)
    return connection.scalar(select(SpaceRow.created_at).where(*same))
