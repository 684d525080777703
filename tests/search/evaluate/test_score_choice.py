"""What computes the scores of an evaluation, by the amount of work and by what the machine has."""

import numpy as np
import pytest

from encoders import devices, machine
from search.evaluate import ranks, score_choice
from search.evaluate.score_choice import choose_scores
from search.evaluate.score_counts import ProcessorScores
from search.evaluate.torch_scores import Bfloat16Scores, TorchScores

torch = pytest.importorskip("torch")

QUERIES = np.ones((2, 3), np.float32)


def test_a_card_is_used_only_for_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_nvidia_card", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "device", lambda _name: "cpu")
    monkeypatch.setattr(score_choice, "MIN_PRODUCTS_FOR_GPU", 600)
    assert isinstance(choose_scores(QUERIES, 100), TorchScores)
    assert isinstance(choose_scores(QUERIES, 99), ProcessorScores)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert isinstance(choose_scores(QUERIES, 100), ProcessorScores)


def test_bfloat16_is_used_for_much_work_on_processors_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cpu_has_bf16", lambda: True)
    monkeypatch.setattr(score_choice, "MIN_PRODUCTS_FOR_BFLOAT16", 600)
    assert isinstance(choose_scores(QUERIES, 100), Bfloat16Scores)
    assert isinstance(choose_scores(QUERIES, 99), ProcessorScores)
    monkeypatch.setattr(devices, "cpu_has_bf16", lambda: False)
    assert isinstance(choose_scores(QUERIES, 100), ProcessorScores)


def test_without_pytorch_numpy_computes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_choice, "find_spec", lambda _name: None)
    monkeypatch.setattr(score_choice, "MIN_PRODUCTS_FOR_BFLOAT16", 0)
    assert isinstance(choose_scores(QUERIES, 100), ProcessorScores)


def test_ranks_in_bfloat16_equal_those_of_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries with a good and a bad document each, documents that are equal, and several blocks."""
    random = np.random.default_rng(0)
    gallery = random.normal(size=(9000, 256)).astype(np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    gallery[6000:6100] = gallery[:100]
    best = random.integers(9000, size=300)
    queries = (gallery[best] + 0.1 * random.normal(size=(300, 256))).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    relevant = [
        {int(row): 1, int(random.integers(9000)): 2} if number % 100 == 0 else {int(row): 1}
        for number, row in enumerate(best)
    ]
    expected = [found.ranks.tolist() for found in ranks.relevant_ranks(queries, gallery, relevant)]
    scores = Bfloat16Scores(queries)
    monkeypatch.setattr(ranks, "choose_scores", lambda *_: scores)
    assert [found.ranks.tolist() for found in ranks.relevant_ranks(queries, gallery, relevant)] == expected
    assert scores._decided
