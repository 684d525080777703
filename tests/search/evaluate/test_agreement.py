"""Cohen's kappa: worked out by hand, and as scikit-learn computes it."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from core.errors import EvaluationError
from search.evaluate.agreement import measure_agreement


def test_kappa_worked_out_by_hand() -> None:
    """Agreed on 20 + 15 of 50; right by chance 25/50 * 30/50, wrong 25/50 * 20/50: (0.7 - 0.5) / (1 - 0.5) = 0.4."""
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    first = {"q": {str(row): pair[0] for row, pair in enumerate(pairs)}}
    second = {"q": {str(row): pair[1] for row, pair in enumerate(pairs)}, "other": {"1": 1}}
    agreement = measure_agreement(first, second)
    assert (agreement.judged, agreement.observed) == (50, 0.7)
    assert agreement.kappa == pytest.approx(0.4)
    assert (agreement.only_first, agreement.only_second, agreement.queries) == (5, 10, 1)
    assert math.isnan(agreement.low)
    assert len(agreement.disputed) == 15
    assert ("q", "20") in agreement.disputed


@pytest.mark.parametrize("seed", range(5))
def test_kappa_of_scikit_learn(seed: int) -> None:
    """Documents that only one of them has judged do not count. Grades above 1 are right, too."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, (12, 9))
    first = {
        f"q{query}": {f"d{number}": int(2 * value) for number, value in enumerate(of)} for query, of in enumerate(truth)
    }
    noisy = np.where(random.random((12, 9)) < 0.25, 1 - truth, truth)
    second = {
        f"q{query}": {f"d{number}": int(value) for number, value in enumerate(of)} for query, of in enumerate(noisy)
    }
    second["q0"].pop("d0")
    agreement = measure_agreement(first, second)
    assert agreement.kappa == pytest.approx(cohen_kappa_score(truth.ravel()[1:], noisy.ravel()[1:]), abs=1e-12)
    assert agreement.low < agreement.kappa < agreement.high


def test_agreement_by_chance_alone_has_no_kappa() -> None:
    everything_right = {"a": {"1": 1, "2": 1}, "b": {"1": 1}}
    agreement = measure_agreement(everything_right, everything_right)
    assert (agreement.observed, agreement.both_right) == (1.0, 3)
    assert math.isnan(agreement.kappa)


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="no picture in common"):
        measure_agreement({"a": {"1": 1}}, {"a": {"2": 1}, "b": {"1": 0}})
