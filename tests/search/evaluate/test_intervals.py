"""Confidence intervals: by hand, by SciPy, and how often they contain the true value in simulations."""

from collections.abc import Callable
from itertools import pairwise
from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from search.evaluate.bootstrap import Resampling
from search.evaluate.intervals import Interval, confidence_intervals, difference_intervals, proportion_interval
from search.evaluate.metrics import Metric, parse_metric

MRR, RECALL, MEDIAN, MEAN_RANK = map(parse_metric, ("mrr", "recall@1", "median_rank", "mean_rank"))

Values = NDArray[np.float64]


def interval(
    metric: Metric, values: Values, clusters: list[int] | None = None, candidates: int = 100, resamples: int = 2000
) -> Interval:
    (found,) = confidence_intervals([(metric, values)], candidates, clusters, Resampling(resamples))
    return found


def difference(metric: Metric, left: Values, right: Values, candidates: int = 100) -> Interval:
    (found,) = difference_intervals([(metric, left, right)], candidates)
    return found


@pytest.mark.parametrize(("successes", "trials"), [(0, 20), (1, 20), (7, 20), (20, 20), (499, 500)])
def test_proportion_interval_equals_the_exact_one_of_scipy(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    found = proportion_interval(successes, trials)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    values = np.repeat([1.0, 0.0], [successes, trials - successes])
    assert interval(RECALL, values) == found


def test_interval_of_a_mean_agrees_with_theory() -> None:
    """Of 400 values with standard deviation s: mean +- 1.97 s / 20 (Student)."""
    values = np.random.default_rng(0).normal(0.5, 0.2, 400)
    found = interval(MRR, values, resamples=4000)
    half = 1.97 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=half / 10)
    assert found.high == pytest.approx(values.mean() + half, abs=half / 10)


def test_interval_of_a_skewed_mean_equals_the_bca_interval_of_scipy() -> None:
    """Up to the expansion for 60 values: 2.001 x sqrt(60 / 59) instead of 1.96 standard errors, a level of 0.9562."""
    values = np.random.default_rng(5).beta(0.5, 3, 60)
    found = interval(MRR, values, resamples=20_000)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=0.9562, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.002)
    assert found.high - values.mean() > values.mean() - found.low  # values are skewed upwards


