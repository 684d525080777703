"""Frame IDs: one integer for a content and one of its frames. The vectors of an index file have frame IDs.

The lower 40 bits are the ID of the content, the bits above them the number of the frame. The first frame has number 0,
so that its frame ID is the ID of the content: in a library of still pictures the two are the same.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.frames import FIRST_FRAME

__all__ = ["CONTENT_BITS", "MAX_FRAMES", "content_of", "frame_id", "has_further_frames", "number_of"]

CONTENT_BITS = 40
"""Enough for a trillion contents."""

MAX_FRAMES = 1 << (63 - CONTENT_BITS)
"""Frames of one content. SQLite and FAISS have signed integers of 64 bits."""

_CONTENT_MASK = (1 << CONTENT_BITS) - 1

_Ids = TypeVar("_Ids", int, NDArray[np.int64])


def frame_id(content_id: int, number: int) -> int:
    """Return the ID of the frame `number` of a content."""
    return content_id | number << CONTENT_BITS


def content_of(ids: _Ids) -> _Ids:
    """Return the content ID of a frame ID, or of each of (n,)."""
    return ids & _CONTENT_MASK


def number_of(ids: _Ids) -> _Ids:
    """Return the number of the frame of a frame ID, or of each of (n,)."""
    return ids >> CONTENT_BITS


def has_further_frames(ids: NDArray[np.int64]) -> bool:
    """Return whether any of the frame IDs (n,) is not that of a first frame."""
    return bool(len(ids)) and bool(number_of(ids.max()) > FIRST_FRAME)
