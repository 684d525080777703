"""Ranks and their means."""

import numpy as np
import pytest

from training.scores import Scores, pessimistic_ranks


def test_ties_count_against_us() -> None:
    pictures = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    texts = np.array([[1, 0], [0.6, 0.8], [0, 0]], np.float32)
    # the first text scores 1, 1, 0: its picture shares first place, so it is second; the last text ties with all
    assert pessimistic_ranks(texts, pictures, np.array([0, 2, 1])).tolist() == [2, 1, 3]


def test_scores_of_four_ranks() -> None:
    scores = Scores.of(np.array([1, 2, 10, 20]))
    assert (scores.n, scores.recall_1, scores.recall_5, scores.recall_10) == (4, 1 / 4, 2 / 4, 3 / 4)
    assert scores.mrr == pytest.approx((1 + 1 / 2 + 1 / 10 + 1 / 20) / 4)
    assert scores.median_rank == (2 + 10) / 2
