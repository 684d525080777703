"""After an upgrade, files that are shown with other pixels than before are embedded again by the next run."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from sqlalchemy import delete, func, insert, literal, select, update

from core.pixels_version import PIXELS_VERSION
from encoders.fake import FakeEncoder
from indexer import FillSettings, IndexSettings, fill, index
from search import Searcher
from store import Library
from store.catalog.tables import (
    Content,
    Embedding,
    FrameEmbedding,
    IndexGeneration,
    PerceptualHashRow,
    Picture,
    PictureState,
    TextReadingRow,
    UnreadFrames,
)
from store.check import verify
from store.spaces.registry import active_space
from store.tags import Tagging, add_tags, list_tags
from tests.indexer.test_fill import Mirrored
from tests.support.frame_files import write_pages
from tests.support.indexing import CountingEncoder, nonzero_counts


def make_old(library: Library, encoder: FakeEncoder, color: str = "black") -> None:
    """Change a library to one that an earlier version indexed, which showed all pictures in one colour."""
    stored = active_space(library)
    assert stored is not None
    wrong = stored.to_bytes(encoder.encode_images([Image.new("RGB", (8, 8), color)])[0])
    with library.transaction() as connection:
        connection.execute(update(Content).values(pixels_version=0))
        connection.execute(update(Embedding).values(vector=wrong))
        connection.execute(update(FrameEmbedding).values(vector=wrong))
        connection.execute(delete(IndexGeneration))
    for file in library.indexes.glob("*.announced.json"):  # of a library on a server
        file.unlink()


def names(library: Library, encoder: FakeEncoder, query: str) -> list[str]:
    return [hit.path.name for hit in Searcher(library, encoder).search(query) if hit.score > 0.9]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (40, 30), "lime").save(folder / "photo.jpg")
    Image.new("RGB", (40, 30), "lime").save(folder / "plain.png")
    Image.new("RGBA", (40, 30), "lime").save(folder / "opaque.png")
    tifffile.imwrite(folder / "deep.tif", np.full((30, 40, 3), (0, 65535, 0), "u2"), photometric="rgb")
    return folder


def test_only_files_whose_pixels_may_have_changed_are_embedded_again(
    library: Library, folder: Path, counting: CountingEncoder
) -> None:
    index(library, folder, counting)
    make_old(library, counting)
    counting.embedded = 0
    assert nonzero_counts(index(library, folder, counting)) == {"unchanged": 4, "embedded": 1}
    assert names(library, counting, "green") == ["deep.tif"]
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Content.pixels_version).join(Content)).all()
        assert connection.scalar(select(func.count()).select_from(UnreadFrames)) == 0
    versions = dict(rows)
    assert versions.pop(b"photo.jpg") == 0
    assert set(versions.values()) == {PIXELS_VERSION}
    assert nonzero_counts(index(library, folder, counting)) == {"unchanged": 4}
    assert counting.embedded == 1
    assert verify(library) == []


def test_every_page_gets_its_vector_again(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    folder = write_pages(tmp_path / "scans/two.tif", "red", "lime").parent
    index(library, folder, encoder)
    make_old(library, encoder)
    assert names(library, encoder, "green") == []
    index(library, folder, encoder)
    assert names(library, encoder, "green") == ["two.tif"]
    assert names(library, encoder, "red") == ["two.tif"]
    assert verify(library) == []


def test_what_people_said_stays_and_old_vectors_answer_until_then(
    library: Library, folder: Path, encoder: FakeEncoder
) -> None:
    index(library, folder, encoder)
    with library.read() as connection:
        content = connection.scalar(select(Picture.content_id).where(Picture.relpath == b"deep.tif"))
    assert content is not None
    add_tags(library, [Tagging(content, "meadow")])
    make_old(library, encoder, "red")
    os.chmod(folder, 0o700)  # noqa: PTH101
    assert "deep.tif" in names(library, encoder, "red")
    index(library, folder, encoder)
    assert [tag.name for tag in list_tags(library)] == ["meadow"]
    assert names(library, encoder, "green tag:meadow") == ["deep.tif"]


def test_other_spaces_are_filled_again(library: Library, folder: Path, encoder: FakeEncoder) -> None:
    index(library, folder, encoder)
    fill(library, Mirrored(), FillSettings(workers=1))
    make_old(library, encoder)
    assert nonzero_counts(index(library, folder, Mirrored())) == {"unchanged": 4, "embedded": 1}
    assert fill(library, encoder, FillSettings(workers=1)).embedded == 1


def test_text_and_hashes_are_read_again(library: Library, folder: Path, encoder: FakeEncoder) -> None:
    Image.effect_noise((128, 128), 90).save(folder / "noise.tif")
    index(library, folder, encoder)
    with library.transaction() as connection:
        connection.execute(update(PerceptualHashRow).values(bits=bytes(32)))
        every = select(Content.id, literal("a"), literal("1"))
        connection.execute(insert(TextReadingRow).from_select(["content_id", "recognizer", "version"], every))
    make_old(library, encoder)
    index(library, folder, encoder)
    with library.read() as connection:
        reread = select(Picture.relpath).join(TextReadingRow, TextReadingRow.content_id == Picture.content_id)
        assert set(connection.scalars(reread.where(TextReadingRow.version == ""))) == {b"deep.tif", b"noise.tif"}
        is_wrong = select(Picture.relpath).join(PerceptualHashRow, PerceptualHashRow.content_id == Picture.content_id)
        assert b"noise.tif" not in set(connection.scalars(is_wrong.where(PerceptualHashRow.bits == bytes(32))))


def test_a_file_that_is_refused_now_is_a_failure(library: Library, folder: Path, encoder: FakeEncoder) -> None:
    index(library, folder, encoder)
    tifffile.imwrite(folder / "deep.tif", np.zeros((30, 40), "c8"))
    status = (folder / "deep.tif").stat()
    make_old(library, encoder)
    with library.transaction() as connection:  # as if the earlier version had shown it
        deep = update(Picture).where(Picture.relpath == b"deep.tif")
        connection.execute(deep.values(size=status.st_size, mtime_ns=status.st_mtime_ns, ctime_ns=None, inode=None))
    assert nonzero_counts(index(library, folder, encoder)) == {"unchanged": 3, "failed": 1}
    with library.read() as connection:
        states = dict(connection.execute(select(Picture.relpath, Picture.state)).all())
    assert states[b"deep.tif"] == PictureState.FAILED


def test_a_file_that_is_missing_is_read_once_it_is_back(library: Library, folder: Path, encoder: FakeEncoder) -> None:
    index(library, folder, encoder)
    make_old(library, encoder)
    (folder / "deep.tif").rename(folder.parent / "away")
    index(library, folder, encoder, IndexSettings(workers=1))
    (folder.parent / "away").rename(folder / "deep.tif")
    index(library, folder, encoder, IndexSettings(workers=1))
    assert names(library, encoder, "green") == ["deep.tif"]
