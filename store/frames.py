"""The frames of contents that have several: recording them, and describing those that a search has found."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, insert, select

from core.frames import FIRST_FRAME, Frame, FrameKind
from store.catalog.frame_ids import content_of, frame_id
from store.catalog.id_sets import batch_slices
from store.catalog.tables import FrameRow
from store.library import Library
from store.spaces.embeddings import add_vectors
from store.spaces.registry import StoredSpace

__all__ = ["EmbeddedFrames", "add_frames", "list_frames", "load_frames", "record_frames"]


class EmbeddedFrames(NamedTuple):
    """The vectors of all frames of one content."""

    frames: Sequence[Frame]
    """None for a still picture."""
    vectors: NDArray[np.floating]
    """(F, D), one for each frame; for a still picture (1, D)."""


def add_frames(
    connection: Connection,
    stored: StoredSpace,
    embedded: Mapping[int, EmbeddedFrames],
    new_contents: Collection[int] = (),
) -> int:
    """Record the frames of contents, and write those of their vectors that the space lacks; return how many.

    `new_contents` were inserted in the same transaction, so that nothing is looked up for their vectors.
    """
    record_frames(connection, {content_id: frames for content_id, (frames, _) in embedded.items()})
    vectors = {
        frame_id(content_id, number): vector
        for content_id, (frames, all_vectors) in embedded.items()
        for number, vector in zip([frame.number for frame in frames] or [FIRST_FRAME], all_vectors, strict=True)
    }
    return add_vectors(connection, stored, vectors, new_contents)


def record_frames(connection: Connection, frames: Mapping[int, Sequence[Frame]]) -> None:
    """Record those frames of contents that are not known yet. A still picture has none to record."""
    several = [content for content, all_frames in frames.items() if all_frames]
    statement = select(FrameRow.content_id, FrameRow.number).where(FrameRow.content_id.in_(several))
    # A page can be read that an earlier read left out, for example with another limit on pixels.
    known = {(row.content_id, row.number) for row in connection.execute(statement)} if several else set()
    rows = [
        {"content_id": content, "number": frame.number, "kind": frame.kind, "seconds": frame.seconds}
        for content in several
        for frame in frames[content]
        if (content, frame.number) not in known
    ]
    if rows:
        connection.execute(insert(FrameRow), rows)


def load_frames(library: Library, ids: Sequence[int]) -> dict[int, Frame]:
    """Return what is known about the frames `ids` by ID. The frame of a still picture is left out."""
    found: dict[int, Frame] = {}
    contents = np.unique(content_of(np.array(ids, np.int64)))
    wanted = set(ids)
    with library.read() as connection:
        for batch in batch_slices(len(contents)):
            statement = select(FrameRow.__table__).where(FrameRow.content_id.in_(contents[batch].tolist()))
            for row in connection.execute(statement):
                frame = frame_id(row.content_id, row.number)
                if frame in wanted:
                    found[frame] = _frame(row)
    return found


def list_frames(library: Library, content_id: int) -> list[Frame]:
    """Return all frames of a content, in order; none for a still picture."""
    statement = select(FrameRow.__table__).where(FrameRow.content_id == content_id).order_by(FrameRow.number)
    with library.read() as connection:
        return [_frame(row) for row in connection.execute(statement)]


def _frame(row: Row) -> Frame:  # type: ignore[type-arg]
    return Frame(row.number, FrameKind(row.kind), row.seconds)
