"""The vectors of a data set's pictures, from a library that indexed or imported them."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import EvaluationError, MissingVectors
from encoders.fake import FakeEncoder
from indexer import index
from search.evaluate.datasets import Caption, Dataset
from search.evaluate.gallery import open_gallery
from search.evaluate.ranks import relevant_ranks
from search.evaluate.scoring import evaluate_dataset
from store import Library
from store.exchange import import_vectors, open_vectors
from store.spaces.embeddings import delete_vectors
from store.spaces.named_contents import embedded_contents
from store.spaces.registry import StoredSpace, active_space, named_space


@pytest.fixture
def stored(library: Library, album: Path, encoder: FakeEncoder) -> StoredSpace:
    shutil.copy(album / "red.png", album / "copy of red.png")
    index(library, [album], encoder)
    found = active_space(library)
    assert found is not None
    return found


def dataset(root: Path, *images: str) -> Dataset:
    captions = tuple(Caption(image, Path(image).stem, "en", {image: 1}) for image in images)
    return Dataset("album", "all", root, images, captions)


def vectors_of(encoder: FakeEncoder, *paths: Path) -> NDArray[np.float32]:
    return encoder.encode_images([Image.open(path) for path in paths]).astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("block_size", [3, 4096])
def test_vectors_are_in_the_order_of_the_data_set(
    library: Library, stored: StoredSpace, album: Path, encoder: FakeEncoder, block_size: int
) -> None:
    """Copies share a vector; the folder may be named by a detour."""
    images = ("more/yellow.png", "red.png", "blue.png", "copy of red.png", "green.png")
    expected = vectors_of(encoder, *(album / image for image in images))
    for root in (album, album / ".." / album.name):
        vectors = open_gallery(library, stored, dataset(root, *images), block_size)
        assert len(vectors) == 5
        for _ in range(2):
            np.testing.assert_array_equal(np.concatenate(list(vectors)), expected)


def test_missing_pictures_are_named(library: Library, stored: StoredSpace, album: Path) -> None:
    with pytest.raises(MissingVectors, match=r"2 pictures have no vector in fake.*: pink.png, more/red.png") as caught:
        open_gallery(library, stored, dataset(album, "pink.png", "red.png", "more/red.png"))
    assert caught.value.missing == ("pink.png", "more/red.png")
    with pytest.raises(MissingVectors):
        open_gallery(library, stored, dataset(album.parent, "red.png"))


def test_names_that_are_not_utf_8_are_found(
    library: Library, stored: StoredSpace, album: Path, encoder: FakeEncoder
) -> None:
    odd = os.fsdecode(b"\xff.png")
    try:
        shutil.copy(album / "red.png", album / odd)
    except OSError:
        pytest.skip("the file system accepts only names in UTF-8")
    index(library, [album], encoder)
    found = open_gallery(library, stored, dataset(album, "blue.png", odd, "red.png"))
    blue, copy, red = np.concatenate(list(found))
    assert np.array_equal(copy, red)
    assert not np.array_equal(copy, blue)


def test_some_documents_are_read_without_the_others(library: Library, stored: StoredSpace, album: Path) -> None:
    """Ranks are those of a gallery that is read completely, and so is the message for a broken vector."""
    images = ("more/yellow.png", "red.png", "blue.png", "green.png")
    gallery = open_gallery(library, stored, dataset(album, *images), block_size=2)
    everything = np.concatenate(list(gallery))
    np.testing.assert_array_equal(np.concatenate(list(gallery.subset(np.array([3, 0])))), everything[[3, 0]])
    relevant = [{3: 1}, {3: 1}]
    ranked = relevant_ranks(everything[:2], gallery, relevant)
    assert [ranks.ranks.tolist() for ranks in ranked] == [
        ranks.ranks.tolist() for ranks in relevant_ranks(everything[:2], everything, relevant)
    ]
    with library.exclusive() as writer, writer.transaction() as connection:
        delete_vectors(connection, stored, np.array(embedded_contents(library, stored, album, ["green.png"])))
    with pytest.raises(EvaluationError, match="Rows 2 to 3 of the gallery are not vectors"):
        relevant_ranks(everything[:2], gallery, relevant)


def test_text_queries_find_pictures(library: Library, stored: StoredSpace, album: Path, encoder: FakeEncoder) -> None:
    """The fake model knows the colours by name. Red occurs twice, so each query for it ties with the copy."""
    everything = dataset(album, "blue.png", "green.png", "more/yellow.png", "red.png")
    texts = encoder.encode_texts(["blue", "green", "yellow", "red"])
    (found,) = evaluate_dataset(everything, texts, open_gallery(library, stored, everything), "fake")
    assert found.first_ranks.tolist() == [1, 1, 1, 1]
    twice = dataset(album, "blue.png", "red.png", "copy of red.png")
    texts = encoder.encode_texts(["blue", "red", "red"])
    (found,) = evaluate_dataset(twice, texts, open_gallery(library, stored, twice), "fake")
    assert found.first_ranks.tolist() == [1, 2, 2]


def test_imported_documents_are_found_by_id(
    library: Library, stored: StoredSpace, tmp_path: Path, album: Path, encoder: FakeEncoder
) -> None:
    """Documents are found by their ids, in the space they came with and in no other."""
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0].astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    (tmp_path / "ids.txt").write_text("".join(f"doc {n}\n" for n in range(5)), encoding="utf-8")
    import_vectors(library, open_vectors(tmp_path / "vectors.npy", tmp_path / "ids.txt"), "theirs")
    theirs = named_space(library, "theirs")
    images = ("doc 3", "doc 0", "doc 4", "doc 1")
    found = open_gallery(library, theirs, dataset(tmp_path, *images))
    np.testing.assert_array_equal(np.concatenate(list(found)), vectors[[3, 0, 4, 1]])
    with pytest.raises(MissingVectors, match=r"1 pictures have no vector in theirs.*: doc 9"):
        open_gallery(library, theirs, dataset(tmp_path, "doc 1", "doc 9"))
    with pytest.raises(MissingVectors, match=r"1 pictures have no vector in fake.*: doc 1"):
        open_gallery(library, stored, dataset(album, "red.png", "doc 1"))
    with pytest.raises(MissingVectors, match=r"1 pictures have no vector in theirs.*: red.png"):
        open_gallery(library, theirs, dataset(album, "red.png"))
