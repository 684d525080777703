"""Where a picture is like a prompt, by a model that was only trained to compare whole pictures with texts.

The image tower's last grid of cells is compared with the prompt's vector, as in MaskCLIP (Zhou, Loy and Dai, "Extract
free dense labels from CLIP", ECCV 2022). A plain cosine makes a poor map: every cell is a little like every text. So
what all texts have in common is taken away first, as in CLIP Surgery (Li et al., "A closer look at the explainability
of contrastive language-image pre-training", 2023), there for the classes of a data set: the prompt's vector is centred
on the mean of sixty everyday things.

The result must not be stretched until something lights up. What a cosine means is asked of the same picture instead:
each everyday thing has a peak somewhere in it, and these peaks are what a peak is worth that means nothing much (the
maximum statistic of Nichols and Holmes, "Nonparametric permutation tests for functional neuroimaging", 2002). A value
of 0.5 is `SURPRISE` standard deviations above their mean: few of sixty everyday things get there, most of them because
they are really shown.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidQuery, ModelUnavailable
from encoders.base import Encoder
from encoders.image_prompt import shown_picture
from encoders.prompts import PicturePrompt, Prompt, TextPrompt
from encoders.segmenter import Maps, resized
from search.highlight.background_concepts import EVERYDAY
from search.highlight.crops import lay_out, views_of
from search.highlight.engine import cut

__all__ = ["Relevance"]

SURPRISE = 1.25
"""Standard deviations between the mean peak of everyday things and a value of 0.5."""
STEEPNESS = 3.0
"""Of the logistic curve, for one standard deviation: the mean peak of everyday things has a value of 0.02."""
LEAST_SPREAD = 0.02
"""Of the peaks, in cosines: where a picture is like nothing at all, small differences must not count as large."""


class Relevance:
    """Maps by the cells of `encoder`. Raises `ModelUnavailable` when it has none."""

    name: Literal["relevance"] = "relevance"

    def __init__(self, encoder: Encoder) -> None:
        if not encoder.has_cells:
            raise ModelUnavailable(
                encoder.space.model, "cells", "its image tower has no grid that lies in the space of its texts; "
                "ask another model, or a segmenter"
            )  # fmt: skip
        self.encoder = encoder

    @property
    def model(self) -> str:
        """Which model makes the maps."""
        return self.encoder.space.model

    def cut(self, text: str) -> int | None:
        """As the encoder's context has it."""
        return cut(self.encoder.count_tokens(text), self.encoder.context_length)

    def maps(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """How much each place of `image` is like each of P prompts: (P, H, W) in 0..1; 0.5 is a find.

        Raises `InvalidQuery` for a vector of another space, and `BadVectors` when the model misbehaves.
        """
        common, everyday = self._everyday
        wanted = _unit(np.stack([self._vector(prompt) for prompt in prompts]) - common)  # (P, D)
        values = self._similarity(image, np.concatenate([wanted, everyday]))  # (P + E, h, w)
        peaks = values[len(prompts) :].max(axis=(1, 2))  # (E,)
        spread = max(float(peaks.std()), LEAST_SPREAD)
        surprise = (values[: len(prompts)] - peaks.mean()) / spread - SURPRISE  # (P, h, w)
        graded = 0.5 + 0.5 * np.tanh(0.5 * STEEPNESS * surprise)
        maps = np.empty((len(prompts), image.height, image.width), dtype=np.float32)
        for number, grid in enumerate(graded):
            maps[number] = resized(grid, image.size)
        return maps

    def _similarity(self, image: Image.Image, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosines of N vectors (N, D) with what is seen everywhere in the picture: (N, h, w), on the canvas."""
        preprocess = self.encoder.preprocess
        square = preprocess.fit != "squash"
        views = views_of(image.size, square=square)
        pixels = np.stack([preprocess.pixels(view.of(image, square=square)) for view in views])  # (V, S, S, 3)
        cells = self.encoder.encode_cells(pixels)  # (V, rows, columns, D)
        cosines = np.asarray(np.einsum("vrcd,nd->vnrc", cells, vectors), dtype=np.float32)
        return lay_out(views, cosines, image.size)

    def _vector(self, prompt: Prompt) -> NDArray[np.float32]:
        """The unit vector (D,) of a prompt."""
        if isinstance(prompt, TextPrompt):
            return np.asarray(self.encoder.encode_texts([prompt.text])[0])
        if isinstance(prompt, PicturePrompt):
            return np.asarray(self.encoder.encode_images([shown_picture(prompt)])[0])
        dim = self.encoder.space.dim
        if prompt.vector.shape != (dim,):
            raise InvalidQuery(f"{self.model} has vectors of {dim} numbers, not of {len(prompt.vector)}")
        return np.asarray(prompt.vector / np.linalg.norm(prompt.vector), dtype=np.float32)

    @cached_property
    def _everyday(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What all texts have in common (D,), and the everyday things without it (E, D)."""
        vectors = self.encoder.encode_texts(EVERYDAY)
        common = vectors.mean(axis=0)
        return common, _unit(vectors - common)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (N, D) of unit length; one that is the common part alone stays nearly zero, and is like nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-3), dtype=np.float32)
