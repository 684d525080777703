"""Quantiles and probabilities equal those of SciPy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from search.evaluate.quantiles import beta_quantile, binomial_cdf, incomplete_beta, student_quantile

PARAMETERS = st.floats(0.3, 30_000)
PROBABILITIES = st.floats(0.001, 0.999)


@given(PROBABILITIES, PARAMETERS, PARAMETERS)
def test_beta_quantiles_equal_those_of_scipy(p: float, a: float, b: float) -> None:
    assert beta_quantile(p, a, b) == pytest.approx(stats.beta.ppf(p, a, b), abs=1e-9)


@given(PROBABILITIES, PARAMETERS, PARAMETERS)
def test_incomplete_beta_function_equals_that_of_scipy(x: float, a: float, b: float) -> None:
    assert incomplete_beta(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-9)


def test_incomplete_beta_function_beyond_its_ends() -> None:
    assert [incomplete_beta(x, 2, 3) for x in (-1, 0, 1, 2)] == [0, 0, 1, 1]


@pytest.mark.parametrize("degrees", [1, 2, 5, 30, 1000, 100_000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_student_quantiles_equal_those_of_scipy(level: float, degrees: int) -> None:
    assert student_quantile(level, degrees) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), rel=1e-9)


@pytest.mark.parametrize(("trials", "p"), [(1, 0.5), (7, 0.5), (40, 0.1), (1000, 0.5)])
def test_binomial_probabilities_equal_those_of_scipy(trials: int, p: float) -> None:
    for successes in (-1, 0, trials // 3, trials // 2, trials - 1, trials):
        expected = stats.binom.cdf(successes, trials, p)
        assert math.isclose(binomial_cdf(successes, trials, p), expected, abs_tol=1e-12)
