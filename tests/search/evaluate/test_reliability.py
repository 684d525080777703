"""Reliability of relevance: bins, intervals and the expected calibration error."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.evaluate.bootstrap import Resampling
from search.evaluate.datasets.base import Caption, Dataset
from search.evaluate.measurement import VectorMeasurement, measure_vectors
from search.evaluate.reliability import MAX_QUERIES, bin_results, measure_reliability
from search.relevance import Calibration, Scale

BACKGROUND = np.array([0.0, 1.0], np.float32)


def test_bins_and_error_by_hand() -> None:
    """Four results around 0.9, three of them right, and one at 0.15, which is wrong."""
    relevance = np.array([0.92, 0.94, 0.15, 0.96, 1.0])
    right = np.array([True, True, False, False, True])
    bins, error = bin_results(relevance, right, list("abcde"), Resampling())
    assert [(each.low, each.high, each.count) for each in bins] == [(0.1, 0.2, 1), (0.9, 1.0, 4)]
    assert bins[1].relevance == pytest.approx(0.955)
    assert (bins[0].share, bins[1].share) == (0, 0.75)
    # 4/5 * |0.75 - 0.955| + 1/5 * |0 - 0.15|
    assert error == pytest.approx(0.194)
    # Clopper-Pearson: none of 1, and 3 of 4 (table of the binomial distribution).
    assert bins[0].interval.high == pytest.approx(0.975)
    assert bins[1].interval.low == pytest.approx(0.1941, abs=1e-4)
    assert bins[1].interval.high == pytest.approx(0.9937, abs=1e-4)


def test_results_of_one_query_are_not_independent() -> None:
    """Twenty results of two queries: all of one are right, none of the other."""
    right = np.repeat([True, False], 10)
    (apart,), _ = bin_results(np.full(20, 0.55), right, list(map(str, range(20))), Resampling())
    (together,), _ = bin_results(np.full(20, 0.55), right, ["a"] * 10 + ["b"] * 10, Resampling())
    assert together.interval.low < apart.interval.low
    assert together.interval.high > apart.interval.high


def measurement_of(texts: list[str], vectors: np.ndarray, images: np.ndarray) -> VectorMeasurement:
    names = tuple(f"{row}.jpg" for row in range(len(images)))
    captions = tuple(Caption(str(row), text, "en", {names[row % len(names)]: 1}) for row, text in enumerate(texts))
    dataset = Dataset("data", "all", Path(), names, captions)
    return measure_vectors(dataset, "system", vectors, images, ["text-to-picture"])[0]


def test_relevance_is_that_of_search() -> None:
    """Words have the logit 2 * score, phrases none: "red car" is left out. Each result is counted once."""
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    measured = measurement_of(["red", "blue", "red car"], vectors, np.eye(2, dtype=np.float32))
    calibration = Calibration("w", BACKGROUND, {"word": Scale(2.0, 0.0, 0.0)})
    found = measure_reliability(measured, calibration)
    assert found is not None
    assert (found.queries, found.results, found.without_scale) == (2, 4, 1)
    high = 1 / (1 + math.exp(-2))
    assert [(each.count, each.share) for each in found.bins] == [(2, 0), (2, 1)]
    assert [each.relevance for each in found.bins] == [0.5, pytest.approx(high)]
    assert found.error == pytest.approx((0.5 + (1 - high)) / 2)
    assert measure_reliability(measured, replace(calibration, scales={"sentence": Scale(1, 0, 0)})) is None


def test_relevance_that_depends_on_tokens_is_that_of_search() -> None:
    """Articles have no tokens. Without a way to count tokens, such queries have no relevance."""
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    measured = measurement_of(["a red", "blue", "red car"], vectors, np.eye(2, dtype=np.float32))
    calibration = Calibration("w", BACKGROUND, {"word": Scale(2.0, 0.0, 0.0, tokens=-1.0)})
    assert measure_reliability(measured, calibration) is None
    found = measure_reliability(replace(measured, count_tokens=len), calibration)
    assert found is not None
    assert (found.queries, found.results, found.without_scale) == (2, 4, 1)
    # The logits of "a red" are 0 - log 3 and 2 - log 3, and those of "blue" 0 - log 4 and 2 - log 4.
    high = [1 / (1 + math.exp(math.log(tokens) - 2)) for tokens in (4, 3)]
    assert [each.relevance for each in found.bins] == pytest.approx([(1 / 4 + 1 / 5) / 2, *high])


@pytest.mark.parametrize("more", [0, 50])
def test_large_data_sets_are_sampled(more: int) -> None:
    count = MAX_QUERIES + more
    vectors = np.tile(np.array([[1, 0]], np.float32), (count, 1))
    measured = measurement_of(["red"] * count, vectors, np.eye(2, dtype=np.float32))
    found = measure_reliability(measured, Calibration("w", BACKGROUND, {"word": Scale(1.0, 0.0, 0.0)}))
    assert found is not None
    assert (found.queries, found.results) == (MAX_QUERIES, 2 * MAX_QUERIES)
    assert found.is_sample == (more > 0)
