"""The interface of every segmentation model: a picture and prompts in, a map of probabilities for each prompt out.

A subclass implements one forward pass. The base class guarantees finite values, and maps that match the picture pixel
by pixel for any input size and shape of the model.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import BadVectors, InvalidQuery
from encoders.prompts import Prompt

__all__ = ["Maps", "Segmenter", "resized"]

Maps: TypeAlias = NDArray[np.float32]
"""(P, H, W) float32 in 0..1: one map of the size of the picture for each of P prompts."""


class Segmenter(ABC):
    """A model that computes for every pixel the probability that it shows what a prompt describes.

    Creating a segmenter is cheap; weights are loaded for the first picture.
    """

    def __init__(self, *, name: str, context_length: int | None = None) -> None:
        self.name = name
        self.context_length = context_length
        """Maximum number of tokens of a text, special tokens included; None if there is no limit."""

    @abstractmethod
    def forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        """Return logits (P, h, w) on a grid of any size that covers the whole picture, for at least one prompt."""

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002 (used by overrides)
        """Return the number of tokens of `text`, special tokens included; None if texts may have any length."""
        return None

    def truncation_limit(self, text: str) -> int | None:
        """Return how many tokens of `text` are read if it is too long; None if all of them are read."""
        tokens, limit = self.count_tokens(text), self.context_length
        return limit if tokens is not None and limit is not None and tokens > limit else None

    def segment(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """Return the probability of each of P prompts for each pixel of `image` (upright, sRGB): (P, H, W).

        Logits are interpolated bilinearly before they become probabilities, so that the contour of 0.5 stays where the
        model puts it. Raises `InvalidQuery` without a prompt or for an unsupported one, `ModelUnavailable` if files of
        the model are missing, and `BadVectors` if it returns unusable values.
        """
        if not prompts:
            raise InvalidQuery("There is no prompt: give at least one.")
        logits = self.forward(image, prompts)
        if logits.ndim != 3 or len(logits) != len(prompts):
            raise BadVectors(self.name, f"maps of shape {logits.shape} for {len(prompts)} prompts")
        if not np.isfinite(logits).all():
            raise BadVectors(self.name, "not all values are finite")
        maps = np.empty((len(prompts), image.height, image.width), dtype=np.float32)
        for number, grid in enumerate(logits):  # one at a time: a map of a large photo takes 100 MB
            maps[number] = _sigmoid(resized(grid, image.size))
        return maps


def resized(grid: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    """Interpolate a grid (h, w) that covers a picture bilinearly to `size` (width, height): (height, width).

    Values belong to the middle of their cells, and the outermost ones reach to the edge (as `align_corners=False`).
    """
    image = Image.fromarray(np.ascontiguousarray(grid, dtype=np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), dtype=np.float32)  # this form cannot overflow
