"""Evaluation of vectors: values computed by hand on a data set of three pictures, and compared with plain numpy."""

import json
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.datasets import Caption, Dataset
from search.evaluate.evaluation import Evaluation, Subject
from search.evaluate.metrics import parse_metrics
from search.evaluate.scoring import (
    EvaluationSettings,
    LabelledVectors,
    cluster_names,
    evaluate_dataset,
    evaluate_run,
    evaluate_vectors,
    rank_vectors,
)
from search.evaluate.vector_blocks import BlockSizes

PICTURES = np.eye(3, dtype=np.float32)
"""Of a.jpg, b.jpg and c.jpg."""

SUBJECT = Subject("data", "dev", "fake")


@pytest.fixture
def dataset() -> Dataset:
    """a and b have two captions in English, a and c one in German."""
    captions = [("a", "en"), ("b", "en"), ("a", "de"), ("b", "en"), ("c", "de"), ("a", "en")]
    return Dataset(
        "data",
        "dev",
        Path("/pictures"),
        ("a.jpg", "b.jpg", "c.jpg"),
        tuple(Caption(f"{n}", f"text {n}", lang, {f"{image}.jpg": 1}) for n, (image, lang) in enumerate(captions)),
    )


TEXTS = np.array([[0.8, 0.6, 0], [0.8, 0.6, 0], [0, 0.6, 0.8], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0]], dtype=np.float32)
"""First ranks of the captions' pictures: 1, 2, 3, 1, 1, 2."""


def test_text_to_picture_ranks_every_image_per_caption(dataset: Dataset) -> None:
    german, english, pooled = evaluate_dataset(dataset, TEXTS, PICTURES, "fake")
    assert [one.subject.lang for one in (german, english, pooled)] == ["de", "en", "all"]
    assert german.queries == ("2", "4")
    assert german.first_ranks.tolist() == [3, 1]
    assert english.queries == ("0", "1", "3", "5")
    assert english.first_ranks.tolist() == [1, 2, 1, 2]
    assert pooled.first_ranks.tolist() == [1, 2, 3, 1, 1, 2]
    assert german.scores["mrr"] == pytest.approx((1 / 3 + 1) / 2)
    assert english.scores["mrr"] == (1 + 1 / 2 + 1 + 1 / 2) / 4
    assert pooled.scores["recall@1"] == 3 / 6
    assert pooled.scores["recall@5"] == 1
    assert pooled.scores["median_rank"] == 1.5
    assert {one.candidates for one in (german, english, pooled)} == {3}
    assert english.values["recall@1"].tolist() == [1, 0, 1, 0]


def test_captions_of_one_picture_form_a_cluster(dataset: Dataset) -> None:
    german, english, pooled = evaluate_dataset(dataset, TEXTS, PICTURES, "fake")
    assert english.clusters == ("a.jpg", "b.jpg", "b.jpg", "a.jpg")
    assert pooled.as_dict()["clusters"] == 3
    assert german.as_dict()["clusters"] == 2


def test_picture_to_text_ranks_the_captions_of_each_language(dataset: Dataset) -> None:
    """German captions are 2 (of a) and 4 (of c): a scores 0 with both, a tie; c scores 0.8 and 1. English: 0, 1, 3, 5.

    Picture a scores 0.8 (its own), 0.8 (of b), 0, 0.6 (its own): a tie that counts against it, so second and third.
    Picture b scores 0.6, 0.6 (its own), 1 (its own), 0.8: first and fourth.
    """
    german, english, pooled = evaluate_dataset(dataset, TEXTS, PICTURES, "fake", "picture-to-text")
    assert german.queries == ("a.jpg", "c.jpg")
    assert german.first_ranks.tolist() == [2, 1]
    assert english.queries == ("a.jpg", "b.jpg")
    assert [ranks.ranks.tolist() for ranks in english.ranked] == [[2, 3], [1, 4]]
    assert pooled.queries == ("a.jpg", "b.jpg", "c.jpg")
    assert pooled.candidates == 6
    # Pooled, caption 2 of picture a scores 0 as well.
    assert pooled.ranked[0].ranks.tolist() == [2, 3, 6]
    assert {one.subject.direction for one in (german, english, pooled)} == {"picture-to-text"}
    assert (pooled.as_dict()["pictures"], pooled.as_dict()["queries"]) == (3, 3)


def test_picture_to_text_rejects_language_without_relevant_captions(dataset: Dataset) -> None:
    captions = tuple(replace(one, images={}) if one.lang == "de" else one for one in dataset.captions)
    with pytest.raises(EvaluationError, match="No image of data has a relevant caption in 'de'"):
        evaluate_dataset(replace(dataset, captions=captions), TEXTS, PICTURES, "fake", "picture-to-text")


def test_single_language_has_no_pooled_evaluation(dataset: Dataset) -> None:
    for direction in ("text-to-picture", "picture-to-text"):
        (only,) = evaluate_dataset(dataset.only("de"), TEXTS[[2, 4]], PICTURES, "fake", direction)
        assert only.subject.lang == "de"


