"""Significance tests: exact p-values computed by hand, and drawn permutations compared with exact tests."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from core.errors import IncomparableEvaluations
from search.evaluate import compare
from search.evaluate.bootstrap import Resampling
from search.evaluate.compare import ComparisonSettings, compare_all, holm, randomisation_test
from search.evaluate.evaluation import Evaluation, Subject
from search.evaluate.metrics import Metric, parse_metric, parse_metrics
from search.evaluate.ranks import Ranks

MRR, MEDIAN, MEAN_RANK = parse_metric("mrr"), parse_metric("median_rank"), parse_metric("mean_rank")


def evaluation(
    space: str, ranks: Sequence[float], clusters: Sequence[str] | None = None, names: Sequence[str] = ("mrr",)
) -> Evaluation:
    queries = tuple(f"q{number}" for number in range(len(ranks)))
    ranked = tuple(Ranks.of([rank]) for rank in ranks)
    metrics = parse_metrics(names)
    return Evaluation(
        Subject("data", "dev", space), queries, ranked, 100, None if clusters is None else tuple(clusters), metrics
    )


def test_better_on_five_queries_has_p_of_two_in_32() -> None:
    """2 of the 32 ways to swap are as extreme: none, and all."""
    worse, better = np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0.2, 0.4, 0.6, 0.8, 1.0])
    assert randomisation_test(worse, better, MRR) == 2 / 32
    assert randomisation_test(better, worse, MRR) == 2 / 32


def test_queries_of_one_cluster_are_swapped_together() -> None:
    """Five queries of two pictures: four ways to swap, two of them as extreme."""
    worse, better = np.zeros(5), np.ones(5)
    assert randomisation_test(worse, better, MRR, ["a", "a", "b", "b", "b"]) == 2 / 4


def test_equal_values_have_p_one() -> None:
    values = np.array([0.5, 0.25, 1.0])
    assert randomisation_test(values, values, MRR) == 1
    assert randomisation_test(np.empty(0), np.empty(0), MRR) == 1


@pytest.mark.parametrize("metric", [MRR, MEDIAN], ids=lambda metric: metric.name)
@pytest.mark.parametrize("clusters", [None, [0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8]])
def test_exact_p_equals_trying_every_swap(metric: Metric, clusters: list[int] | None) -> None:
    random = np.random.default_rng(0)
    left, right = random.integers(1, 9, 11).astype(float), random.integers(1, 9, 11).astype(float)
    names = clusters or list(range(11))
    paired = np.sign(right - left) if metric is MEDIAN else right - left
    found = [
        abs(sum(-one if swap[name] else one for one, name in zip(paired, names, strict=True)))
        for swap in product((False, True), repeat=max(names) + 1)
    ]
    expected = np.mean(np.array(found) >= abs(paired.sum()) - 1e-12)
    assert randomisation_test(left, right, metric, clusters) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("metric", [MRR, MEDIAN], ids=lambda metric: metric.name)
def test_drawn_permutations_approximate_the_exact_p(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    left, right = random.random(12), random.random(12) + 0.15
    exact = randomisation_test(left, right, metric)
    monkeypatch.setattr(compare, "_MAX_SWAPS", 12 * 1000)
    assert 0.02 < exact < 0.9
    drawn = randomisation_test(left, right, metric, permutations=20_000, max_exact_clusters=0)
    assert drawn == pytest.approx(exact, abs=0.02)


def test_drawn_p_is_never_zero() -> None:
    assert randomisation_test(np.zeros(16), np.ones(16), MRR, permutations=999) == pytest.approx(2 * np.exp(-8))
    assert randomisation_test(np.zeros(100), np.ones(100), MRR, permutations=999) == 1e-6
    mixed = np.array([1.0, 1.0, -1.0] * 9)  # a sum of 9 of 27: the bound is 0.45, above the drawn p
    assert 0.05 < randomisation_test(np.zeros(27), mixed, MRR, permutations=999) < 0.2


def test_few_permutations_do_not_hide_differences_among_many_comparisons() -> None:
    """A p of 1 in 101, corrected for 700 comparisons, would call every difference noise, however large."""
    pair = evaluation("old", [4] * 40), evaluation("new", [2] * 40)
    found = compare_all([pair] * 700, ComparisonSettings(permutations=100, resampling=Resampling(10)))
    assert all(one.significant for one in found)


def test_p_is_uniform_without_a_difference() -> None:
    """Of 300 tests of two equally good systems, about one in ten has a p below 0.1."""
    random = np.random.default_rng(4)
    systems = (random.random((2, 30)) for _ in range(300))
    ps = [randomisation_test(left, right, MRR, permutations=500) for left, right in systems]
    assert 0.06 < np.mean(np.array(ps) <= 0.1) < 0.14


def test_holm_correction_computed_by_hand() -> None:
    """0.01 x 3, 0.03 x 2, and 0.04 x 1, which may not be less than the one before."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_significant_difference_names_the_better_system() -> None:
    left, right = evaluation("old", [4] * 20), evaluation("new", [2] * 19 + [4])
    (found,) = compare.compare(left, right)
    assert found.difference == pytest.approx(0.25 * 19 / 20)
    assert found.interval.low <= found.difference <= found.interval.high
    assert 0.15 < found.interval.low < found.interval.high <= 0.25
    assert found.significant
    assert found.better == "right"
    assert found.verdict == "mrr differs by +0.2375 (p = 0.0001): new is better"
    (back,) = compare.compare(right, left)
    assert (back.better, back.difference, back.p) == ("left", -found.difference, found.p)


