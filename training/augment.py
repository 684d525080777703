"""Random crops and colours of pictures, the same on any device."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["crop", "jitter_colours"]


def crop(pictures: Tensor, boxes: NDArray[np.float32], flipped: NDArray[np.bool_], side: int) -> Tensor:
    """Resample the part of pictures (B, C, H, W) inside `boxes` (B, 4) bilinearly to (B, C, side, side)."""
    left, top, right, bottom = torch.from_numpy(np.ascontiguousarray(boxes.T, dtype=np.float32))
    turn = torch.from_numpy(np.where(flipped, -1, 1).astype(np.float32))
    zero = torch.zeros_like(left)
    across = torch.stack([(right - left) * turn, zero, left + right - 1], 1)
    down = torch.stack([zero, bottom - top, top + bottom - 1], 1)
    turned = torch.stack([across, down], 1).to(pictures.device)
    grid = functional.affine_grid(turned, [len(pictures), 1, side, side], align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def jitter_colours(pixels: Tensor, rng: np.random.Generator, amount: float = 0.25) -> Tensor:
    """Change brightness, contrast and saturation of (B, 3, S, S) values in 0..255 by up to `amount`."""
    factors = rng.uniform(1 - amount, 1 + amount, (3, len(pixels), 1, 1, 1)).astype(np.float32)
    light, contrast, colour = torch.from_numpy(factors).to(pixels.device)
    grey = pixels.mean(1, keepdim=True)
    pixels = grey + (pixels - grey) * colour
    mean = pixels.mean((1, 2, 3), keepdim=True)
    return (((pixels - mean) * contrast + mean) * light).clamp(0, 255)
