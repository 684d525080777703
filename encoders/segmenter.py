"""The seam between Sightline and every segmenter: a picture and prompts in, a map of probabilities for each prompt out.

An implementer writes one forward pass; the base class owns what must hold for every segmenter: finite values, and maps
that lie on the picture pixel by pixel, whatever size and shape the model sees it in.
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
"""(P, H, W) float32 in 0..1: one map for each of P prompts, as large as the picture."""


class Segmenter(ABC):
    """A model that says of every pixel how likely it shows what a prompt asks for.

    Building one is cheap; weights are loaded by the first picture.
    """

    def __init__(self, *, name: str, context_length: int | None = None) -> None:
        self.name = name
        self.context_length = context_length
        """Most tokens of a text that the model reads, those at its ends included; None when there is no limit."""

    @abstractmethod
    def _forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        """Logits (P, h, w) of a grid of any size that covers the whole picture, for at least one prompt."""

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002 (for those that have a limit)
        """How many tokens `text` is, those at its ends included; None when the model reads texts of any length."""
        return None

    def segment(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """Where `image`, upright and in sRGB, shows what each of P prompts asks for: (P, H, W), probabilities.

        Logits are interpolated bilinearly, then made probabilities: so the line of 0.5 is where the model puts it.
        Raises `InvalidQuery` without a prompt or for one that the model cannot take, `ModelUnavailable` when its files
        are not there, and `BadVectors` when it misbehaves.
        """
        if not prompts:
            raise InvalidQuery("say what to look for in the picture")
        logits = self._forward(image, prompts)
        if logits.ndim != 3 or len(logits) != len(prompts):
            raise BadVectors(self.name, f"maps of shape {logits.shape} for {len(prompts)} prompts")
        if not np.isfinite(logits).all():
            raise BadVectors(self.name, "not all values are finite")
        maps = np.empty((len(prompts), image.height, image.width), dtype=np.float32)
        for number, grid in enumerate(logits):  # one at a time: a map of a large photo takes 100 MB
            maps[number] = _sigmoid(resized(grid, image.size))
        return maps


def resized(grid: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    """A grid (h, w) that covers a picture, interpolated bilinearly to `size` (width, height): (height, width).

    Values belong to the middle of their cells, and the outermost reach to the edge (as `align_corners=False`).
    """
    image = Image.fromarray(np.ascontiguousarray(grid, dtype=np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), dtype=np.float32)  # nothing here can overflow