def test_clustered_queries_widen_the_interval() -> None:
    """If all captions of a picture have the same value, the interval is that of the pictures: sqrt(5) times wider."""
    pictures = np.random.default_rng(1).random(200)
    values, clusters = np.repeat(pictures, 5), [number // 5 for number in range(1000)]
    alone, together = (interval(MRR, values, names, resamples=4000) for names in (None, clusters))
    assert interval(MRR, pictures, resamples=4000) == Interval(
        pytest.approx(together.low),  # type: ignore[arg-type]
        pytest.approx(together.high),  # type: ignore[arg-type]
    )
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(5**0.5, rel=0.05)


@pytest.mark.parametrize("metric", [RECALL, MEDIAN])
def test_captions_that_agree_count_as_one(metric: Metric) -> None:
    pictures = np.random.default_rng(1).integers(0, 2, 200).astype(float)
    found = interval(metric, np.repeat(pictures, 5), [number // 5 for number in range(1000)])
    alone = interval(metric, pictures)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=0.002)


def test_captions_that_do_not_depend_on_each_other_count_each() -> None:
    values = np.random.default_rng(2).integers(0, 2, 1000).astype(float)
    found = interval(RECALL, values, [number // 5 for number in range(1000)])
    alone = interval(RECALL, values)
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize(("metric", "value", "low", "high"), [
    (RECALL, 1, 0.025 ** (1 / 30), 1),
    (RECALL, 0, 0, 1 - 0.025 ** (1 / 30)),
    (MRR, 1, 0.025 ** (1 / 30), 1),
    (MRR, 0.5, *stats.binomtest(15, 30).proportion_ci(0.95, method="exact")),
    (MEAN_RANK, 1, 1, 1 + 99 * (1 - 0.025 ** (1 / 30))),
])  # fmt: skip
def test_values_that_all_agree_have_an_interval_with_a_width(
    metric: Metric, value: float, low: float, high: float
) -> None:
    """The bound of Clopper and Pearson on the share of other values: 3.7 / 30, as the rule of three but two-sided."""
    found = interval(metric, np.full(30, float(value)))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    of_clusters = interval(metric, np.full(90, float(value)), [number // 3 for number in range(90)])
    assert of_clusters == found


def test_one_more_failure_never_narrows_the_interval_upwards() -> None:
    """With clusters of five: the lower end falls from no failure on, although two rules are used."""
    clusters = [number // 5 for number in range(1000)]
    ends = []
    for failures in range(15):
        values = np.ones(1000)
        values[np.arange(failures) * 5] = 0
        ends.append(interval(RECALL, values, clusters).low)
    assert all(before > after for before, after in pairwise(ends[:10]))
    assert max(ends[10:]) < 1 - 10 / 1000


@pytest.mark.parametrize(("clusters", "places"), [(5, None), (6, (0, 5)), (8, (0, 7)), (9, (1, 7)), (100, (39, 60))])
def test_median_interval_is_that_of_order_statistics(clusters: int, places: tuple[int, int] | None) -> None:
    """The places of a table of the sign test (Conover, "Practical nonparametric statistics", 3.2 and A3)."""
    ranks = np.random.default_rng(0).permutation(np.arange(1.0, clusters + 1))
    found = interval(MEDIAN, ranks, candidates=1000)
    assert found == (Interval(1, 1000) if places is None else Interval(places[0] + 1, places[1] + 1))


def test_median_of_equal_ranks_is_certain_from_six_queries() -> None:
    assert interval(MEDIAN, np.ones(6)) == Interval(1, 1)
    assert interval(MEDIAN, np.ones(5)) == Interval(1, 100)


def test_infinite_ranks() -> None:
    ranks = np.array([2, inf])
    assert interval(MEAN_RANK, ranks) == Interval(2, inf)
    assert interval(MEDIAN, ranks) == Interval(1, inf)
    assert interval(MEDIAN, np.array([1.0] * 6 + [inf] * 3)) == Interval(1, inf)


def test_interval_without_queries_is_nan() -> None:
    found = interval(MRR, np.empty(0))
    assert np.isnan([found.low, found.high]).all()
    assert confidence_intervals([], 1) == []
    assert difference(MRR, np.empty(0), np.empty(0)) == Interval(0, 0)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).random(50)
    first, again, other = (
        confidence_intervals([(MRR, values)], 10, settings=Resampling(seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_two_systems_with_the_same_values_may_still_differ() -> None:
    """On at most 1 - 0.025^(1/50) of the queries in each direction, by 1 at most."""
    values = np.random.default_rng(4).random(50)
    bound = 1 - 0.025 ** (1 / 50)
    found = difference(MRR, values, values)
    assert (found.low, found.high) == pytest.approx((-bound, bound))
    lost = difference(MRR, np.ones(50), np.array([0.5] * 2 + [1.0] * 48))
    assert (lost.low, lost.high) == pytest.approx((-proportion_interval(2, 50).high, bound))


def test_same_difference_everywhere_has_an_interval_around_it() -> None:
    found = difference(MRR, np.full(20, 0.25), np.full(20, 0.5))
    bound = 1 - 0.025 ** (1 / 20)
    assert (found.low, found.high) == pytest.approx((0.25 - bound * 1.25, 0.25 + bound * 0.75))
    assert difference(MEDIAN, np.full(20, 4.0), np.full(20, 2.0)) == Interval(-2, -2)
    assert difference(MEDIAN, np.full(20, inf), np.full(20, inf)) == Interval(0, 0)


def test_interval_of_paired_differences_agrees_with_theory() -> None:
    random = np.random.default_rng(6)
    left = random.random(300)
    right = left + random.normal(0.05, 0.1, 300)
    found = difference(MRR, left, right)
    expected = stats.ttest_rel(right, left).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.002)


Draw = Callable[[np.random.Generator, int], Values]


def perfect_mostly(random: np.random.Generator, count: int) -> Values:
    return (random.random(count) < 0.98).astype(np.float64)


def reciprocal_ranks(random: np.random.Generator, count: int) -> Values:
    return 1 / random.geometric(0.5, count)


def mostly_first(random: np.random.Generator, count: int) -> Values:
    """Reciprocal ranks of 1, and of one in twenty queries 0 to 0.5."""
    return np.where(random.random(count) < 0.95, 1.0, random.random(count) / 2)


def ranks(random: np.random.Generator, count: int) -> Values:
    return random.geometric(0.1, count).astype(np.float64)


def coverage(
    metric: Metric, draw: Draw, truth: float, count: int, per_cluster: int, repetitions: int, share_kept: float = 1.0
) -> float:
    """Return how often the interval contains the true value. The captions of a picture have its value, or another."""
    random = np.random.default_rng(0)
    contained = 0
    for _ in range(repetitions):
        pictures = np.repeat(draw(random, count), per_cluster)
        kept = random.random(len(pictures)) < share_kept
        values = np.where(kept, pictures, draw(random, len(pictures)))
        names = [number // per_cluster for number in range(len(values))] if per_cluster > 1 else None
        found = interval(metric, values, names, candidates=1000, resamples=400)
        contained += found.low <= truth <= found.high
    return contained / repetitions


CASES = [
    (RECALL, perfect_mostly, 0.98),
    (MRR, reciprocal_ranks, float(np.log(2))),  # sum of 0.5^r / r
    (MRR, mostly_first, 0.95 + 0.05 * 0.25),
    (MEDIAN, ranks, 7.0),
]


@pytest.mark.parametrize(("metric", "draw", "truth"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_intervals_contain_the_true_value(metric: Metric, draw: Draw, truth: float) -> None:
    """At least 95 % in theory; 150 repetitions with a coverage of 95 % contain it 135 times or more in 99.7 %."""
    assert coverage(metric, draw, truth, 30, 1, 150) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("share_kept", [1.0, 0.5], ids=["captions agree", "captions partly agree"])
@pytest.mark.parametrize("per_cluster", [1, 5])
@pytest.mark.parametrize("count", [8, 30, 100, 500])
@pytest.mark.parametrize(("metric", "draw", "truth"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_coverage_of_intervals(
    metric: Metric, draw: Draw, truth: float, count: int, per_cluster: int, share_kept: float
) -> None:
    assert coverage(metric, draw, truth, count, per_cluster, 1000, share_kept) >= 0.93
