"""Indexes that follow a library by its change feed alone, compared with ones that are built from the catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from store import Library
from store.catalog.id_sets import Ids
from store.spaces import current_index
from store.spaces.current_index import CurrentIndex, bring_up_to_date
from store.spaces.index_engines import new_index
from store.spaces.registry import list_spaces

__all__ = ["Followers", "by_the_feed_alone", "contents_of"]


@contextmanager
def by_the_feed_alone() -> Iterator[None]:
    """Let indexes of any size be updated with the change feed; raise `AssertionError` if all IDs are compared."""

    def refuse(*_: object) -> Ids:
        raise AssertionError("All IDs were compared: the change feed was not used.")

    with (
        patch.object(current_index, "FULL_COMPARISON_FACTOR", 0),
        patch.object(current_index, "searchable_ids", refuse),
    ):
        yield


def contents_of(current: CurrentIndex) -> dict[int, bytes]:
    """Return the vectors of an index by frame ID."""
    ids, vectors = current.index.ids(), current.index.vectors()
    assert len(np.unique(ids)) == len(ids)
    rows: Iterator[NDArray[np.float32]] = iter(vectors)
    return {frame: row.tobytes() for frame, row in zip(ids.tolist(), rows, strict=True)}


class Followers:
    """An index for each space of a library. It is built when the space is first seen, and then follows the feed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._indexes: dict[tuple[int, str], CurrentIndex] = {}
        self.check()

    def check(self) -> None:
        """Bring all indexes up to date with the feed, and compare them with new ones, vector by vector."""
        followed, self._indexes = self._indexes, {}  # those of dropped spaces are forgotten
        for stored in (summary.stored for summary in list_spaces(self._library)):
            key = (stored.id, stored.space.fingerprint)
            built = bring_up_to_date(self._library, stored, CurrentIndex(new_index(stored), 0, published=False))
            before = followed.get(key, built)
            with by_the_feed_alone():
                current = bring_up_to_date(self._library, stored, before)
            assert contents_of(current) == contents_of(built)
            assert (current.revision, current.position) == (built.revision, built.position)
            np.testing.assert_array_equal(current.further_frames, built.further_frames)
            self._indexes[key] = current
