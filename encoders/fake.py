"""A model without weights, for tests and experiments: it sees colours, and a person can check its vectors.

A picture becomes the mean red, green and blue of its four quadrants, a text the mean of the colours it names, in every
quadrant. A red picture and the word "red" have the same vector; a picture whose left half is red and whose right half
is blue lies halfway between "red" and "blue". Each of its 4 x 4 patches has the vector of a picture of its colour.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.preprocess import Preprocess

__all__ = ["FakeEncoder"]

COLOURS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "magenta": (1, 0, 1),
    "cyan": (0, 1, 1),
    "white": (1, 1, 1),
}

FLOOR = 0.1
"""The thirteenth number of every vector, so that black has a direction too."""

PATCHES_PER_SIDE = 4


class FakeEncoder(Encoder):
    """Thirteen dimensions: red, green, blue of each quadrant (in reading order), and a floor."""

    has_patch_features = True

    def __init__(self, *, batch_size: int = 32, logit_scale: float | None = None) -> None:
        super().__init__(
            model="fake",
            weights="none",
            dim=13,
            preprocess=Preprocess(size=8, mean=(0, 0, 0), std=(1, 1, 1), fit="squash"),
            batch_size=batch_size,
            logit_scale=logit_scale,
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """English: the names of colours."""
        return ("en",)

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D)."""
        n, channels, side, _ = pixels.shape
        half = side // 2
        quadrants = pixels.reshape(n, channels, 2, half, 2, half).mean(axis=(3, 5))  # (n, 3, 2, 2)
        return _with_floor(quadrants.transpose(0, 2, 3, 1).reshape(n, 12))

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D)."""
        n, channels, side, _ = pixels.shape
        patch = side // PATCHES_PER_SIDE
        means = pixels.reshape(n, channels, PATCHES_PER_SIDE, patch, PATCHES_PER_SIDE, patch).mean(
            axis=(3, 5)
        )  # (n, 3, 4, 4)
        colours = np.tile(means.transpose(0, 2, 3, 1).reshape(-1, channels), 4)  # (n * 16, 12)
        return _with_floor(colours).reshape(n, PATCHES_PER_SIDE, PATCHES_PER_SIDE, -1)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D)."""
        means = np.zeros((len(texts), 3), np.float32)
        for row, text in enumerate(texts):
            named = [COLOURS[word] for word in text.lower().split() if word in COLOURS]
            if named:
                means[row] = np.mean(named, axis=0)
        return _with_floor(np.tile(means, 4))  # (n, 12)


def _with_floor(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Append the floor: (n, 12) to (n, 13)."""
    return np.concatenate([colours, np.full((len(colours), 1), FLOOR, np.float32)], axis=1)
