"""Evaluation of approximate indexes, compared with exact ranks."""

from math import inf
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import EvaluationError
from search.evaluate.approximate import evaluate_approximate
from search.evaluate.datasets import Caption, Dataset
from search.evaluate.scoring import LabelledVectors, evaluate_dataset

Case: TypeAlias = tuple[Dataset, NDArray[np.float32], NDArray[np.float32]]


def unit(random: np.random.Generator, rows: int) -> NDArray[np.float32]:
    raw = random.normal(size=(rows, 16))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


@pytest.fixture
def case() -> Case:
    """300 pictures, and 40 captions in two languages, each near its picture."""
    random = np.random.default_rng(0)
    pictures = unit(random, 300)
    texts = pictures[:40] + unit(random, 40)
    images = tuple(f"{number:03}.jpg" for number in range(300))
    captions = tuple(
        Caption(f"q{number}", "text", "de" if number % 4 else "en", {images[number]: 1}) for number in range(40)
    )
    dataset = Dataset("data", "dev", Path("/pictures"), images, captions)
    return dataset, texts / np.linalg.norm(texts, axis=1, keepdims=True), pictures


def through(spec: str, case: Case, depth: int = 300):  # type: ignore[no-untyped-def]
    dataset, texts, pictures = case
    exact = evaluate_dataset(dataset, texts, pictures, "fake")
    queries = LabelledVectors([caption.id for caption in dataset.captions], texts)
    found = evaluate_approximate(
        exact, queries, LabelledVectors(dataset.images, pictures), dataset.qrels(), spec, depth
    )
    return exact, found


def test_flat_index_equals_exact_search(case: Case) -> None:
    exact, found = through("Flat", case)
    for before, after in zip(exact, found, strict=True):
        assert after.first_ranks.tolist() == before.first_ranks.tolist()
        assert after.subject.space == "fake Flat"
        assert (after.subject.lang, after.queries) == (before.subject.lang, before.queries)


def test_results_beyond_the_depth_are_not_found(case: Case) -> None:
    exact, found = through("Flat", case, depth=2)
    before = exact[-1].first_ranks
    assert (before > 2).any()
    assert found[-1].first_ranks.tolist() == np.where(before > 2, inf, before).tolist()


def test_searching_one_list_misses_results(case: Case) -> None:
    exact, found = through("IVF7,Flat", case)
    everything = through("IVF7,Flat:nprobe=7", case)[1]
    assert found[-1].scores["recall@10"] < exact[-1].scores["recall@10"]
    assert everything[-1].first_ranks.tolist() == exact[-1].first_ranks.tolist()


@pytest.mark.parametrize("spec", ["Nonsense", "Flat:nonsense=1"])
def test_unknown_factory_strings_are_rejected(spec: str, case: Case) -> None:
    with pytest.raises(EvaluationError, match=f"FAISS cannot build the index '{spec}': "):
        through(spec, case)
