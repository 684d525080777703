"""Captions as batches of token IDs, drawn at random for each picture of a batch."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.mini.tokenizer import MAX_TOKENS, Tokenizer, pad, plain
from training.corpora import Caption

__all__ = ["CaptionSampler", "tensors"]


class CaptionSampler:
    """Draws captions of a set of pictures.

    It draws a language first and a caption second, so that languages with few captions count too.
    """

    def __init__(self, captions: Sequence[Caption], names: Sequence[str], tokenizer: Tokenizer) -> None:
        rows = {name: row for row, name in enumerate(names)}
        self._tokenizer = tokenizer
        self._by_picture: list[dict[str, list[str]]] = [defaultdict(list) for _ in names]
        for caption in captions:
            self._by_picture[rows[caption.image]][caption.lang].append(plain(caption.text))

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> list[list[int]]:
        """Return one randomly segmented caption of each picture."""
        return [self._tokenizer.sample(self._one(self._by_picture[row], rng)) for row in rows]

    @staticmethod
    def _one(texts: dict[str, list[str]], rng: np.random.Generator) -> str:
        # The square root evens out: five English captions weigh little more than twice one French caption.
        weights = np.sqrt([len(several) for several in texts.values()])
        several = list(texts.values())[rng.choice(len(weights), p=weights / weights.sum())]
        return several[rng.integers(len(several))]


def tensors(ids: Sequence[Sequence[int]], longest: int = MAX_TOKENS) -> tuple[Tensor, Tensor]:
    """Return token IDs as a padded tensor and its mask, truncated to `longest` tokens."""
    padded, mask = pad([text[:longest] for text in ids])
    return torch.from_numpy(padded), torch.from_numpy(mask)
