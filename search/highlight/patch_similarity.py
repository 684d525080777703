"""Where a picture is like a prompt, by an encoder that compares pictures with texts.

The last grid of the image tower is compared with the vector of the prompt, as in MaskCLIP (Zhou, Loy and Dai, "Extract
free dense labels from CLIP", ECCV 2022). For an encoder that was only trained to compare whole pictures with texts, a
plain cosine makes a poor map: every patch is a little like every text. Unless `Encoder.centre_patches` is false, what
all texts have in common is therefore subtracted first, as in CLIP Surgery (Li et al., "A closer look at the
explainability of contrastive language-image pre-training", 2023), there for the classes of a data set: the vector of
the prompt is centred on the mean of sixty background concepts.

The map is not stretched to the range of its values: then every map would seem to show a match. The picture itself gives
the scale: each background concept has a peak in it, and these peaks show how high a meaningless peak is (the maximum
statistic of Nichols and Holmes, "Nonparametric permutation tests for functional neuroimaging", 2002). A value of 0.5 is
`DETECTION_THRESHOLD` standard deviations above their mean. Few of the sixty concepts reach it, most of them because
they are in the picture.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidQuery, ModelUnavailable
from encoders.base import Encoder
from encoders.prompts import PicturePrompt, Prompt, TextPrompt, render_prompt
from encoders.segmenter import Maps, resized
from search.highlight.crops import FINE_GRID, PatchCrop, close_crops, merge_grids, whole_crops

__all__ = ["BACKGROUND_CONCEPTS", "PatchSimilarityEngine"]

BACKGROUND_CONCEPTS = (
    *("a person", "people", "a face", "a hand", "clothes"),
    *("a dog", "a cat", "a bird", "a horse", "a fish", "an insect"),
    *("a tree", "grass", "leaves", "a flower", "a forest"),
    *("a mountain", "rocks", "sand", "snow", "ice", "water", "the sea", "a river"),
    *("the sky", "clouds", "the sun", "night", "fire", "smoke"),
    *("a road", "a street", "a building", "a house", "a wall", "a window", "a door", "a roof", "a floor"),
    *("a table", "a chair", "a bed", "a lamp", "food", "a fruit", "a cup", "a book", "paper", "a sign", "a screen"),
    *("a machine", "a car", "a bicycle", "a boat", "an aeroplane", "a train", "a ball", "a toy", "a tool", "a box"),
)
"""Sixty short texts to compare a prompt with. They were chosen before any measurement; no other list was tried."""

DETECTION_THRESHOLD = 1.25
"""Standard deviations between the mean peak of the background concepts and a value of 0.5."""
STEEPNESS = 3.0
"""Steepness of the logistic curve per standard deviation: the mean peak of the concepts has a value of 0.02."""
MIN_PEAK_SPREAD = 0.02
"""Lower bound of the standard deviation of the peaks, in cosines, for pictures where all peaks are similar."""


class PatchSimilarityEngine:
    """Maps of the similarity between a prompt and the patches of a picture, by `encoder`.

    Raises `ModelUnavailable` if the encoder has no patch features.
    """

    name: Literal["relevance"] = "relevance"

    def __init__(self, encoder: Encoder) -> None:
        if not encoder.has_patch_features:
            raise ModelUnavailable(
                encoder.space.model, "patch features", "Its image tower provides none that are comparable with texts. "
                "Use another model, or a segmentation model."
            )  # fmt: skip
        self.encoder = encoder

    @property
    def model(self) -> str:
        """The name of the encoder."""
        return self.encoder.space.model

    def truncation_limit(self, text: str) -> int | None:
        """Return how many tokens of `text` the encoder reads if it is too long; None if it reads all of them."""
        return self.encoder.truncation_limit(text)

    def maps(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """Return how similar each place of `image` is to each of P prompts: (P, H, W) in 0..1; 0.5 counts as found.

        Raises `InvalidQuery` for a vector of another space, and `BadVectors` if the encoder misbehaves.
        """
        common, concepts = self._concepts
        prompt_vectors = _unit(np.stack([self._vector(prompt) for prompt in prompts]) - common)  # (P, D)
        values = self._similarity(image, np.concatenate([prompt_vectors, concepts]))  # (P + C, h, w)
        peaks = values[len(prompts) :].max(axis=(1, 2))  # (C,)
        spread = max(float(peaks.std()), MIN_PEAK_SPREAD)
        excess = (values[: len(prompts)] - peaks.mean()) / spread - DETECTION_THRESHOLD  # (P, h, w)
        graded = 0.5 + 0.5 * np.tanh(0.5 * STEEPNESS * excess)
        maps = np.empty((len(prompts), image.height, image.width), dtype=np.float32)
        for number, grid in enumerate(graded):
            maps[number] = resized(grid, image.size)
        return maps

    def _similarity(self, image: Image.Image, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosines of N vectors (N, D) with every place of the picture: (N, h, w), on the canvas."""
        square = self.encoder.patch_preprocess.fit != "squash"
        crops = whole_crops(image.size, square=square)
        patches = self._patches(image, crops, square=square)
        if min(patches.shape[1:3]) < FINE_GRID:
            closer = close_crops(image.size, square=square)
            patches = np.concatenate([patches, self._patches(image, closer, square=square)])
            crops += closer
        cosines = np.asarray(np.einsum("vrcd,nd->vnrc", patches, vectors), dtype=np.float32)
        return merge_grids(crops, cosines, image.size)

    def _patches(self, image: Image.Image, crops: Sequence[PatchCrop], *, square: bool) -> NDArray[np.float32]:
        """Return the patch features of V crops of a picture: (V, rows, columns, D)."""
        preprocess = self.encoder.patch_preprocess
        pixels = np.stack([preprocess.pixels(crop.of(image, square=square)) for crop in crops])  # (V, S, S, 3)
        return self.encoder.encode_patches(pixels)

    def _vector(self, prompt: Prompt) -> NDArray[np.float32]:
        """Return the unit vector (D,) of a prompt."""
        if isinstance(prompt, TextPrompt):
            return np.asarray(self.encoder.encode_patch_texts([prompt.text])[0])
        if isinstance(prompt, PicturePrompt):
            return np.asarray(self.encoder.encode_images([render_prompt(prompt)])[0])
        dim = self.encoder.space.dim
        if prompt.vector.shape != (dim,):
            raise InvalidQuery(f"Vectors of {self.model} have {dim} numbers, not {len(prompt.vector)}.")
        return np.asarray(prompt.vector / np.linalg.norm(prompt.vector), dtype=np.float32)

    @cached_property
    def _concepts(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vector to subtract (D,), and the background concepts without it as unit vectors (C, D)."""
        vectors = self.encoder.encode_patch_texts(BACKGROUND_CONCEPTS)
        common = vectors.mean(axis=0) * np.float32(self.encoder.centre_patches)
        return common, _unit(vectors - common)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows (N, D) of unit length. A row that equals the mean stays nearly zero, and is similar to nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-3), dtype=np.float32)
