"""Galleries in which documents have several vectors: the best one counts, as in a search."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import EvaluationError
from encoders.fake import FakeEncoder
from indexer import index
from search import Query, Searcher, SearchOptions
from search.evaluate.approximate import evaluate_approximate
from search.evaluate.datasets import Caption, Dataset
from search.evaluate.gallery import LibraryFrameGallery, LibraryGallery, open_gallery
from search.evaluate.judgement_pool import pool_results
from search.evaluate.judgement_set import list_pictures
from search.evaluate.library_evaluation import measure
from search.evaluate.measurement import measure_approximate
from search.evaluate.ranks import relevant_ranks
from search.evaluate.scoring import LabelledVectors, evaluate_dataset
from search.evaluate.systems import RetrievalSystem
from search.evaluate.vector_blocks import BlockSizes, FrameGallery, iter_documents, top_k
from store import Library
from store.spaces import index_cache
from store.spaces.approximation import update_approximation
from store.spaces.registry import StoredSpace, named_space
from tests.support.frame_files import write_pages
from tests.support.frames import add_pages

Floats = NDArray[np.float32]


class ArrayFrames(FrameGallery):
    """The vectors (F, D) of documents with these numbers of frames."""

    def __init__(self, vectors: Floats, counts: list[int]) -> None:
        self._vectors = vectors
        self._counts = np.array(counts, np.int64)

    @property
    def counts(self) -> NDArray[np.int64]:
        return self._counts

    def __iter__(self) -> Iterator[Floats]:
        yield self._vectors[np.cumsum(self._counts) - self._counts]

    def frame_blocks(self, size: int) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        start = row = 0
        while start < len(self._counts):
            stop = start + 1
            while stop < len(self._counts) and self._counts[start : stop + 1].sum() <= size:
                stop += 1
            counts = self._counts[start:stop]
            yield self._vectors[row : row + counts.sum()], counts
            start, row = stop, row + int(counts.sum())

    def scores(self, queries: Floats) -> NDArray[np.float64]:
        """The best score (Q, N) of each document, by definition."""
        ends = np.cumsum(self._counts)
        scores = (queries[:, None].astype(np.float64) * self._vectors[None]).sum(axis=2)
        parts = [scores[:, end - count : end].max(axis=1) for end, count in zip(ends, self._counts, strict=True)]
        return np.stack(parts, axis=1)


counts = st.lists(st.sampled_from([1, 1, 2, 5]), min_size=1, max_size=25)


def made(seed: int, frames: list[int], dim: int, whole: bool) -> tuple[Floats, ArrayFrames]:
    """Return queries (5, D) and a gallery; small whole numbers often tie."""
    random = np.random.default_rng(seed)
    if whole:
        queries, vectors = (random.integers(-2, 3, (n, dim)).astype(np.float32) for n in (5, sum(frames)))
    else:
        queries, vectors = (random.normal(size=(n, dim)).astype(np.float32) for n in (5, sum(frames)))
        vectors = vectors[random.integers(len(vectors), size=len(vectors))]
    return queries, ArrayFrames(vectors, frames)


@given(st.integers(0, 2**32), counts, st.integers(1, 6), st.booleans(), st.integers(1, 4), st.integers(1, 30))
@settings(deadline=None, max_examples=60)
def test_ranks_are_those_of_the_best_frames(
    seed: int, frames: list[int], dim: int, whole: bool, some: int, block: int
) -> None:
    queries, gallery = made(seed, frames, dim, whole)
    random = np.random.default_rng(seed + 1)
    relevant = [
        {int(row): int(random.integers(1, 4)) for row in random.permutation(len(frames))[: random.integers(13)]}
        for _ in queries
    ]
    found = relevant_ranks(queries, gallery, relevant, BlockSizes(some, block), rows=len(frames))
    for scores, judged, ranks in zip(gallery.scores(queries), relevant, found, strict=True):
        order = sorted(range(len(frames)), key=lambda row: (-scores[row], judged.get(row, 0)))
        expected = [(place, judged[row]) for place, row in enumerate(order, start=1) if row in judged]
        assert list(zip(ranks.ranks.tolist(), ranks.grades.tolist(), strict=True)) == expected


@given(st.integers(0, 2**32), counts, st.integers(1, 6), st.integers(1, 30), st.integers(1, 30))
@settings(deadline=None, max_examples=40)
def test_first_documents_are_those_of_the_best_frames(
    seed: int, frames: list[int], dim: int, k: int, block: int
) -> None:
    queries, gallery = made(seed, frames, dim, whole=True)  # whole numbers are exact in 32 bits
    expected = gallery.scores(queries)
    order = np.argsort(-expected, axis=1, kind="stable")[:, :k]
    scores, rows = top_k(queries, gallery, k, BlockSizes(2, block))
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_array_equal(scores, np.take_along_axis(expected, order, axis=1))


def test_galleries_of_one_vector_each_are_not_grouped() -> None:
    """Their products are used as they are, so that evaluations of stills keep every bit and their speed."""
    blocks = list(iter_documents(np.eye(5, dtype=np.float32), 2))
    assert [(block.start, len(block), block.firsts) for block in blocks] == [(0, 2, None), (2, 2, None), (4, 1, None)]


def test_ranks_computed_by_hand() -> None:
    """The relevant document has its best frame last; the other one would come first by its first frame."""
    vectors = np.array([[0, 1], [0.6, 0.8], [1, 0], [0.8, 0.6], [0, 1]], np.float32)
    gallery = ArrayFrames(vectors, [3, 2])
    (ranks,) = relevant_ranks(np.array([[1, 0]], np.float32), gallery, [{0: 1}])
    assert ranks.ranks.tolist() == [1]
    with pytest.raises(EvaluationError, match="3 documents, but 2 vectors"):
        relevant_ranks(np.array([[1, 0]], np.float32), gallery, [{0: 1}], rows=3)


def test_bad_further_vectors_are_rejected() -> None:
    gallery = ArrayFrames(np.array([[0, 1], [np.nan, 0]], np.float32), [2])
    with pytest.raises(EvaluationError, match="finite"):
        top_k(np.eye(1, 2, dtype=np.float32), gallery, 1)


def dataset(images: tuple[str, ...], root: Path = Path("/pictures")) -> Dataset:
    captions = tuple(Caption(f"q{n}", Path(image).stem, "en", {image: 1}) for n, image in enumerate(images))
    return Dataset("data", "dev", root, images, captions)


@pytest.mark.parametrize("depth", [2, 5, 40])
def test_approximate_index_returns_each_document_once(depth: int) -> None:
    random = np.random.default_rng(0)
    frames = [1, 7, 2, 1, 3] * 8
    vectors = random.normal(size=(sum(frames), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery = ArrayFrames(vectors, frames)
    data = dataset(tuple(f"{n}.jpg" for n in range(len(frames))))
    texts = random.normal(size=(len(frames), 16)).astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    exact = evaluate_dataset(data, texts, gallery, "fake")
    queries = LabelledVectors([caption.id for caption in data.captions], texts)
    images = LabelledVectors(data.images, gallery)
    (found,) = evaluate_approximate(exact, queries, images, data.qrels(), "Flat", depth)
    before = exact[-1].first_ranks
    assert found.first_ranks.tolist() == np.where(before > depth, np.inf, before).tolist()


# --- in a library


@pytest.fixture
def pages(library: Library, album: Path, encoder: FakeEncoder) -> StoredSpace:
    """Two scans with several pages, next to four pictures of colours."""
    write_pages(album / "first.tif", "white", "red", "blue")
    write_pages(album / "second.tif", "black", "white")
    index(library, [album], encoder)
    return named_space(library, "fake")


IMAGES = ("second.tif", "green.png", "first.tif", "more/yellow.png")


def test_gallery_of_a_library_has_all_frames(
    library: Library, pages: StoredSpace, album: Path, encoder: FakeEncoder
) -> None:
    gallery = open_gallery(library, pages, dataset(IMAGES, album))
    assert isinstance(gallery, LibraryFrameGallery)
    assert gallery.counts.tolist() == [2, 1, 3, 1]
    texts = encoder.encode_texts(["white", "blue", "yellow"])
    everything = [vectors for vectors, _ in gallery.frame_blocks(3)]
    assert [len(vectors) for vectors in everything] == [3, 3, 1]
    scores, rows = top_k(texts, gallery, 1)
    assert [IMAGES[row] for row in rows[1:, 0]] == ["first.tif", "more/yellow.png"]
    assert IMAGES[rows[0, 0]] in ("first.tif", "second.tif")
    answers = [Searcher(library, encoder).search(text, k=1)[0].score for text in ("white", "blue", "yellow")]
    np.testing.assert_allclose(scores[:, 0], answers, atol=2e-3)
    firsts = np.concatenate(list(gallery))
    np.testing.assert_array_equal(firsts[2], everything[1][0])  # the first page of first.tif
    ((some, counts),) = gallery.subset(np.array([2, 0])).frame_blocks(9)
    assert counts.tolist() == [3, 2]
    np.testing.assert_array_equal(some, np.concatenate([everything[1], everything[0][:2]]))


def test_stills_of_a_library_with_frames_are_an_ordinary_gallery(
    library: Library, pages: StoredSpace, album: Path
) -> None:
    gallery = open_gallery(library, pages, dataset(("red.png", "green.png"), album))
    assert type(gallery) is LibraryGallery


def test_evaluation_ranks_as_a_search_does(
    library: Library, pages: StoredSpace, album: Path, encoder: FakeEncoder
) -> None:
    """Each caption is the name of a colour; the picture that a search finds first has rank 1."""
    images = (*IMAGES, "red.png", "blue.png")
    names = ["white", "green", "blue", "red", "yellow"]
    captions = tuple(Caption(name, name, "en", {"first.tif": 1}) for name in names)
    data = Dataset("album", "all", album, images, captions)
    system = RetrievalSystem(library, pages, encoder)
    there, back = measure(system, data, ["text-to-picture", "picture-to-text"])
    searcher, everything = Searcher(library, encoder), SearchOptions(k=20, collapse_duplicates=False)
    for name, first in zip(names, there.pooled.first_ranks, strict=True):
        hits = searcher.search(name, everything)
        (own,) = [hit for hit in hits if hit.path.name == "first.tif"]
        assert first == sum(hit.score >= own.score for hit in hits)  # ties count against the system
        ((image, score),) = there.ranking([name], 1)[name].items()
        assert Path(image).name in {hit.path.name for hit in hits if hit.score == hits[0].score}
        assert score == pytest.approx(hits[0].score, abs=1e-3)  # a search limits scores to 1
    approximate = measure_approximate(there, "Flat", 20)
    assert approximate.pooled.first_ranks.tolist() == there.pooled.first_ranks.tolist()
    # In the other direction, a picture is the query, by its first frame, as in `similar`.
    assert back.ranking(["first.tif"], 1)["first.tif"].keys() == {"white"}


def test_pools_have_each_picture_once(library: Library, pages: StoredSpace, encoder: FakeEncoder) -> None:
    (pool,) = pool_results(library, [(pages, encoder)], {"q": "white"}, depth=3)
    records = pool.records
    assert len(records) == 3
    names, left_out = list_pictures(library, [pages])
    assert (len(names), left_out) == (6, 0)


def test_pool_asks_for_more_where_one_picture_fills_the_first_places(
    library: Library, album: Path, encoder: FakeEncoder
) -> None:
    index(library, [album], encoder)
    stored = named_space(library, "fake")
    (red,) = Searcher(library, encoder).search(Query.of("red"), k=1)
    add_pages(library, stored, red.id, np.repeat(encoder.encode_texts(["red"]), 9, axis=0))
    (pool,) = pool_results(library, [(stored, encoder)], {"q": "red"}, depth=3)
    records = pool.records
    assert len(records) == 3
    assert red.id in {record.id for record in records}


def test_pools_are_found_by_exact_search(
    library: Library, pages: StoredSpace, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", "auto:1")
    assert update_approximation(library, pages)
    assert not index_cache.load(library, pages).index.search(encoder.encode_texts(["white"]), 3).complete

    def refused(*_: object) -> None:
        raise AssertionError("searched with inverted lists")

    monkeypatch.setattr("store.spaces.layered_index.LayeredIndex._approximate", refused)
    (pool,) = pool_results(library, [(pages, encoder)], {"q": "white"}, depth=3)
    assert len(pool.records) == 3
