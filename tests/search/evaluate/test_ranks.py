"""Ranks compared with a plain sort of the whole matrix, with blocks of every shape."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.ranks import Ranks, relevant_ranks
from search.evaluate.vector_blocks import BlockSizes

Floats = NDArray[np.float32]
Judged = list[dict[int, int]]


def sorted_ranks(queries: Floats, gallery: Floats, relevant: Judged) -> list[Ranks]:
    """By definition: best score first; of equal scores irrelevant documents first, then the lowest grade first."""
    scores = (queries[:, None].astype(np.float64) * gallery[None].astype(np.float64)).sum(axis=2)  # (Q, N)
    found = []
    for row, judged in zip(scores, relevant, strict=True):
        order = sorted(range(len(gallery)), key=lambda column: (-row[column], judged.get(column, 0)))
        places = [(place, judged[column]) for place, column in enumerate(order, start=1) if column in judged]
        found.append(Ranks.of([place for place, _ in places], [grade for _, grade in places]))
    return found


def assert_same(found: list[Ranks], expected: list[Ranks]) -> None:
    assert [ranks.ranks.tolist() for ranks in found] == [ranks.ranks.tolist() for ranks in expected]
    assert [ranks.grades.tolist() for ranks in found] == [ranks.grades.tolist() for ranks in expected]


def random_judgements(random: np.random.Generator, queries: int, gallery: int) -> Judged:
    return [
        {int(row): int(random.integers(1, 4)) for row in random.permutation(gallery)[: random.integers(gallery + 1)]}
        for _ in range(queries)
    ]


def test_ranks_computed_by_hand() -> None:
    """Scores of the only query: 0.6, 0.8, 0.6, 1.0, 0.6, 0.0. Relevant: 0 (grade 2), 2 (grade 1), 5."""
    gallery = np.array([[0.6, 0.8], [0.8, 0.6], [0.6, -0.8], [1, 0], [0.6, 0.8], [0, 1]], np.float32)
    (found,) = relevant_ranks(np.array([[1, 0]], np.float32), gallery, [{0: 2, 2: 1, 5: 3}])
    # 3, 1, then the tie: 4 is not relevant, 2 has the lower grade, 0 the higher; then 5.
    assert found.ranks.tolist() == [4, 5, 6]
    assert found.grades.tolist() == [1, 2, 3]
    assert found.first == 4


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 40), st.integers(1, 6), st.booleans())
@settings(deadline=None, max_examples=60)
def test_ranks_equal_sorting_all_scores(seed: int, queries: int, gallery: int, dim: int, whole: bool) -> None:
    """Small whole numbers often tie; of the other vectors some occur several times."""
    random = np.random.default_rng(seed)
    if whole:
        left, right = (random.integers(-2, 3, (rows, dim)).astype(np.float32) for rows in (queries, gallery))
    else:
        left, right = (random.normal(size=(rows, dim)).astype(np.float32) for rows in (queries, gallery))
        right = right[random.integers(gallery, size=gallery)]
    relevant = random_judgements(random, queries, gallery)
    sizes = BlockSizes(int(random.integers(1, 9)), int(random.integers(1, 30)))
    assert_same(relevant_ranks(left, right, relevant, sizes), sorted_ranks(left, right, relevant))


@pytest.mark.parametrize("sizes", [BlockSizes(), BlockSizes(7, 13), BlockSizes(64, 100), BlockSizes(1, 333)])
def test_equal_vectors_tie_in_any_block(sizes: BlockSizes) -> None:
    """A picture that occurs forty times among a thousand is ranked as the last of the forty, in 512 dimensions."""
    random = np.random.default_rng(0)
    gallery = random.normal(size=(1000, 512)).astype(np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    copies = random.permutation(1000)[:40]
    gallery[copies] = gallery[copies[0]]
    queries = (gallery[copies[0]] + random.normal(size=(65, 512)) * 0.01).astype(np.float32)
    found = relevant_ranks(queries, gallery, [{int(copies[q % 40]): 1} for q in range(65)], sizes)
    assert [ranks.first for ranks in found] == [40] * 65


def test_scores_closer_than_32_bits_are_ranked_exactly() -> None:
    """Two vectors whose scores differ by less than the precision of a 32-bit product are still ranked correctly."""
    gallery = np.ones((3, 300), np.float32)
    gallery[0, 7] += np.float32(2**-22)
    gallery[2, 9] -= np.float32(2**-22)
    query = np.ones((1, 300), np.float32)
    assert [relevant_ranks(query, gallery, [{row: 1}])[0].first for row in range(3)] == [1, 2, 3]


class Blocks:
    """A gallery in parts of uneven length, which can be iterated several times."""

    def __init__(self, gallery: NDArray[np.floating]) -> None:
        self.gallery = gallery

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield from np.split(self.gallery, [0, 3, 4, 30])


def test_gallery_can_come_in_parts_or_from_a_memory_map(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    gallery = random.normal(size=(40, 8)).astype(np.float16)
    queries = random.normal(size=(9, 8)).astype(np.float32)
    relevant = random_judgements(random, 9, 40)
    expected = sorted_ranks(queries, gallery.astype(np.float32), relevant)
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    for same in (gallery, Blocks(gallery), list(gallery[:, None]), mapped):
        assert_same(relevant_ranks(queries, same, relevant, BlockSizes(4, 11)), expected)


def test_no_relevant_documents_and_no_queries() -> None:
    gallery = np.eye(3, dtype=np.float32)
    nothing, one = relevant_ranks(gallery[:2], gallery, [{}, {1: 1}])
    assert nothing.ranks.tolist() == []
    assert nothing.first == np.inf
    assert one.ranks.tolist() == [1]
    assert relevant_ranks(np.empty((0, 3), np.float32), gallery, []) == []


def test_invalid_vectors_and_rows_are_rejected() -> None:
    gallery = np.eye(3, dtype=np.float32)
    broken = gallery.copy()
    broken[1, 1] = np.nan
    with pytest.raises(EvaluationError, match="Rows 0 to 2 of the gallery are not vectors of finite numbers"):
        relevant_ranks(gallery, broken, [{0: 1}] * 3)
    with pytest.raises(EvaluationError, match="The queries are not vectors"):
        relevant_ranks(broken, gallery, [{0: 1}] * 3)
    with pytest.raises(EvaluationError, match="The gallery has no row 3"):
        relevant_ranks(gallery, gallery, [{3: 1}, {0: 1}, {0: 1}])
    with pytest.raises(EvaluationError, match="runs only once"):
        relevant_ranks(gallery, iter([gallery]), [{0: 1}] * 3)
    with pytest.raises(EvaluationError, match="3 queries, but judgements for 1"):
        relevant_ranks(gallery, gallery, [{0: 1}])
    with pytest.raises(EvaluationError, match="4 dimensions, but the gallery has 3"):
        relevant_ranks(np.eye(4, dtype=np.float32), gallery, [{0: 1}] * 4)
