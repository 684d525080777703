"""The choice of what computes the scores of an evaluation: NumPy, PyTorch in bfloat16, or a GPU."""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from encoders import machine
from search.evaluate.score_counts import ProcessorScores, Scores

__all__ = ["MIN_PRODUCTS_FOR_BFLOAT16", "MIN_PRODUCTS_FOR_GPU", "choose_scores"]

MIN_PRODUCTS_FOR_GPU = 10**11
"""The number of multiplications from which a GPU is used. They take seconds, as does importing PyTorch.

Chosen from times on a processor; no card was at hand to measure where one begins to be faster.
"""
MIN_PRODUCTS_FOR_BFLOAT16 = 10**12
"""The number of multiplications from which PyTorch is imported for bfloat16. NumPy takes about 10 s on two cores."""


def choose_scores(queries: NDArray[np.float32], documents: int) -> Scores:
    """Return the fastest scores for `queries` (Q, D) and a number of documents."""
    products = queries.size * documents
    wants_gpu = products >= MIN_PRODUCTS_FOR_GPU and machine.has_nvidia_card()
    if (wants_gpu or products >= MIN_PRODUCTS_FOR_BFLOAT16) and find_spec("torch"):
        import torch

        from encoders.devices import cpu_has_bf16
        from search.evaluate.torch_scores import Bfloat16Scores, TorchScores

        if wants_gpu and torch.cuda.is_available():
            return TorchScores(queries, torch.device("cuda"))
        if products >= MIN_PRODUCTS_FOR_BFLOAT16 and cpu_has_bf16():
            return Bfloat16Scores(queries)
    return ProcessorScores(queries)
