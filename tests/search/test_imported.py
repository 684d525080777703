"""Searches in a space of imported vectors: by stored content or vector, never by text."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidQuery, ModelUnavailable, SpaceMismatch
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher
from store import Library
from store.exchange import ImportSettings, import_vectors, open_vectors

VECTORS = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0, 1]], np.float32)


@pytest.fixture
def searcher(library: Library, album: Path, tmp_path: Path) -> Searcher:
    """Two pictures and two documents, with vectors of three numbers."""
    index(library, [album], FakeEncoder())
    np.save(tmp_path / "v.npy", VECTORS)
    (tmp_path / "paths").write_text("red.png\nblue.png\nfirst\nsecond\n")
    source = open_vectors(tmp_path / "v.npy", tmp_path / "paths", as_paths=True)
    import_vectors(library, source, "elsewhere", ImportSettings(root=album, activate=True))
    return Searcher(library)


def names(searcher: Searcher, image: Path | str) -> list[tuple[str, float]]:
    return [(Path(hit.name).name, round(hit.score, 6)) for hit in searcher.similar(image, k=3)]


def test_similar_to_picture_with_imported_vector(searcher: Searcher, album: Path) -> None:
    assert names(searcher, album / "red.png") == [("blue.png", 0.8), ("first", 0), ("second", 0)]


def test_similar_to_document(searcher: Searcher) -> None:
    assert names(searcher, "first") == [("blue.png", 0.6), ("red.png", 0), ("second", 0)]


def test_similar_to_a_file_outside_the_library_whose_path_was_imported(
    searcher: Searcher, library: Library, tmp_path: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is named by the absolute path, and the user names the file by any path."""
    file = paint(tmp_path / "outside.png", "white")
    np.save(tmp_path / "v.npy", VECTORS[:2])
    (tmp_path / "paths").write_text(f"{file}\n{tmp_path / 'gone.png'}\n")
    source = open_vectors(tmp_path / "v.npy", tmp_path / "paths", as_paths=True)
    import_vectors(library, source, "outside", ImportSettings())
    monkeypatch.chdir(tmp_path)
    outside = Searcher(library, space="outside")
    assert names(outside, file) == names(outside, "outside.png") == [("gone.png", 0.8)]


def test_nearest_to_vector(searcher: Searcher) -> None:
    hits = searcher.nearest(np.array([2, 2, 0], np.float16), k=2)
    assert [Path(hit.name).name for hit in hits] == ["blue.png", "red.png"]
    assert hits[0].score == pytest.approx(1.4 / 2**0.5)


@pytest.mark.parametrize("vector", [np.zeros(3), np.ones(4), np.ones((1, 3)), np.array([1, np.nan, 0])])
def test_invalid_query_vector_raises(searcher: Searcher, vector: np.ndarray) -> None:
    with pytest.raises(InvalidQuery, match="query vector"):
        searcher.nearest(vector)


def test_hit_is_document_or_picture(searcher: Searcher, album: Path) -> None:
    document, picture = searcher.nearest(VECTORS[2], k=2)
    assert (document.record.document, document.name, document.record.format) == ("first", "first", "")
    assert (picture.record.document, picture.name, picture.record.format) == (None, album / "blue.png", "PNG")


def test_text_query_raises(searcher: Searcher) -> None:
    with pytest.raises(ModelUnavailable, match="were imported") as caught:
        searcher.search("red")
    assert caught.value.name == "elsewhere"


def test_new_picture_raises(searcher: Searcher, album: Path) -> None:
    with pytest.raises(ModelUnavailable):
        searcher.similar(album / "green.png")


def test_neither_file_nor_document_raises(searcher: Searcher) -> None:
    with pytest.raises(InvalidQuery, match="no document with this ID"):
        searcher.similar("third")


def test_encoder_of_another_space_raises(searcher: Searcher, library: Library) -> None:
    with pytest.raises(SpaceMismatch):
        Searcher(library, FakeEncoder())


def test_document_id_is_unknown_in_another_space(library: Library, album: Path) -> None:
    index(library, [album], FakeEncoder())
    with pytest.raises(InvalidQuery, match=r"No such file or directory$"):
        Searcher(library, FakeEncoder()).similar("first")
