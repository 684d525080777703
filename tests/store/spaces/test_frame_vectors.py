"""Contents with several frames: their vectors in the catalogue, in the index file, in checks and in counts."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update

from store import Library
from store.catalog import id_sets
from store.catalog.frame_ids import content_of, frame_id
from store.catalog.tables import Embedding, FrameEmbedding, FrameRow, Picture, PictureState
from store.check import verify
from store.library import mark_changed
from store.spaces import index_cache
from store.spaces.drop import forget_space
from store.spaces.embeddings import (
    add_vectors,
    delete_vectors,
    embedded_frames,
    find_file_vector,
    iter_vectors,
    load_vector,
    load_vectors,
    searchable_ids,
)
from store.spaces.frame_lists import FrameList, list_embedded_frames
from store.spaces.registry import StoredSpace, list_spaces
from store.spaces.unread_frames import unread_contents
from tests.support.frames import add_pages
from tests.support.writers import publish, run_repair

Put = Callable[..., list[int]]
Unit = Callable[[int], NDArray[np.float32]]


@pytest.fixture
def pages(library: Library, stored: StoredSpace, put: Put, unit: Unit) -> list[list[int]]:
    """Three contents with one, three and two frames: the IDs of their frames."""
    one, three, two = put(0, 1, 2)
    return [
        [one],
        add_pages(library, stored, three, np.stack([unit(11), unit(21)])),
        add_pages(library, stored, two, unit(12)[None]),
    ]


def searchable(library: Library, stored: StoredSpace) -> list[int]:
    with library.read() as connection:
        return [int(frame) for frame in searchable_ids(connection, stored)]


def flat(pages: list[list[int]]) -> list[int]:
    return sorted(frame for frames in pages for frame in frames)


def damage(library: Library, frame: int, blob: bytes) -> None:
    """Replace the stored vector of a further frame."""
    key = (FrameEmbedding.content_id == content_of(frame), FrameEmbedding.number == frame >> 40)
    with library.transaction() as connection:
        assert connection.execute(update(FrameEmbedding).where(*key).values(vector=blob)).rowcount == 1
        mark_changed(connection)


@pytest.mark.parametrize("batch", [1, 2, 5_000])
def test_vectors_are_read_in_any_order(
    library: Library,
    stored: StoredSpace,
    pages: list[list[int]],
    unit: Unit,
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(id_sets, "MAX_VARIABLES", batch)
    wanted = [pages[1][2], pages[0][0], pages[2][1], pages[1][0], pages[1][2], frame_id(pages[0][0], 1)]
    vectors = load_vectors(library, stored, np.array(wanted, np.int64))
    expected = np.stack([unit(21), unit(0), unit(12), unit(1), unit(21)]).astype("<f2")
    np.testing.assert_array_equal(vectors[:5], expected)
    assert np.isnan(vectors[5]).all()
    found = load_vector(library, stored, pages[2][1])
    assert found is not None
    np.testing.assert_array_equal(found, unit(12).astype("<f2"))
    assert load_vector(library, stored, frame_id(pages[2][0], 2)) is None


def test_the_file_of_several_frames_has_the_vector_of_the_first(
    library: Library, stored: StoredSpace, pages: list[list[int]], unit: Unit
) -> None:
    found = find_file_vector(library, stored, (1).to_bytes(32))
    assert found is not None
    assert found.content_id == pages[1][0]
    np.testing.assert_array_equal(found.vector, unit(1).astype("<f2"))


@pytest.mark.parametrize("blob", [b"", b"\0" * 27, np.full(13, np.nan, "<f2").tobytes()])
def test_malformed_vectors_of_further_frames_are_left_out(
    library: Library, stored: StoredSpace, pages: list[list[int]], blob: bytes
) -> None:
    damage(library, pages[1][1], blob)
    with library.read() as connection:
        batches = list(iter_vectors(connection, stored, np.array(flat(pages), np.int64)))
    found = sorted(int(frame) for ids, _ in batches for frame in ids)
    assert found == sorted(set(flat(pages)) - {pages[1][1]})


def test_adding_vectors_again_changes_nothing(
    library: Library, stored: StoredSpace, pages: list[list[int]], unit: Unit
) -> None:
    before = load_vectors(library, stored, np.array(flat(pages), np.int64))
    with library.transaction() as connection:
        assert add_vectors(connection, stored, {frame: unit(99) for frame in flat(pages)}) == 0
        assert add_vectors(connection, stored, {}) == 0
    np.testing.assert_array_equal(load_vectors(library, stored, np.array(flat(pages), np.int64)), before)


def test_frames_are_searchable_while_a_file_of_the_content_is_present(
    library: Library, stored: StoredSpace, pages: list[list[int]]
) -> None:
    assert searchable(library, stored) == flat(pages)
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id == pages[1][0]).values(state=PictureState.MISSING))
    assert searchable(library, stored) == flat([pages[0], pages[2]])
    with library.read() as connection:
        assert embedded_frames(connection, stored).tolist() == flat(pages)


def test_frames_are_not_searchable_without_the_vector_of_the_first(
    library: Library, stored: StoredSpace, pages: list[list[int]]
) -> None:
    with library.transaction() as connection:
        connection.execute(delete(Embedding).where(Embedding.content_id == pages[1][0]))
    assert searchable(library, stored) == flat([pages[0], pages[2]])


def test_a_deleted_frame_is_listed_for_the_next_run(
    library: Library, stored: StoredSpace, pages: list[list[int]]
) -> None:
    """The other frames of the content stay searchable. A content without a first vector is listed by its absence."""
    with library.transaction() as connection:
        for _ in range(2):
            delete_vectors(connection, stored, np.array([pages[1][1]], np.int64))
        assert embedded_frames(connection, stored).tolist() == sorted(set(flat(pages)) - {pages[1][1]})
        assert unread_contents(connection, stored, np.arange(1, 10)).tolist() == [pages[1][0]]
        delete_vectors(connection, stored, np.array([pages[0][0]], np.int64))
        assert embedded_frames(connection, stored).tolist() == sorted({pages[1][0], pages[1][2], *pages[2]})
        assert unread_contents(connection, stored, np.arange(1, 10)).tolist() == [pages[1][0]]


def test_more_frames_are_deleted_than_a_statement_has_variables(library: Library, stored: StoredSpace) -> None:
    with library.transaction() as connection:
        delete_vectors(connection, stored, np.arange(1, 300_000))
        assert embedded_frames(connection, stored).tolist() == []


def test_the_index_file_follows_frames_that_come_and_go(
    library: Library, stored: StoredSpace, pages: list[list[int]], unit: Unit
) -> None:
    assert sorted(publish(library, stored).index.ids()) == flat(pages)
    loaded = index_cache.load(library, stored)
    assert (loaded.published, sorted(loaded.index.ids())) == (True, flat(pages))
    more = add_pages(library, stored, pages[0][0], np.stack([unit(10), unit(20)]))
    with library.transaction() as connection:  # the rows of vectors go with those of frames
        gone = (FrameRow.content_id == pages[1][0], FrameRow.number == 2)
        connection.execute(delete(FrameRow).where(*gone))
        mark_changed(connection)
    expected = flat([more, pages[1][:2], pages[2]])
    updated = index_cache.load(library, stored, loaded)
    assert (updated.published, sorted(updated.index.ids())) == (False, expected)
    publish(library, stored)
    again = index_cache.load(library, stored)
    assert (again.published, sorted(again.index.ids())) == (True, expected)
    assert verify(library) == []
    for frame, number in ((more[1], 10), (pages[1][1], 11), (pages[2][1], 12)):
        assert again.index.search(unit(number)[None], 1).ids[0, 0] == frame


def test_frames_of_contents_are_those_of_the_index(
    library: Library, stored: StoredSpace, pages: list[list[int]], put: Put
) -> None:
    current = publish(library, stored)
    wanted = np.array([pages[0][0], pages[1][0], 999], np.int64)  # 999 is not in the index
    assert sorted(current.frames_of(wanted)) == flat([pages[0], pages[1], [999]])
    assert current.frames_of(np.array([], np.int64)).tolist() == []


def test_candidates_of_stills_are_not_copied(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = np.array(put(1, 2), np.int64)
    assert publish(library, stored).frames_of(ids) is ids


def test_verify_finds_a_damaged_further_frame_and_repair_deletes_it(
    library: Library, stored: StoredSpace, pages: list[list[int]]
) -> None:
    publish(library, stored)
    assert verify(library) == []
    damage(library, pages[1][2], np.full(13, 1, "<f2").tobytes())
    assert {fault.kind for fault in verify(library)} == {"vectors"}  # the index is updated with what was recorded
    assert f"(contents {pages[1][0]})" in next(fault.detail for fault in verify(library) if fault.kind == "vectors")
    steps = run_repair(library)
    assert steps[0].startswith("deleted 1 malformed vectors")
    assert sorted(index_cache.load(library, stored).index.ids()) == flat([pages[0], pages[1][:2], pages[2]])
    assert verify(library) == []


def test_verify_finds_a_changed_further_frame_in_the_index(
    library: Library, stored: StoredSpace, pages: list[list[int]], unit: Unit
) -> None:
    publish(library, stored)
    damage(library, pages[1][2], stored.to_bytes(unit(77)))  # sound, but not the vector that was published
    with library.transaction() as connection:
        connection.exec_driver_sql("UPDATE spaces SET revision = revision - 1")
        connection.exec_driver_sql("UPDATE index_generations SET position = NULL")  # else readers know of the change
    (fault,) = verify(library)
    assert fault.kind == "index"
    assert f"differs from the catalogue in 1 vectors ({pages[1][0]})" in fault.detail
    assert any("rebuilt the index" in step for step in run_repair(library))
    assert verify(library) == []


def test_counts_of_vectors_include_further_frames(
    library: Library, stored: StoredSpace, pages: list[list[int]]
) -> None:
    publish(library, stored)
    assert [summary.vectors for summary in list_spaces(library)] == [6]
    assert forget_space(library, stored, dry_run=True) == 6
    assert forget_space(library, stored) == 6
    with library.read() as connection:
        assert connection.scalar(select(func.count()).select_from(FrameEmbedding)) == 0
    assert list(library.indexes.iterdir()) == []


def test_frames_are_listed_content_by_content(library: Library, stored: StoredSpace, pages: list[list[int]]) -> None:
    one, three, two = pages
    listed = list_embedded_frames(library, stored, np.array([two[0], one[0], three[0], two[0]], np.int64))
    assert listed.ids.tolist() == [*two, *one, *three, *two]
    assert listed.counts.tolist() == [2, 1, 3, 2]
    assert listed.firsts.tolist() == [0, 2, 3, 6]
    assert listed.has_further_frames
    stills = list_embedded_frames(library, stored, np.array([one[0]], np.int64))
    assert (stills.ids.tolist(), stills.counts.tolist(), stills.has_further_frames) == (one, [1], False)


def test_batches_of_a_frame_list_keep_contents_whole() -> None:
    counts = np.array([1, 4, 1, 2, 1], np.int64)
    frames = FrameList(np.arange(9), counts)
    for size, expected in ((3, [[1], [4], [1, 2], [1]]), (1, [[1], [4], [1], [2], [1]]), (5, [[1, 4], [1, 2, 1]])):
        parts = list(frames.batches(size))
        assert [part.counts.tolist() for part in parts] == expected
        assert np.concatenate([part.ids for part in parts]).tolist() == list(range(9))
    assert list(FrameList(np.arange(0), counts[:0]).batches(3)) == []
