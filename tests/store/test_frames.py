"""Recording the frames of contents, and describing those that were found."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, update

from core.frames import Frame, FrameKind
from store import Library
from store.catalog.frame_ids import frame_id
from store.catalog.tables import Content, FrameEmbedding, FrameRow, Picture
from store.check import remove_orphans
from store.frames import EmbeddedFrames, add_frames, list_frames, load_frames, record_frames
from store.spaces.embeddings import load_vectors
from store.spaces.registry import StoredSpace
from tests.support.frames import add_pages

Put = Callable[..., list[int]]
Unit = Callable[[int], NDArray[np.float32]]

MOMENTS = [Frame(0, FrameKind.MOMENT, 0.0), Frame(1, FrameKind.MOMENT, 2.5)]


def test_recorded_frames_are_listed_in_order(library: Library, put: Put) -> None:
    still, animation = put(1, 2)
    with library.transaction() as connection:
        record_frames(connection, {still: [], animation: MOMENTS[::-1]})
        record_frames(connection, {animation: MOMENTS})  # again, as after a second index run
    assert list_frames(library, animation) == MOMENTS
    assert list_frames(library, still) == []
    assert list_frames(library, 999) == []


def test_only_requested_frames_are_described(library: Library, put: Put) -> None:
    still, animation, other = put(1, 2, 3)
    with library.transaction() as connection:
        record_frames(connection, {animation: MOMENTS, other: MOMENTS})
    wanted = [frame_id(animation, 1), still, other, frame_id(still, 1), frame_id(other, 7)]
    assert load_frames(library, wanted) == {frame_id(animation, 1): MOMENTS[1], other: MOMENTS[0]}
    assert load_frames(library, []) == {}


def test_all_frames_are_embedded_once(library: Library, stored: StoredSpace, put: Put, unit: Unit) -> None:
    still, pages = put(1, 2)
    again = {
        still: EmbeddedFrames((), unit(7)[None]),
        pages: EmbeddedFrames(MOMENTS, np.stack([unit(8), unit(9)])),
    }
    with library.transaction() as connection:
        assert add_frames(connection, stored, again) == 1  # the first frames have vectors
        assert add_frames(connection, stored, again) == 0
    vectors = load_vectors(library, stored, np.array([still, pages, frame_id(pages, 1)], np.int64))
    np.testing.assert_array_equal(vectors, np.stack([unit(1), unit(2), unit(9)]).astype("<f2"))


def test_frames_of_a_forgotten_content_are_deleted(library: Library, stored: StoredSpace, put: Put, unit: Unit) -> None:
    content, kept = put(1, 2)
    for number in (content, kept):
        add_pages(library, stored, number, unit(number + 5)[None])
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id == content).values(content_id=None))
        assert remove_orphans(connection) == 1
        for table in (FrameRow, FrameEmbedding):
            assert set(connection.execute(select(table.content_id)).scalars()) == {kept}
        assert connection.scalar(select(func.count(Content.id))) == 1
