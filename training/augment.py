"""Apply the same random crop to cached squares (the student's input) and cached maps (its target)."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from encoders.preprocess import Preprocess

__all__ = ["Crops", "crop", "jitter_colours", "normalise"]


@dataclass(frozen=True)
class Crops:
    """One crop for each picture of a batch: its position in the picture, and in the teacher's view of the picture."""

    in_picture: NDArray[np.float32]  # (B, 4)
    in_view: NDArray[np.float32]  # (B, 4)
    flipped: NDArray[np.bool_]  # (B,)

    @classmethod
    def draw(cls, boxes: NDArray[np.float32], rng: np.random.Generator, least: float = 0.8) -> "Crops":
        """Draw crops of views at `boxes` (B, 4); each side keeps a fraction from `least` to 1 of its view."""
        count = len(boxes)
        sides = rng.uniform(least, 1, (count, 2))
        corner = rng.uniform(0, 1, (count, 2)) * (1 - sides)
        inner = np.concatenate([corner, corner + sides], axis=1).astype(np.float32)
        origin, extent = np.tile(boxes[:, :2], 2), np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        return cls(origin + inner * extent, inner, rng.random(count) < 0.5)


def crop(maps: Tensor, boxes: NDArray[np.float32], flipped: NDArray[np.bool_], side: int) -> Tensor:
    """Resample the part of maps (B, C, H, W) inside `boxes` (B, 4) bilinearly to (B, C, side, side)."""
    left, top, right, bottom = torch.from_numpy(np.ascontiguousarray(boxes.T, dtype=np.float32))
    turn = torch.from_numpy(np.where(flipped, -1, 1).astype(np.float32))
    zero = torch.zeros_like(left)
    across = torch.stack([(right - left) * turn, zero, left + right - 1], 1)
    down = torch.stack([zero, bottom - top, top + bottom - 1], 1)
    grid = functional.affine_grid(torch.stack([across, down], 1), [len(maps), 1, side, side], align_corners=False)
    return functional.grid_sample(maps, grid, padding_mode="border", align_corners=False)


def normalise(pixels: Tensor, preprocess: Preprocess) -> Tensor:
    """Normalise (B, 3, S, S) values in 0..255, as `Preprocess.normalise` does."""
    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in (preprocess.mean, preprocess.std))
    return (pixels / 255 - mean) / std


def jitter_colours(pixels: Tensor, generator: torch.Generator, amount: float = 0.25) -> Tensor:
    """Change brightness, contrast and saturation of (B, 3, S, S) values in 0..255 by up to `amount`."""
    light, contrast, colour = 1 + amount * (2 * torch.rand(3, len(pixels), 1, 1, 1, generator=generator) - 1)
    grey = pixels.mean(1, keepdim=True)
    pixels = grey + (pixels - grey) * colour
    mean = pixels.mean((1, 2, 3), keepdim=True)
    return ((pixels - mean) * contrast + mean) * light
