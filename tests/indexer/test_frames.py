"""Indexing files with several frames: every frame is embedded and can be found."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import delete, func, insert, select, update

from core.frames import Frame, FrameKind
from encoders.fake import FakeEncoder
from indexer import FillSettings, IndexSettings, fill, index
from indexer.reader import FileReader, Reading
from indexer.reader_pool import ReaderPool
from indexer.refresh import backfill_hashes
from pictures.decode import DecodeSettings
from pictures.reading import ReadSettings
from search import Searcher, SearchOptions
from store import Library
from store.catalog.frame_ids import frame_id
from store.catalog.tables import Content, FrameEmbedding, FrameRow, PerceptualHashRow, Picture, UnreadFrames
from store.check import verify
from store.frames import list_frames
from store.ingest.batch_writer import PendingFile
from store.roots import find_location
from store.spaces.embeddings import load_vectors
from store.spaces.registry import StoredSpace, active_space
from tests.indexer.test_fill import Mirrored
from tests.support.frame_files import write_animation, write_pages
from tests.support.indexing import CountingEncoder, expected_vectors, nonzero_counts


def stored_space(library: Library) -> StoredSpace:
    stored = active_space(library)
    assert stored is not None
    return stored


def frame_vectors(library: Library, content_id: int, number: int) -> NDArray[np.float32]:
    ids = [frame_id(content_id, frame) for frame in range(number)]
    return load_vectors(library, stored_space(library), np.array(ids, np.int64))


def test_all_pages_of_a_document_are_embedded(library: Library, tmp_path: Path, counting: CountingEncoder) -> None:
    folder = write_pages(tmp_path / "scans/three.tif", "red", "lime", "blue").parent
    assert nonzero_counts(index(library, folder, counting)) == {"new": 1, "embedded": 3}
    assert list_frames(library, 1) == [Frame(number, FrameKind.PAGE) for number in range(3)]
    expected = expected_vectors(counting, "red", "green", "blue")
    np.testing.assert_array_equal(frame_vectors(library, 1, 3), expected)
    assert nonzero_counts(index(library, folder, counting)) == {"unchanged": 1}
    assert counting.embedded == 3
    assert verify(library) == []


def test_a_search_finds_the_page(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    folder = write_pages(tmp_path / "scans/three.tif", "red", "lime", "blue").parent
    Image.new("RGB", (8, 8), "white").save(folder / "white.png")
    index(library, folder, encoder)
    searcher = Searcher(library, encoder)
    first, second = searcher.search("green")
    assert (first.path.name, first.frame) == ("three.tif", Frame(1, FrameKind.PAGE))
    assert first.score == pytest.approx(1, abs=1e-3)
    assert (second.path.name, second.frame) == ("white.png", None)
    every = searcher.search("green", SearchOptions(every_frame=True))
    assert sorted((hit.path.name, hit.frame and hit.frame.number) for hit in every) == [
        ("three.tif", 0),
        ("three.tif", 1),
        ("three.tif", 2),
        ("white.png", None),
    ]


def test_moments_of_an_animation_have_times(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    folder = write_animation(tmp_path / "clips/two.gif", "red", "blue", milliseconds=1500).parent
    index(library, folder, encoder)
    assert list_frames(library, 1) == [Frame(0, FrameKind.MOMENT, 0.0), Frame(1, FrameKind.MOMENT, 1.5)]
    np.testing.assert_array_equal(frame_vectors(library, 1, 2), expected_vectors(encoder, "red", "blue"))


def test_a_copy_shares_the_frames(library: Library, tmp_path: Path, counting: CountingEncoder) -> None:
    path = write_pages(tmp_path / "scans/one.tif", "red", "lime")
    path.with_name("two.tif").write_bytes(path.read_bytes())
    assert nonzero_counts(index(library, path.parent, counting)) == {"new": 2, "embedded": 2, "duplicates": 1}
    path.with_name("three.tif").write_bytes(path.read_bytes())
    assert nonzero_counts(index(library, path.parent, counting)) == {"new": 1, "unchanged": 2, "duplicates": 1}


def test_a_damaged_page_costs_only_itself(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    path = write_pages(tmp_path / "scans/three.tif", "red", "lime", "blue")
    with Image.open(path) as document:
        document.seek(1)
        (offset,) = document.tag_v2[273]  # type: ignore[attr-defined]
        document.seek(2)
    data = bytearray(path.read_bytes())
    position = data.index(offset.to_bytes(4, "little"), 8)  # in the directory of the second page
    data[position : position + 4] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(data)
    index(library, path.parent, encoder)
    assert [frame.number for frame in list_frames(library, 1)] == [0, 2]
    np.testing.assert_array_equal(frame_vectors(library, 1, 3)[[0, 2]], expected_vectors(encoder, "red", "blue"))


def write_cover(folder: Path) -> tuple[Image.Image, Path]:
    """Return a picture with enough detail for a hash, and a new folder with a PNG of it."""
    cover = Image.effect_noise((128, 128), 90).convert("RGB")
    (folder / "scans").mkdir()
    cover.save(folder / "scans" / "cover.png")
    return cover, folder / "scans"


def test_documents_with_the_same_cover_are_not_near_duplicates(
    library: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    cover, folder = write_cover(tmp_path)
    for name, colour in (("a.tif", "red"), ("b.tif", "blue")):
        cover.save(folder / name, save_all=True, append_images=[Image.new("RGB", (128, 128), colour)])
    index(library, folder, encoder)
    with library.read() as connection:
        rows = connection.execute(
            select(Content.format, PerceptualHashRow.bits).join(Content, Content.id == PerceptualHashRow.content_id)
        ).all()
    assert sorted((row.format, row.bits is not None) for row in rows) == [
        ("PNG", True),
        ("TIFF", False),
        ("TIFF", False),
    ]


def test_a_hash_that_is_computed_later_leaves_documents_out(
    library: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    cover, folder = write_cover(tmp_path)
    cover.save(folder / "a.tif", save_all=True, append_images=[cover])
    index(library, folder, encoder)
    with library.transaction() as connection:
        connection.execute(delete(PerceptualHashRow))
    location = find_location(library, folder)
    assert location is not None
    assert backfill_hashes(library, location, DecodeSettings(), 1) == 2
    with library.read() as connection:
        rows = connection.execute(select(PerceptualHashRow.bits).order_by(PerceptualHashRow.content_id)).scalars()
        assert [bits is None for bits in rows] == [True, False]


def make_old(library: Library) -> None:
    """Change a library to one that an earlier version indexed: only first frames are embedded."""
    with library.transaction() as connection:
        connection.execute(delete(FrameEmbedding))
        connection.execute(delete(FrameRow))
        connection.execute(insert(UnreadFrames).from_select(["space_id", "content_id"], select(1, Content.id)))


def test_an_older_library_gets_its_further_frames_from_the_next_run(
    library: Library, tmp_path: Path, counting: CountingEncoder
) -> None:
    path = write_pages(tmp_path / "scans/two.tif", "red", "lime")
    Image.new("RGB", (8, 8), "blue").save(path.with_name("one.tif"))
    index(library, path.parent, counting)
    make_old(library)
    assert nonzero_counts(index(library, path.parent, counting)) == {"unchanged": 2, "embedded": 1}
    with library.read() as connection:
        assert connection.scalar(select(func.count()).select_from(UnreadFrames)) == 0
        document = connection.scalar(select(FrameRow.content_id))
    assert document is not None
    np.testing.assert_array_equal(frame_vectors(library, document, 2), expected_vectors(counting, "red", "green"))
    counting.embedded = 0
    assert nonzero_counts(index(library, path.parent, counting)) == {"unchanged": 2}
    assert counting.embedded == 0


def test_another_model_embeds_all_frames(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    path = write_pages(tmp_path / "scans/two.tif", "red", "lime")
    index(library, path.parent, encoder)
    result = fill(library, Mirrored(), FillSettings(workers=1))
    assert result.embedded == 2
    searcher = Searcher(library, Mirrored())
    (hit,) = searcher.search("green")
    assert hit.frame == Frame(1, FrameKind.PAGE)


def test_another_model_gets_the_frames_that_an_older_version_left_out(
    library: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    path = write_pages(tmp_path / "scans/two.tif", "red", "lime")
    index(library, path.parent, encoder)
    make_old(library)
    assert fill(library, encoder, FillSettings(workers=1)).embedded == 1
    np.testing.assert_array_equal(frame_vectors(library, 1, 2), expected_vectors(encoder, "red", "green"))


def test_a_forgotten_file_takes_its_frames_along(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    path = write_pages(tmp_path / "scans/two.tif", "red", "lime")
    Image.new("RGB", (8, 8), "lime").save(path.with_name("green.png"))
    index(library, path.parent, encoder)
    path.unlink()
    index(library, path.parent, encoder)
    searcher = Searcher(library, encoder)
    assert [hit.path.name for hit in searcher.search("green")] == ["green.png"]


@pytest.mark.parametrize("start_after", [None, 0])
def test_frames_come_from_threads_and_processes(tmp_path: Path, start_after: float | None) -> None:
    write_pages(tmp_path / "three.tif", "red", "lime", "blue")
    settings = ReadSettings(FakeEncoder().preprocess)
    reader = FileReader(tmp_path, lambda _: False)
    with ReaderPool(settings, 1, start_after=start_after, notice=pytest.fail) as pool:
        reading: Reading | None = pool.submit(reader, PendingFile(b"three.tif")).result()
    assert reading is not None
    assert [pixels[0, 0].tolist() for pixels in reading.pixels] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_pages_that_another_run_leaves_out_are_added(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    """A limit on pixels, or a version of Pillow, can decide which pages are read."""
    path = write_pages(tmp_path / "scans/three.tif", "red", "lime", "blue", sizes=[(8, 8), (20, 20), (8, 8)])
    index(library, path.parent, encoder, IndexSettings(decode=DecodeSettings(max_pixels=100)))
    assert [frame.number for frame in list_frames(library, 1)] == [0, 2]
    assert fill(library, Mirrored(), FillSettings(workers=1)).embedded == 3
    assert [frame.number for frame in list_frames(library, 1)] == [0, 1, 2]
    assert verify(library) == []


def test_an_upgrade_replaces_what_was_read_of_a_preview(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    folder = write_pages(tmp_path / "scans/one.tif", "red", sizes=[(16, 16)]).parent
    index(library, folder, encoder)
    data = write_pages(tmp_path / "two.tif", "red", "blue", sizes=[(16, 16), (640, 480)]).read_bytes()
    (folder / "one.tif").write_bytes(data)
    os.utime(folder / "one.tif", ns=(1, 1))
    with library.transaction() as connection:  # as if the version before had read the preview
        connection.execute(update(Content).values(digest=hashlib.sha256(data).digest(), size=len(data)))
        connection.execute(update(Picture).values(size=len(data), mtime_ns=1))
        connection.execute(insert(UnreadFrames).values(space_id=1, content_id=1))
    searcher = Searcher(library, encoder)
    assert searcher.search("red")[0].score == pytest.approx(1, abs=1e-3)
    assert nonzero_counts(index(library, folder, encoder)) == {"unchanged": 1, "embedded": 1}
    for reader in (searcher, Searcher(library, encoder)):
        (hit,) = reader.search("blue")
        assert hit.score == pytest.approx(1, abs=1e-3)
        assert (hit.record.width, hit.record.height) == (640, 480)
    assert verify(library) == []


def test_an_upgrade_separates_documents_with_the_same_cover(
    library: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    cover, folder = write_cover(tmp_path)
    cover.save(folder / "cover.webp", lossless=True)
    index(library, folder, encoder)
    for name, colour in (("cover.png", "red"), ("cover.webp", "blue")):
        cover.save(folder / name, "TIFF", save_all=True, append_images=[Image.new("RGB", (128, 128), colour)])
        os.utime(folder / name, ns=(1, 1))
        data = (folder / name).read_bytes()
        with library.transaction() as connection:
            picture = select(Picture.content_id).where(Picture.relpath == name.encode()).scalar_subquery()
            digest = hashlib.sha256(data).digest()
            connection.execute(update(Content).where(Content.id == picture).values(digest=digest, size=len(data)))
            of_file = Picture.relpath == name.encode()
            connection.execute(update(Picture).where(of_file).values(size=len(data), mtime_ns=1))
    with library.transaction() as connection:
        connection.execute(insert(UnreadFrames).from_select(["space_id", "content_id"], select(1, Content.id)))
    assert len(Searcher(library, encoder).search("white")) == 1  # one represents the other
    index(library, folder, encoder)
    assert len(Searcher(library, encoder).search("white")) == 2
    assert verify(library) == []
