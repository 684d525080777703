"""From a decoded picture to the tensor that a model reads. Decoding files is the task of `pictures`.

`Preprocess` is part of a space's fingerprint: any change that affects pixels must increment `PREPROCESS_VERSION`.

The pixels equal those of open_clip's evaluation transform, and those of the Pillow-based image processors of
transformers. Tests compare both.
"""

from dataclasses import asdict, dataclass, fields
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["PREPROCESS_VERSION", "Fit", "Interpolation", "Preprocess"]

PREPROCESS_VERSION = 1
"""Incremented whenever the same picture would give other pixels than before."""

Fit: TypeAlias = Literal["squash", "crop", "pad"]
Interpolation: TypeAlias = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


@dataclass(frozen=True)
class Preprocess:
    """How a model prepares its pixels.

    `size` is the side of the square input in pixels. `fit` is how a picture becomes that square: `squash` scales both
    sides independently (nothing is lost, shapes are stretched), `crop` scales the shorter side and keeps the middle (as
    CLIP does), `pad` scales the longer side and fills the rest with the grey level `fill` (0 to 255). open_clip calls
    them squash, shortest and longest. `mean` and `std` are per channel (R, G, B), on values in 0..1.

    If the middle of a picture falls between two pixels, `crop` starts at the even one of the two (`half="even"`, as
    torchvision rounds) or at the lower one (`half="down"`, as transformers does). With `shorter`, `crop` scales the
    shorter side to that length instead of `size`, and keeps less of the picture.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Fit = "crop"
    version: int = PREPROCESS_VERSION
    interpolation: Interpolation = "bicubic"
    fill: int = 0
    half: Literal["even", "down"] = "even"
    shorter: int | None = None

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the square input of `image`, (size, size, 3) uint8, resampled with antialiasing.

        An image of any mode is converted to RGB.
        """
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        if self.fit == "squash":
            square = self._scaled(rgb, (self.size, self.size))
        else:
            square = self._cropped(rgb) if self.fit == "crop" else self._padded(rgb)
        return np.asarray(square, dtype=np.uint8)  # (S, S, 3)

    def normalise(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Convert (N, S, S, 3) uint8 to (N, 3, S, S) float32: scale to 0..1, then (x - mean) / std."""
        scaled = batch.astype(np.float32) / np.float32(255)  # (N, S, S, 3)
        centred = (scaled - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(centred.transpose(0, 3, 1, 2))  # (N, 3, S, S)

    def as_dict(self) -> dict[str, object]:
        """Return the fields that affect pixels, for the space's fingerprint and for JSON.

        Fields with their default value are omitted: new fields do not change existing fingerprints.
        """
        always = {"size", "mean", "std", "version"}
        defaults = {field.name: field.default for field in fields(self) if field.name not in always}
        return {name: value for name, value in asdict(self).items() if name in always or value != defaults[name]}

    def _scaled(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        return image.resize(size, Image.Resampling[self.interpolation.upper()])

    def _cropped(self, image: Image.Image) -> Image.Image:
        # The whole image is scaled: scaling only the middle is cheaper, but changes some pixels by one level of 255.
        shorter, side = self.shorter or self.size, min(image.size)
        scaled = self._scaled(image, (shorter * image.width // side, shorter * image.height // side))
        left, top = (self._middle(length - self.size) for length in scaled.size)
        return scaled.crop((left, top, left + self.size, top + self.size))

    def _middle(self, rest: int) -> int:
        """Return how much of `rest` is cut off at the start."""
        return rest // 2 if self.half == "down" else round(rest / 2)

    def _padded(self, image: Image.Image) -> Image.Image:
        longest = max(image.size)
        width, height = (max(1, round(length / (longest / self.size))) for length in image.size)
        square = Image.new("RGB", (self.size, self.size), (self.fill,) * 3)
        square.paste(self._scaled(image, (width, height)), ((self.size - width) // 2, (self.size - height) // 2))
        return square
