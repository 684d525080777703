"""The influence of a judgement: what it would change, by hand and by evaluating with both answers."""

import math

import numpy as np
import pytest

from search.evaluate.compare import compare
from search.evaluate.evaluation import Evaluation, Subject
from search.evaluate.judgement_influence import INFLUENCE_METRICS, by_influence, judgement_influence
from search.evaluate.metrics import parse_metrics
from search.evaluate.ranks import Ranks

SECOND = 1 / math.log2(3)
"""The gain of a relevant picture at rank 2."""


def test_one_system_by_hand() -> None:
    """MRR, recall@1, @5, @10 and nDCG@10 of a first result are 1; of a second 1/2, 0, 1, 1 and 0.63."""
    influences = judgement_influence([["a", "b"]], {})
    assert influences == {"a": (1.0, 1.0), "b": (pytest.approx((0.5 + 2 + SECOND) / 5),) * 2}
    assert judgement_influence([["a", "b"]], {"a": 0}).keys() == {"b"}


def test_after_a_right_first_result_the_second_changes_ndcg_only() -> None:
    """nDCG is 1 with one relevant picture at rank 1, and 1 with two at ranks 1 and 2: nothing can change."""
    assert judgement_influence([["a", "b"]], {"a": 1})["b"] == (0, 0)
    # With three results, the third at rank 3 makes it (1 + 1/2) / (1 + 0.63).
    influences = judgement_influence([["a", "b", "c"]], {"a": 1})
    assert influences["c"][0] == pytest.approx((1 - 1.5 / (1 + SECOND)) / 5)


def test_pictures_that_all_systems_rank_equally_come_last() -> None:
    """`same` is first in both, so it changes the values most and the difference not at all."""
    first, second = ["same", "a", "b"], ["same", "b", "a"]
    influences = judgement_influence([first, second], {})
    on_difference, on_values = influences["same"]
    assert on_difference == 0
    assert on_values == 1
    # Ranks 2 and 3: MRR differs by 1/6, nDCG by 0.63 - 0.5; recall does not.
    assert influences["a"][0] == pytest.approx((1 / 6 + SECOND - 0.5) / 5)
    assert by_influence(["same", "b", "a"], influences) == ["b", "a", "same"]  # equal ones in their order
    assert by_influence(["unknown", "same"], influences) == ["same", "unknown"]


def test_picture_that_one_system_did_not_find_counts_most() -> None:
    influences = judgement_influence([["a", "b"], ["b"]], {})
    assert influences["a"][0] == 1
    assert influences["b"][0] == pytest.approx((0.5 + 1 + 0 + 0 + 1 - SECOND) / 5)


def test_relevant_pictures_that_no_system_found_count_for_ndcg() -> None:
    """With one relevant picture elsewhere, a right first result has nDCG 1 / (1 + 0.63)."""
    influences = judgement_influence([["a"]], {}, relevant_elsewhere=1)
    assert influences["a"][0] == pytest.approx((4 + 1 / (1 + SECOND)) / 5)


def test_influence_is_the_change_of_the_difference_that_is_measured() -> None:
    """The measured differences of two systems, with a picture judged right and wrong, differ by its influence."""
    generator = np.random.default_rng(3)
    for _ in range(20):
        rankings = [generator.permutation(12).tolist() for _ in range(2)]
        grades = {int(item): int(generator.integers(2)) for item in generator.choice(12, 4, replace=False)}
        item = next(item for item in rankings[0] if item not in grades)
        differences = []
        for grade in (0, 1):
            relevant = [other for other, value in {**grades, item: grade}.items() if value]
            first, second = (
                Evaluation(
                    Subject("data", "all", name),
                    ("q",),
                    (Ranks.of([ranking.index(other) + 1 for other in relevant]),),
                    candidates=12,
                    metrics=parse_metrics([metric.name for metric in INFLUENCE_METRICS]),
                )
                for name, ranking in zip("ab", rankings, strict=True)
            )
            differences.append(np.array([each.difference for each in compare(first, second)]))
        expected = np.abs(differences[1] - differences[0]).mean()
        assert judgement_influence(rankings, grades)[item][0] == pytest.approx(expected)
