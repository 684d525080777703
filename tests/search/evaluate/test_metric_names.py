"""Names of metrics as papers, tables and other tools write them."""

import pytest

from cli.evaluate.formatting import metric_label
from core.errors import UnknownMetric
from search.evaluate.metrics import METRIC_NAMES, parse_metric, parse_metrics

SPELLINGS = {
    "recall@5": "recall@5 Recall@5 R@5 r@5 R5 recall_at_5 Recall-at-5 hit@5 hits@5 hit_rate@5 HR@5 success@5 success_5",
    "fraction_recall@5": "fraction_recall@5 recall_5 recall.5",
    "mrr": "mrr MRR RR recip_rank",
    "mrr@10": "mrr@10 MRR@10 RR@10 mrr_10",
    "p@5": "p@5 P@5 P_5 precision@5 Prec@5 P.5",
    "map": "map mAP AP MAP",
    "map@10": "map@10 map_cut_10 map_cut.10 AP@10",
    "ndcg": "ndcg nDCG NDCG",
    "ndcg@10": "ndcg@10 nDCG@10 ndcg_cut_10 ndcg_cut.10 NDCG@10",
    "median_rank": "median_rank MedR MdR medr",
    "mean_rank": "mean_rank MeanR MnR",
}


@pytest.mark.parametrize(("name", "spellings"), SPELLINGS.items())
def test_spellings_of_a_metric(name: str, spellings: str) -> None:
    assert {parse_metric(spelling).name for spelling in spellings.split()} == {name}


@pytest.mark.parametrize("name", [name.replace("@k", "@7") for name in METRIC_NAMES])
def test_printed_headers_are_accepted(name: str) -> None:
    assert parse_metric(metric_label(name)).name == parse_metric(name).name == name


def test_lists_of_names() -> None:
    found = parse_metrics("R@1,5,10, mrr , ndcg_cut.5,10,median rank,")
    assert [metric.name for metric in found] == [
        "recall@1", "recall@5", "recall@10", "mrr", "ndcg@5", "ndcg@10", "median_rank",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("recal@3", "recall@3"),
        ("recall", "recall@10"),
        ("mmr", "mrr"),
        ("NDGC@20", "ndcg@20"),
        ("presicion@5", "p@5"),
        ("mean rnak", "mean_rank"),
        ("sucess@1", "recall@1"),
        ("median_rank@3", "median_rank"),
    ],
)
def test_unknown_names_get_near_matches(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownMetric, match="Did you mean ") as caught:
        parse_metric(name)
    assert suggestion in caught.value.similar


@pytest.mark.parametrize("name", ["xyz", "5", "@5", "mrr,5", "R@@5"])
def test_names_without_a_near_match(name: str) -> None:
    with pytest.raises(UnknownMetric) as caught:
        parse_metric(name)
    assert "Choose from" in str(caught.value)


def test_mean_average_precision_of_the_first_results_by_hand() -> None:
    """Relevant at 1, 3 and 20, cut at 10: (1/1 + 2/3 + 0) / 3."""
    from search.evaluate.ranks import Ranks

    assert parse_metric("map@10").of(Ranks.of([1, 3, 20])) == pytest.approx((1 + 2 / 3) / 3)
