"""From a decoded picture to the tensor a model reads. Knows nothing of files; decoding is the indexer's work.

`Preprocess` is part of a space's fingerprint: any change of it that moves pixels must raise `PREPROCESS_VERSION`.
"""

from dataclasses import asdict, dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["PREPROCESS_VERSION", "Preprocess"]

PREPROCESS_VERSION = 1
"""Raised whenever the same picture would yield other pixels than before."""


@dataclass(frozen=True)
class Preprocess:
    """How one model wants its pixels.

    `size` is the side in pixels of the square input. `fit` is how a picture becomes that square: `squash` scales both
    sides independently (nothing is lost, shapes are stretched), `crop` scales the shorter side and keeps the middle (as
    CLIP does). `mean` and `std` are per channel (R, G, B), on values in 0..1.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Literal["squash", "crop"] = "crop"
    version: int = PREPROCESS_VERSION

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """The model's square of `image` (any mode, shown as RGB), resampled bicubically with antialiasing.

        Returns a (size, size, 3) array of uint8.
        """
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        box = None if self.fit == "squash" else _middle(rgb.width, rgb.height)
        square = rgb.resize((self.size, self.size), Image.Resampling.BICUBIC, box=box)
        return np.asarray(square, dtype=np.uint8)  # (S, S, 3)

    def normalise(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Channels first, scaled to 0..1, then (x - mean) / std: (N, S, S, 3) uint8 to (N, 3, S, S) float32."""
        scaled = batch.astype(np.float32) / np.float32(255)  # (N, S, S, 3)
        centred = (scaled - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(centred.transpose(0, 3, 1, 2))  # (N, 3, S, S)

    def as_dict(self) -> dict[str, object]:
        """What moves a pixel, for the space's fingerprint and for JSON.

        A field that has its default value is left out: a field added later then changes no fingerprint of before.
        """
        always = {"size", "mean", "std", "version"}
        defaults = {field.name: field.default for field in fields(self) if field.name not in always}
        return {name: value for name, value in asdict(self).items() if name in always or value != defaults[name]}


def _middle(width: int, height: int) -> tuple[float, float, float, float]:
    """The largest centred square of a picture, as (left, top, right, bottom)."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side
