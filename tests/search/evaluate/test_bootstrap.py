"""Resamples compared with a plain loop, and in trivial cases."""

from math import inf

import numpy as np
import pytest

from search.evaluate import bootstrap as bootstrap_module
from search.evaluate.bootstrap import Interval, Resampling, bootstrap, percentile_interval
from search.evaluate.metrics import Metric, parse_metric

MRR, MEDIAN, MEAN_RANK = parse_metric("mrr"), parse_metric("median_rank"), parse_metric("mean_rank")


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


def test_infinite_ranks_give_infinite_means() -> None:
    """A mean is infinite in every resample that draws one, and one in four of two queries does not."""
    ranks = np.array([2, inf])
    (mean,) = bootstrap([(MEAN_RANK, ranks)])
    assert set(mean) == {2, inf}
    assert np.mean(mean == 2) == pytest.approx(1 / 4, abs=0.03)


def test_no_queries_give_nan() -> None:
    (drawn,) = bootstrap([(MRR, np.empty(0))])
    assert np.isnan(drawn).all()
    assert bootstrap([]) == []


def test_percentile_interval_ends_at_drawn_values() -> None:
    """Of 0 to 999, 95 % without the lowest and the highest 25."""
    assert percentile_interval(np.random.default_rng(0).permutation(np.arange(1000.0)), 0.95) == Interval(25, 974)
    assert percentile_interval(np.arange(10.0), 0.8) == Interval(1, 8)
