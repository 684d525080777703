"""Exact ranks computed on a graphics card equal those computed on the processor."""

import numpy as np
import pytest

from search.evaluate import score_choice
from search.evaluate.ranks import relevant_ranks
from search.evaluate.torch_scores import TorchScores

pytestmark = pytest.mark.gpu


@pytest.mark.usefixtures("card")
def test_ranks_equal_those_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors of 16 bits, some of them equal, with one to three relevant documents for each query."""
    random = np.random.default_rng(0)
    gallery = random.normal(size=(30_000, 512)).astype(np.float16)
    gallery[20_000:21_000] = gallery[:1000]
    queries = random.normal(size=(1500, 512)).astype(np.float32)
    relevant = [{int(row): 1 for row in random.integers(30_000, size=1 + number % 3)} for number in range(1500)]
    expected = [ranks.ranks.tolist() for ranks in relevant_ranks(queries, gallery, relevant)]
    monkeypatch.setattr(score_choice, "MIN_PRODUCTS_FOR_GPU", 0)
    assert isinstance(score_choice.choose_scores(queries, 1), TorchScores)
    assert [ranks.ranks.tolist() for ranks in relevant_ranks(queries, gallery, relevant)] == expected
