"""The dev split as queries, for the log. It is not used for gradients."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.mini.tokenizer import Tokenizer
from search.evaluate.metrics import parse_metric
from search.evaluate.ranks import relevant_ranks
from training import corpora
from training.caption_sampler import tensors
from training.model import TextTower

__all__ = ["DevQueries"]

_BATCH = 500


@dataclass(frozen=True)
class DevQueries:
    """Captions of the dev pictures as token IDs, by language, with the row of their picture."""

    by_language: dict[str, tuple[Sequence[Sequence[int]], NDArray[np.int64]]]

    @classmethod
    def load(cls, data: Path, prepared: Path, tokenizer: Tokenizer) -> "DevQueries":
        """Read the captions from `data`, and the order of the pictures from the prepared folder of dev."""
        rows = {name: row for row, name in enumerate(json.loads((prepared / "names.json").read_text()))}
        captions = corpora.captions(data, "dev")
        return cls(
            {
                lang: (
                    [tokenizer(caption.text) for caption in captions if caption.lang == lang],
                    np.array([rows[caption.image] for caption in captions if caption.lang == lang]),
                )
                for lang in corpora.LANGUAGES
            }
        )

    @torch.no_grad()
    def summary(self, tower: TextTower, pictures: Tensor) -> str:
        """Return R@10 and MRR by language for unit picture vectors (N, D)."""
        parts = []
        for lang, (ids, owners) in self.by_language.items():
            order = np.argsort([len(text) for text in ids])  # alike lengths together: little padding
            batches = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
            texts = [tower(*tensors([ids[i] for i in batch])) for batch in batches]
            right = [{row: 1} for row in owners[order].tolist()]
            ranked = relevant_ranks(torch.cat(texts).numpy(), pictures.numpy(), right)
            recall, mrr = (parse_metric(name).values(ranked).mean() for name in ("recall@10", "mrr"))
            parts.append(f"{lang} {recall:.3f}/{mrr:.3f}")
        return " ".join(parts)
