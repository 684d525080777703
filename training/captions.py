"""Captions as token IDs, drawn at random for each picture of a batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.mini.tokenizer import Tokenizer
from training.corpora import Caption
from training.texts import Ids

__all__ = ["LANGUAGE_WEIGHTS", "CaptionSampler"]

LANGUAGE_WEIGHTS = {"en": 0.3, "zh": 0.2, "ar": 0.15, "de": 0.2, "fr": 0.075, "cs": 0.075}
"""How often a language is drawn if a picture has captions in all of them. French and Czech have one caption for each
photo, English has five."""


class CaptionSampler:
    """Draws captions of a set of pictures: first a language, then one of its captions."""

    def __init__(self, captions: Sequence[Caption], names: Sequence[str], tokenizer: Tokenizer) -> None:
        rows = {name: row for row, name in enumerate(names)}
        self._by_picture: list[dict[str, list[Ids]]] = [{} for _ in names]
        for caption in captions:
            self._by_picture[rows[caption.image]].setdefault(caption.lang, []).append(tokenizer(caption.text))

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> list[Ids]:
        """Return one caption of each picture."""
        return [self._one(self._by_picture[row], rng) for row in rows]

    @staticmethod
    def _one(texts: dict[str, list[Ids]], rng: np.random.Generator) -> Ids:
        weights = np.array([LANGUAGE_WEIGHTS[lang] for lang in texts])
        several = list(texts.values())[int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum()))]
        return several[int(rng.integers(len(several)))]
