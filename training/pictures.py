"""Prepared pictures as inputs of the image tower, with the teacher's view of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.augment import crop, jitter_colours
from training.pixels import normalise
from training.trunk import Classifier
from training.views import random_boxes

__all__ = ["Drawn", "MapSource", "PixelSource", "Source", "read_names"]

_AREA = (0.4, 1.0)
"""How much of a picture a crop shows."""
_JITTER = 0.3
_PART = 256
"""Pictures that the teacher sees at a time. It needs 8 MB for each."""


@dataclass(frozen=True)
class Drawn:
    """Random views of B pictures."""

    inputs: Tensor
    """Pixels (B, 3, S, S), or maps (B, 120, h, w)."""
    logits: Tensor | None
    """The teacher's logits (B, 1000) for the same views."""


class Source(Protocol):
    """Pictures that can be drawn by row."""

    names: list[str]

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Drawn:
        """Return a random view of each picture."""


class PixelSource:
    """Squares of `training.prepare`: crops of any part, judged by the teacher as they are drawn."""

    def __init__(self, folder: Path, side: int, teacher: Classifier | None, device: torch.device) -> None:
        self.names = read_names(folder)
        self._pixels = np.load(folder / "pixels.npy", mmap_mode="r")  # (N, P, P, 3)
        self._side, self._teacher, self._device = side, teacher, device

    @torch.no_grad()
    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Drawn:
        """Return a random crop of each picture."""
        squares = torch.from_numpy(self._pixels[rows]).to(self._device).permute(0, 3, 1, 2).float()
        pixels = crop(squares, random_boxes(rng, len(rows), _AREA), rng.random(len(rows)) < 0.5, self._side)
        pixels = normalise(jitter_colours(pixels, rng, _JITTER)).contiguous(memory_format=torch.channels_last)
        return Drawn(pixels, self._judged(self._teacher, pixels) if self._teacher is not None else None)

    def _judged(self, teacher: Classifier, pixels: Tensor) -> Tensor:
        return torch.cat([teacher(part) for part in pixels.split(_PART)])


class MapSource:
    """Maps of `training.cache_maps`: one of the views of a picture, mirrored or not."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.names = read_names(folder)
        self._fine = np.load(folder / "fine.npy", mmap_mode="r")  # (N, K, 120, h, w)
        logits = folder / "logits.npy"
        self._logits = np.load(logits, mmap_mode="r") if logits.exists() else None  # (N, K, 1000)
        self._device = device

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Drawn:
        """Return a random view of each picture."""
        views = rng.integers(self._fine.shape[1], size=len(rows))
        maps = self._tensor(self._fine[rows, views])
        mirrored = torch.from_numpy(rng.random(len(rows)) < 0.5).to(self._device)
        maps = torch.where(mirrored[:, None, None, None], maps.flip(3), maps)
        logits = self._tensor(self._logits[rows, views]) if self._logits is not None else None
        return Drawn(maps.contiguous(memory_format=torch.channels_last), logits)

    def _tensor(self, values: NDArray[np.float16]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self._device)


def read_names(folder: Path) -> list[str]:
    """Return the names of the pictures of a prepared set."""
    names: list[str] = json.loads((folder / "names.json").read_text())
    return names