def test_as_dict_contains_the_documented_keys(dataset: Dataset) -> None:
    printed = json.loads(json.dumps(evaluate_dataset(dataset, TEXTS, PICTURES, "fake")[1].as_dict(), allow_nan=False))
    expected = {
        "dataset": "data",
        "split": "dev",
        "space": "fake",
        "lang": "en",
        "direction": "text-to-picture",
        "queries": 4,
        "pictures": 3,
        "candidates": 3,
        "mrr": 0.75,
        "recall@1": 0.5,
        "recall@5": 1,
        "recall@10": 1,
        "median_rank": 1.5,
        "level": 0.95,
        "clusters": 2,
        "unanswerable": 0,
    }
    assert {key: printed[key] for key in expected} == expected
    assert printed["ndcg@10"] == pytest.approx((1 + 1 / np.log2(3) + 1 + 1 / np.log2(3)) / 4)
    assert set(printed["intervals"]) == set(printed["definitions"]) == {metric.name for metric in parse_metrics()}
    for name, (low, high) in printed["intervals"].items():
        assert low - 1e-12 <= printed[name] <= high + 1e-12
    assert "among the first 5" in printed["definitions"]["recall@5"]


def test_queries_without_relevant_documents_count_as_zero() -> None:
    """The second query has nothing relevant, the third something that is not in the gallery, the fourth both."""
    gallery = LabelledVectors(["a", "b"], np.eye(2, dtype=np.float32))
    qrels = {"1": {"a": 1}, "2": {"a": 0}, "3": {"lost": 2}, "4": {"b": 1, "lost": 3}}
    vectors: NDArray[np.float32] = np.array([[1, 0]] * 4, dtype=np.float32)
    settings = EvaluationSettings(parse_metrics(("mrr", "ndcg@10", "mean_rank", "fraction_recall@5")))
    found = evaluate_vectors(SUBJECT, LabelledVectors(list(qrels), vectors), gallery, qrels, settings)
    assert [ranks.ranks.tolist() for ranks in found.ranked] == [[1], [], [inf], [2, inf]]
    assert [ranks.grades.tolist() for ranks in found.ranked] == [[1], [], [2], [1, 3]]
    assert found.values["mrr"].tolist() == [1, 0, 0, 1 / 2]
    assert found.values["fraction_recall@5"].tolist() == [1, 0, 0, 1 / 2]
    assert found.values["ndcg@10"][3] == pytest.approx((1 / np.log2(3)) / (3 + 1 / np.log2(3)))
    assert found.unanswerable == 1
    assert found.as_dict()["mean_rank"] is None


def test_evaluate_run_counts_judged_queries_only() -> None:
    """Queries without judgements do not count; judged queries that the run leaves out do."""
    qrels = {"1": {"a": 1}, "2": {"b": 2, "a": 0}, "3": {"a": 1}}
    run = {"2": {"a": 0.5, "b": 0.5, "c": 0.1}, "1": {"c": 0.3, "a": 0.7}, "unjudged": {"d": 1.0}}
    found = evaluate_run(SUBJECT, run, qrels)
    assert found.queries == ("1", "2", "3")
    assert found.first_ranks.tolist() == [1, 2, inf]
    assert found.scores["mrr"] == (1 + 1 / 2 + 0) / 3
    assert found.candidates == 4
    assert found.clusters == ("a", "b", "a")


def test_cluster_names_are_the_relevant_documents() -> None:
    assert cluster_names(["1", "2"], {"1": {"a": 1}, "2": {"b": 1}}) is None
    assert cluster_names(["1", "2", "3"], {"1": {"a": 1, "b": 1}, "2": {"b": 2, "a": 1, "c": 0}, "3": {}}) == (
        "a\0b",
        "a\0b",
        "\0003",
    )


def test_worst_queries_and_recall_curve(dataset: Dataset) -> None:
    pooled = evaluate_dataset(dataset, TEXTS, PICTURES, "fake")[-1]
    assert pooled.worst(2) == ["2", "1"]
    assert pooled.recall_curve([1, 2, 3]) == [3 / 6, 5 / 6, 1]
    assert isinstance(pooled, Evaluation)


def test_ranks_equal_those_of_plain_numpy() -> None:
    random = np.random.default_rng(0)
    queries, gallery = (random.normal(size=(rows, 32)).astype(np.float32) for rows in (200, 1000))
    owners = random.integers(1000, size=200)
    matrix = queries @ gallery.T
    ranks = (matrix >= matrix[np.arange(200), owners][:, None]).sum(axis=1)
    names = [str(number) for number in range(1000)]
    qrels = {f"q{number}": {str(owner): 1} for number, owner in enumerate(owners)}
    found = rank_vectors(list(qrels), queries, LabelledVectors(names, gallery), qrels, BlockSizes(64, 100))
    assert [one.first for one in found] == ranks.tolist()


def test_gallery_must_have_one_vector_per_id() -> None:
    qrels, two = {"q": {"a": 1}}, np.eye(2, dtype=np.float32)
    for names in (["a"], ["a", "b", "c"]):
        with pytest.raises(EvaluationError, match=f"The gallery has {len(names)} documents, but 2 vectors"):
            rank_vectors(["q"], two[:1], LabelledVectors(names, two), qrels)
    with pytest.raises(EvaluationError, match="The document 'a' is in the gallery twice"):
        rank_vectors(["q"], two[:1], LabelledVectors(["a", "a"], two), qrels)


@pytest.mark.parametrize("rows", [2, 4])
def test_evaluate_dataset_needs_one_vector_per_image(dataset: Dataset, rows: int) -> None:
    for direction in ("text-to-picture", "picture-to-text"):
        with pytest.raises(EvaluationError, match=f"3 documents, but {rows} vectors"):
            evaluate_dataset(dataset, TEXTS, np.eye(4, 3, dtype=np.float32)[:rows], "fake", direction)