def test_insignificant_difference_is_reported_as_noise() -> None:
    (found,) = compare.compare(evaluation("old", [1, 2, 1]), evaluation("new", [1, 1, 1]))
    assert found.p == 1
    assert found.better == "neither"
    assert found.verdict == "mrr differs by +0.1667 (p = 1): this may be noise"
    assert found.as_dict()["better"] == "neither"


def test_lower_ranks_are_better() -> None:
    found = compare.compare(
        evaluation("old", [4] * 20, names=("median_rank", "mean_rank")),
        evaluation("new", [2] * 20, names=("mean_rank", "median_rank")),
    )
    assert [(one.metric.name, one.difference, one.better) for one in found] == [
        ("median_rank", -2, "right"),
        ("mean_rank", -2, "right"),
    ]


@pytest.mark.parametrize(("better", "difference"), [(0, 0), (11, -1)])
def test_median_that_did_not_get_worse_is_not_called_worse(better: int, difference: int) -> None:
    """Of 101 queries 40 lose a rank and fewer gain one, which is significant; the median stays, or even improves."""
    old = evaluation("old", [1] * 40 + [5] * 61, names=("median_rank",))
    new = evaluation("new", [2] * 40 + [4] * better + [5] * (61 - better), names=("median_rank",))
    (found,) = compare.compare(old, new)
    assert (found.difference, found.significant, found.better) == (difference, True, "neither")
    assert found.verdict.endswith("old is better for more queries, but not in median_rank")
    counts = f"the first relevant result is higher for {better} and lower for 40 of 101 queries (p = "
    assert counts in found.verdict
    assert found.verdict.startswith("median_rank goes from 5 to 4" if difference else "median_rank is 5 for both")


def test_infinite_ranks_can_be_compared() -> None:
    names = ("median_rank", "mean_rank")
    lost = evaluation("old", [float("inf")] * 20, names=names)
    found = evaluation("new", [3] * 20, names=names)
    for one in compare.compare(lost, found):
        assert one.better == "right"
        assert one.as_dict()["left_score"] is None
        assert one.as_dict()["difference"] is None
    assert [one.better for one in compare.compare(lost, lost)] == ["neither", "neither"]
    assert [one.as_dict()["difference"] for one in compare.compare(lost, lost)] == [None, None]


def test_all_comparisons_are_corrected_together() -> None:
    pairs = [(evaluation("old", [4, 4, 4, 4, 4, 4]), evaluation("new", [2, 2, 2, 2, 2, 2]))] * 4
    found = compare_all(pairs)
    assert [one.p for one in found] == [2 / 64] * 4
    assert [one.adjusted_p for one in found] == [4 * 2 / 64] * 4
    assert not any(one.significant for one in found)
    (alone,) = compare_all(pairs[:1], ComparisonSettings(alpha=2 / 64))
    assert alone.significant


def test_order_of_queries_does_not_matter() -> None:
    left, right = evaluation("old", [1, 2, 3]), evaluation("new", [3, 2, 1])
    turned = Evaluation(right.subject, right.queries[::-1], right.ranked[::-1], 100, None, right.metrics)
    for one in (*compare.compare(left, turned), *compare.compare(left, right)):
        assert one.difference == 0
        assert one.p == 1


def test_different_queries_cannot_be_compared() -> None:
    with pytest.raises(
        IncomparableEvaluations, match=r"old and new were not evaluated with the same queries: 2 differ: q1, q2"
    ) as caught:
        compare.compare(evaluation("old", [1]), evaluation("new", [1, 1, 1]))
    assert caught.value.difference == ("q1", "q2")
