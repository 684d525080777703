"""Metrics computed by hand. (test_trec_eval.py compares them with trec_eval.)"""

from math import inf, log2

import numpy as np
import pytest

from core.errors import UnknownMetric
from search.evaluate import metrics
from search.evaluate.metrics import DEFAULT_METRICS, METRIC_NAMES, parse_metric, parse_metrics
from search.evaluate.ranks import Ranks

SOME = Ranks.of([2, 5, inf], [1, 3, 2])
"""Three relevant documents: one second, the best fifth, one never ranked."""

NONE = Ranks.of([])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mrr", 1 / 2),
        ("mrr@1", 0),
        ("mrr@2", 1 / 2),
        ("recall@1", 0),
        ("recall@2", 1),
        ("success@4", 1),
        ("hit@1", 0),
        ("fraction_recall@1", 0),
        ("fraction_recall@2", 1 / 3),
        ("fraction_recall@10", 2 / 3),
        ("p@1", 0),
        ("p@5", 2 / 5),
        ("precision@10", 2 / 10),
        ("map", (1 / 2 + 2 / 5 + 0) / 3),
        ("ndcg", (1 / log2(3) + 3 / log2(6)) / (3 / log2(2) + 2 / log2(3) + 1 / log2(4))),
        ("ndcg@2", (1 / log2(3)) / (3 / log2(2) + 2 / log2(3))),
        ("ndcg@1", 0),
        ("median_rank", 2),
        ("mean_rank", 2),
    ],
)
def test_values_computed_by_hand(name: str, expected: float) -> None:
    assert parse_metric(name).of(SOME) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", [name.replace("@k", "@3") for name in METRIC_NAMES])
def test_no_relevant_result_is_the_worst_value(name: str) -> None:
    metric = parse_metric(name)
    worst = inf if name.endswith("rank") else 0
    assert metric.of(NONE) == metric.of(Ranks.of([inf], [2])) == worst
    assert metric.higher_is_better == (not name.endswith("rank"))


@pytest.mark.parametrize("name", [name.replace("@k", "@2") for name in METRIC_NAMES])
def test_perfect_ranking_has_value_one(name: str) -> None:
    assert parse_metric(name).of(Ranks.of([1, 2], [3, 1])) == 1


def test_recall_is_any_hit_and_fraction_recall_is_the_share() -> None:
    assert metrics.recall(SOME, 5) == 1
    assert metrics.fraction_recall(SOME, 5) == pytest.approx(2 / 3)
    assert "any relevant" in parse_metric("recall@5").definition
    assert "share of the relevant documents" in parse_metric("fraction_recall@5").definition


def test_values_and_summaries() -> None:
    ranked = [Ranks.of([1]), Ranks.of([4]), NONE, Ranks.of([2])]
    mrr, median, mean = parse_metrics(("mrr", "median_rank", "mean_rank"))
    assert mrr.values(ranked).tolist() == [1, 1 / 4, 0, 1 / 2]
    assert mrr.summarise(mrr.values(ranked)) == (1 + 1 / 4 + 0 + 1 / 2) / 4
    assert median.summarise(median.values(ranked)) == (2 + 4) / 2
    assert mean.summarise(mean.values(ranked)) == inf
    assert np.isnan(mrr.summarise(mrr.values([])))


def test_aliases_and_duplicates() -> None:
    assert [metric.name for metric in parse_metrics()] == list(DEFAULT_METRICS)
    assert [metric.name for metric in parse_metrics(["hit@5", " Recall@5 ", "MRR"])] == ["recall@5", "mrr"]


@pytest.mark.parametrize("name", ["", "mmr", "mrr@", "mrr@0", "mrr@-1", "recall", "ndcg@1.5", "map@", "median_rank@3"])
def test_unknown_metric_lists_the_choices(name: str) -> None:
    with pytest.raises(
        UnknownMetric, match=r"Choose from: mrr, map, ndcg, median_rank, mean_rank, mrr@k, recall@k"
    ) as e:
        parse_metric(name)
    assert e.value.name == name
