"""Queries by one frame of a file that has several."""

from pathlib import Path

import pytest

from core.errors import ContentNotEmbedded, InvalidQuery
from encoders.fake import FakeEncoder
from search import Crop, ImageInput, Part, Query, Searcher, SearchOptions, StoredInput
from store import Library
from tests.support.frame_files import index_files, write_pages


@pytest.fixture
def pages(album: Path) -> Path:
    """A TIFF of three pages next to the four pictures."""
    return write_pages(album / "scan.tif", "white", "blue", "red")


def first(searcher: Searcher, source: StoredInput | ImageInput, options: SearchOptions) -> list[tuple[str, int]]:
    hits = searcher.search(Query((Part(source),)), options)
    return [(hit.path.name, 0 if hit.frame is None else hit.frame.number) for hit in hits]


def test_query_by_stored_frame_uses_its_vector(library: Library, pages: Path, encoder: FakeEncoder) -> None:
    ids = index_files(library, pages.parent, encoder)
    searcher, options = Searcher(library), SearchOptions(k=2, every_frame=True)  # without the model
    for frame, copy in ((1, "blue.png"), (2, "red.png")):
        for source in (StoredInput(ids["scan.tif"], frame), ImageInput(pages, frame=frame)):
            assert sorted(first(searcher, source, options)) == [(copy, 0), ("scan.tif", frame)]


def test_similar_to_a_frame_excludes_the_whole_file(library: Library, pages: Path, encoder: FakeEncoder) -> None:
    index_files(library, pages.parent, encoder)
    searcher = Searcher(library, encoder)
    hits = searcher.similar(pages, SearchOptions(every_frame=True), frame=2)
    assert hits[0].path.name == "red.png"
    assert "scan.tif" not in {hit.path.name for hit in hits}


def test_new_file_and_region_are_embedded_from_the_frame(
    library: Library, pages: Path, tmp_path: Path, encoder: FakeEncoder
) -> None:
    index_files(library, pages.parent, encoder)
    searcher, options = Searcher(library, encoder), SearchOptions(k=1)
    new = write_pages(tmp_path / "new.tif", "red", "blue", sizes=((8, 8), (20, 8)))
    assert first(searcher, ImageInput(new, frame=1), options) == [("blue.png", 0)]
    assert first(searcher, ImageInput(new, Crop(12, 0, 8, 8), 1), options) == [("blue.png", 0)]
    with pytest.raises(InvalidQuery, match="outside"):  # the first page is smaller
        first(searcher, ImageInput(new, Crop(12, 0, 8, 8)), options)


def test_unknown_frame_raises(library: Library, pages: Path, encoder: FakeEncoder) -> None:
    ids = index_files(library, pages.parent, encoder)
    searcher, options = Searcher(library, encoder), SearchOptions()
    with pytest.raises(ContentNotEmbedded, match="no vector of frame 4"):
        first(searcher, StoredInput(ids["scan.tif"], 3), options)
    with pytest.raises(InvalidQuery, match="no frame 4"):
        searcher.similar(pages, options, frame=3)
    with pytest.raises(InvalidQuery, match="counted from 1"):
        StoredInput(1, -1)


def test_large_id_is_not_read_as_a_frame_of_another_picture(
    library: Library, pages: Path, encoder: FakeEncoder
) -> None:
    ids = index_files(library, pages.parent, encoder)
    with pytest.raises(ContentNotEmbedded):
        first(Searcher(library), StoredInput(ids["scan.tif"] | 1 << 40), SearchOptions())
