"""The frames of contents in one space, content by content, for code that reads all vectors of some contents."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.library import Library
from store.spaces.embeddings import further_frames
from store.spaces.registry import StoredSpace

__all__ = ["FrameList", "list_embedded_frames"]


@dataclass(frozen=True)
class FrameList:
    """The F frames of N contents, the frames of each content one after another."""

    ids: Ids
    """(F,) frame IDs. Each content begins with its first frame."""
    counts: Ids
    """(N,) the number of frames of each content, at least 1."""

    @property
    def firsts(self) -> Ids:
        """The place (N,) in `ids` of the first frame of each content."""
        return np.asarray(np.cumsum(self.counts) - self.counts)

    @property
    def has_further_frames(self) -> bool:
        """Whether any content has several frames."""
        return len(self.ids) > len(self.counts)

    def of(self, rows: Ids) -> "FrameList":
        """Return the frames of the contents in `rows` (n,), in this order."""
        counts = self.counts[rows]
        before = np.cumsum(counts) - counts  # (n,)
        places = np.arange(counts.sum()) + np.repeat(self.firsts[rows] - before, counts)
        return FrameList(self.ids[places], counts)

    def batches(self, size: int) -> Iterator["FrameList"]:
        """Yield parts with at most `size` frames. A content with more frames than that is a part of its own."""
        ends = np.cumsum(self.counts)
        start = first = 0
        while start < len(self.counts):
            stop = max(start + 1, int(np.searchsorted(ends, first + size, side="right")))
            end = int(ends[stop - 1])
            yield FrameList(self.ids[first:end], self.counts[start:stop])
            start, first = stop, end


def list_embedded_frames(library: Library, stored: StoredSpace, contents: Ids) -> FrameList:
    """Return the frames of `contents` (N,) that have a vector in the space, in the order of the contents.

    First frames are always included; whether they have a vector is not looked up. A content can occur several times.
    """
    with library.read() as connection:
        further = further_frames(connection, stored)
    further = further[np.isin(content_of(further), contents)]
    further = further[np.argsort(content_of(further), kind="stable")]  # by content, then by number
    owners = content_of(further)
    begin, end = np.searchsorted(owners, contents, "left"), np.searchsorted(owners, contents, "right")  # (N,) both
    counts = 1 + end - begin
    of_content = np.repeat(np.arange(len(contents)), counts)  # (F,)
    number = np.arange(len(of_content)) - (np.cumsum(counts) - counts)[of_content]  # (F,) place within its content
    ids = np.asarray(contents)[of_content]
    is_further = number > 0
    ids[is_further] = further[(begin[of_content] + number - 1)[is_further]]
    return FrameList(ids, counts)
