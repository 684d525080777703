"""Contents with several frames, without files: the pages of a picture get known vectors."""

import numpy as np
from numpy.typing import NDArray

from core.frames import Frame, FrameKind
from store import Library
from store.catalog.frame_ids import frame_id
from store.frames import record_frames
from store.library import mark_changed
from store.spaces.embeddings import add_vectors
from store.spaces.registry import StoredSpace

__all__ = ["add_pages"]


def add_pages(library: Library, stored: StoredSpace, content_id: int, vectors: NDArray[np.floating]) -> list[int]:
    """Add pages with the unit vectors (n, D) after the first one of a content; return the IDs of all its frames."""
    pages = [Frame(number, FrameKind.PAGE) for number in range(len(vectors) + 1)]
    ids = [frame_id(content_id, page.number) for page in pages]
    with library.transaction() as connection:
        record_frames(connection, {content_id: pages})
        add_vectors(connection, stored, dict(zip(ids[1:], vectors, strict=True)))
        mark_changed(connection)
    return ids
