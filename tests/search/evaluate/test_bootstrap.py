"""Bootstrap intervals compared with a plain loop, with theory, and in trivial cases."""

from math import inf

import numpy as np
import pytest

from search.evaluate import bootstrap as bootstrap_module
from search.evaluate.bootstrap import Interval, Resampling, bootstrap, bootstrap_intervals, percentile_interval
from search.evaluate.metrics import Metric, parse_metric

MRR, MEDIAN, MEAN_RANK = parse_metric("mrr"), parse_metric("median_rank"), parse_metric("mean_rank")


def test_interval_of_a_mean_agrees_with_theory() -> None:
    """Of 400 values with standard deviation s: mean +- 1.96 s / 20."""
    values = np.random.default_rng(0).normal(0.5, 0.2, 400)
    (interval,) = bootstrap_intervals([(MRR, values)], settings=Resampling(resamples=4000))
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=half / 10)
    assert interval.high == pytest.approx(values.mean() + half, abs=half / 10)


def test_clustered_queries_widen_the_interval() -> None:
    """If all captions of a picture have the same value, the interval is that of the pictures: sqrt(5) times wider."""
    pictures = np.random.default_rng(1).random(200)
    values, clusters = np.repeat(pictures, 5), [f"picture {number // 5}" for number in range(1000)]
    settings = Resampling(resamples=4000)
    (alone,) = bootstrap_intervals([(MRR, values)], None, settings)
    (together,) = bootstrap_intervals([(MRR, values)], clusters, settings)
    assert bootstrap_intervals([(MRR, pictures)], None, settings) == [
        Interval(pytest.approx(together.low), pytest.approx(together.high))  # type: ignore[arg-type]
    ]
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(5**0.5, rel=0.05)


@pytest.mark.parametrize("metric", [MRR, MEDIAN, MEAN_RANK], ids=lambda metric: metric.name)
@pytest.mark.parametrize("clustered", [False, True])
def test_resamples_equal_a_plain_loop(metric: Metric, clustered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same draws, taken one by one; in batches of three resamples."""
    random = np.random.default_rng(2)
    values = random.integers(1, 30, 23).astype(float)
    names = random.integers(0, 9, 23).tolist() if clustered else list(range(23))
    order = list(dict.fromkeys(names))
    monkeypatch.setattr(bootstrap_module, "_MAX_WEIGHTS", 3 * len(order))
    (drawn,) = bootstrap([(metric, values)], names if clustered else None, Resampling(resamples=10, seed=7))
    generator = np.random.default_rng(7)
    expected = []
    for picked in generator.integers(len(order), size=(10, len(order))):
        chosen = [value for pick in picked for value, name in zip(values, names, strict=True) if name == order[pick]]
        expected.append(np.median(chosen) if metric is MEDIAN else np.mean(chosen))
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).random(50)
    first, again, other = (bootstrap_intervals([(MRR, values)], settings=Resampling(seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_equal_values_have_an_interval_of_zero_width() -> None:
    found = bootstrap_intervals([(MRR, np.full(9, 0.25)), (MEDIAN, np.full(9, 3.0))])
    assert found == [Interval(0.25, 0.25), Interval(3, 3)]


def test_infinite_ranks_give_infinite_means() -> None:
    """A mean is infinite in every resample that draws one, and one in four of two queries does not."""
    ranks = np.array([2, inf])
    (mean,) = bootstrap([(MEAN_RANK, ranks)])
    assert set(mean) == {2, inf}
    assert np.mean(mean == 2) == pytest.approx(1 / 4, abs=0.03)
    assert bootstrap_intervals([(MEAN_RANK, ranks), (MEDIAN, ranks)]) == [Interval(2, inf)] * 2


def test_interval_without_queries_is_nan() -> None:
    (found,) = bootstrap_intervals([(MRR, np.empty(0))])
    assert np.isnan([found.low, found.high]).all()
    assert bootstrap_intervals([]) == []


def test_percentile_interval_ends_at_drawn_values() -> None:
    """Of 0 to 999, 95 % without the lowest and the highest 25."""
    assert percentile_interval(np.random.default_rng(0).permutation(np.arange(1000.0)), 0.95) == Interval(25, 974)
    assert percentile_interval(np.arange(10.0), 0.8) == Interval(1, 8)
