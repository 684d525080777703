"""The top k of a gallery, compared with a plain sort."""

import numpy as np
import pytest

from search.evaluate.vector_blocks import BlockSizes, top_k


@pytest.mark.parametrize("k", [1, 5, 49, 50, 80])
@pytest.mark.parametrize("sizes", [BlockSizes(), BlockSizes(3, 7)])
def test_top_k_equals_sorting_all_scores(k: int, sizes: BlockSizes) -> None:
    random = np.random.default_rng(0)
    queries, gallery = random.normal(size=(8, 16)).astype(np.float32), random.normal(size=(50, 16)).astype(np.float32)
    scores, rows = top_k(queries, gallery, k, sizes)
    matrix = queries @ gallery.T  # (8, 50)
    expected = np.argsort(-matrix, axis=1)[:, :k]
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(scores, np.take_along_axis(matrix, expected, axis=1), atol=1e-6)


def test_equal_scores_are_ordered_by_row() -> None:
    gallery = np.array([[0, 1], [1, 0], [0, 1], [1, 0], [1, 0]], np.float32)
    scores, rows = top_k(np.array([[1, 0]], np.float32), gallery, 4, BlockSizes(1, 2))
    assert rows.tolist() == [[1, 3, 4, 0]]
    assert scores.tolist() == [[1, 1, 1, 0]]


def test_k_must_be_positive() -> None:
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        top_k(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), 0)
