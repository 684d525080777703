"""The frames of contents that have several: recording them, and describing those that a search has found."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, select, update

from core.frames import Frame, FrameKind
from store.catalog.frame_ids import content_of, frame_id
from store.catalog.id_sets import batch_slices
from store.catalog.tables import Content, FrameRow
from store.library import Library

__all__ = ["list_frames", "load_frames", "record_frames"]


def record_frames(connection: Connection, frames: Mapping[int, Sequence[Frame]]) -> None:
    """Record the frames of contents, all of each. No frames are those of a still picture.

    Frames that are known stay, with their vectors. Frames that a content no longer has are removed with theirs.
    """
    for content_id, all_frames in frames.items():
        numbers = [frame.number for frame in all_frames]
        known = set(
            connection.execute(select(FrameRow.number).where(FrameRow.content_id == content_id)).scalars().all()
        )
        gone = known.difference(numbers)
        if gone:
            is_gone = (FrameRow.content_id == content_id, FrameRow.number.in_(sorted(gone)))
            connection.execute(delete(FrameRow).where(*is_gone))
        rows = [
            {"content_id": content_id, "number": frame.number, "kind": frame.kind, "seconds": frame.seconds}
            for frame in all_frames
            if frame.number not in known
        ]
        if rows:
            connection.execute(insert(FrameRow), rows)
        count = max(1, len(all_frames))
        connection.execute(update(Content).where(Content.id == content_id).values(frame_count=count))


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
