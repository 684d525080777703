"""The dev split as queries, for the log. It is not used for gradients."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from encoders.mini.tokenizer import Tokenizer
from search.evaluate.metrics import parse_metric
from search.evaluate.ranks import relevant_ranks
from training import corpora
from training.model import Mini
from training.pictures import read_names
from training.pixels import normalise
from training.texts import Ids, encode

__all__ = ["DevQueries"]

_BATCH = 50


@dataclass(frozen=True)
class DevQueries:
    """Captions of the dev pictures as token IDs, by language, with the row of their picture."""

    by_language: dict[str, tuple[Sequence[Ids], NDArray[np.int64]]]

    @classmethod
    def load(cls, data: Path, prepared: Path, tokenizer: Tokenizer) -> "DevQueries":
        """Read the captions from `data`, and the order of the pictures from the prepared folder of dev."""
        rows = {name: row for row, name in enumerate(read_names(prepared))}
        captions = [caption for caption in corpora.captions(data, "dev") if caption.image in rows]
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
    def summary(self, model: Mini, squares: NDArray[np.uint8]) -> str:
        """Return R@10 and MRR by language over the prepared pictures (N, S, S, 3)."""
        device = next(model.parameters()).device
        batches = (squares[start : start + _BATCH] for start in range(0, len(squares), _BATCH))
        pixels = (torch.from_numpy(np.array(batch)).permute(0, 3, 1, 2).to(device) for batch in batches)
        pictures = torch.cat([model(normalise(batch)) for batch in pixels]).cpu().numpy()
        parts = []
        for lang, (ids, owners) in self.by_language.items():
            right = [{row: 1} for row in owners.tolist()]
            ranked = relevant_ranks(encode(model.text, ids).cpu().numpy(), pictures, right)
            recall, mrr = (parse_metric(name).values(ranked).mean() for name in ("recall@10", "mrr"))
            parts.append(f"{lang} {recall:.3f}/{mrr:.3f}")
        return " ".join(parts)
