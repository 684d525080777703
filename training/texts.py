"""Texts as batches of token IDs, and their vectors."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from encoders.mini.tokenizer import BOS, pad

__all__ = ["UNKNOWN", "Ids", "drop_tokens", "encode"]

Ids: TypeAlias = Sequence[int]
UNKNOWN = 1
_CHUNK = 600


def encode(tower: nn.Module, texts: Sequence[Ids], chunk: int = _CHUNK) -> Tensor:
    """Return the vectors (N, D) of N texts. Texts of similar length share a batch, so that there is little padding."""
    device = next(tower.parameters()).device
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    parts = []
    for start in range(0, len(order), chunk):
        ids, mask = pad([texts[row] for row in order[start : start + chunk]])
        parts.append(tower(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)))
    return torch.cat(parts)[torch.from_numpy(np.argsort(order)).to(device)]


def drop_tokens(texts: Sequence[Ids], rate: float, rng: np.random.Generator) -> list[Ids]:
    """Replace each token, except the first one of a text, by `UNKNOWN` with probability `rate`."""
    tokens = np.concatenate([np.asarray(text, np.int64) for text in texts])
    tokens[(tokens > BOS) & (rng.random(len(tokens)) < rate)] = UNKNOWN
    return [part.tolist() for part in np.split(tokens, np.cumsum([len(text) for text in texts])[:-1])]
