"""A batch that is larger than the memory: the activations of a part of it are kept at a time.

They are computed again in the backward pass (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). The
losses still see the vectors of the whole batch. Batch normalisation sees each part by itself, and its running
statistics move once for each part.
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

__all__ = ["in_parts"]


def in_parts(model: nn.Module, batch: Tensor, size: int) -> Tensor:
    """Apply a model to parts of a batch (N, ...), each of at most `size` rows, and return its output for all rows.

    The numbers of rows of two parts differ by one at most.
    """
    if len(batch) <= size:
        whole: Tensor = model(batch)
        return whole

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """Return the contexts of the first pass and of that within the backward pass."""
        return nullcontext(), _statistics_kept(model)

    parts = batch.tensor_split(math.ceil(len(batch) / size))
    return torch.cat([checkpoint(model, part, use_reentrant=False, context_fn=contexts) for part in parts])


@contextmanager
def _statistics_kept(model: nn.Module) -> Iterator[None]:
    """Do not count a part for the running statistics, which counted it before."""
    norms = [each for each in model.modules() if isinstance(each, nn.BatchNorm2d)]
    before = [(each.momentum, each.num_batches_tracked) for each in norms]
    for each in norms:
        each.momentum, each.num_batches_tracked = 0.0, torch.zeros_like(each.num_batches_tracked)
    try:
        yield
    finally:
        for each, (momentum, counted) in zip(norms, before, strict=True):
            each.momentum, each.num_batches_tracked = momentum, counted
