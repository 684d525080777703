"""Prepared pictures in batches: crops, the teacher's maps of the same crops, and captions if there are any."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.mini.tokenizer import Tokenizer
from training import corpora
from training.augment import Crops, crop, jitter_colours, normalise
from training.caption_sampler import CaptionSampler
from training.scenes import scene_captions
from training.student import PREPROCESS

__all__ = ["Batch", "PictureSet", "Sampler", "captioned_pictures"]


@dataclass(frozen=True)
class PictureSet:
    """The files of `training.prepare` for N pictures with K views each."""

    pixels: NDArray[np.uint8]  # (N, P, P, 3)
    boxes: NDArray[np.float32]  # (N, K, 4)
    grids: NDArray[np.float16]  # (N, K, 7, 7, D)
    names: list[str]

    @classmethod
    def load(cls, folder: Path) -> "PictureSet":
        """Memory-map the files in `folder`."""
        names = json.loads((folder / "names.json").read_text())
        pixels, grids = (np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("pixels", "grids"))
        return cls(pixels, np.load(folder / "boxes.npy"), grids, names)

    def __len__(self) -> int:
        return len(self.names)

    def first(self, count: int) -> "PictureSet":
        """Return the first `count` pictures."""
        return PictureSet(self.pixels[:count], self.boxes[:count], self.grids[:count], self.names[:count])

    def __add__(self, other: "PictureSet") -> "PictureSet":
        """Concatenate both in memory; the views of `other` are repeated up to the number of views here."""
        views = np.arange(self.boxes.shape[1]) % other.boxes.shape[1]
        return PictureSet(
            np.concatenate([self.pixels, other.pixels]),
            np.concatenate([self.boxes, other.boxes[:, views]]),
            np.concatenate([self.grids, other.grids[:, views]]),
            self.names + other.names,
        )


@dataclass(frozen=True)
class Batch:
    """B crops; the first C of them have captions."""

    pixels: Tensor  # (B, 3, S, S), normalised
    grids: Tensor  # (B, D, S/16, S/16)
    texts: list[list[list[int]]]  # several times C captions as token ids
    owners: Tensor  # (C,) a number for each captioned picture


class Sampler:
    """Batches of captioned pictures, once per epoch each, and of others drawn at random."""

    def __init__(
        self,
        captioned: PictureSet,
        captions: CaptionSampler,
        others: PictureSet | None,
        batch: int,
        extra: int,
        drawn: int,
    ) -> None:
        self._captioned, self._captions, self._others, self._drawn = captioned, captions, others, drawn
        self._rows, self._extra = batch, extra

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return len(self._captioned) // self._rows

    def batch(self, rows: NDArray[np.int64], side: int, rng: np.random.Generator) -> Batch:
        """Return the captioned pictures at `rows` and random others, `side` pixels wide."""
        parts = [_views(self._captioned, rows, side, rng)]
        if self._others is not None:
            parts.append(_views(self._others, rng.integers(len(self._others), size=self._extra), side, rng))
        pixels, grids = (torch.cat(part) for part in zip(*parts, strict=True))
        seed = torch.Generator().manual_seed(int(rng.integers(2**62)))
        texts = [self._captions.draw(rows, rng) for _ in range(self._drawn)]
        pixels = normalise(jitter_colours(pixels, seed), PREPROCESS)
        return Batch(pixels, grids, texts, torch.from_numpy(rows))

    def epoch(self, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Yield the rows of the captioned pictures in batches, in random order."""
        order = rng.permutation(len(self._captioned))
        for index in range(len(self)):
            yield order[index * self._rows : (index + 1) * self._rows]


def captioned_pictures(
    data: Path, prepared: Path, scenes: int, tokenizer: Tokenizer
) -> tuple[PictureSet, CaptionSampler]:
    """Return the training photos and the first `scenes` rendered scenes, with all their captions."""
    photos, rendered = PictureSet.load(prepared / "train"), PictureSet.load(prepared / "scenes")
    pictures = photos + rendered.first(scenes)
    words = corpora.captions(data, "train") + scene_captions(scenes)
    return pictures, CaptionSampler(words, pictures.names, tokenizer)


def _views(pictures: PictureSet, rows: NDArray[np.int64], side: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return a random crop of a random view of each picture: (B, 3, S, S) in 0..255 and grids (B, D, S/16, S/16)."""
    views = rng.integers(pictures.boxes.shape[1], size=len(rows))
    crops = Crops.draw(pictures.boxes[rows, views], rng)
    pixels = torch.from_numpy(pictures.pixels[rows]).permute(0, 3, 1, 2).float()
    grids = torch.from_numpy(pictures.grids[rows, views].astype(np.float32)).permute(0, 3, 1, 2)
    return (
        crop(pixels, crops.in_picture, crops.flipped, side),
        crop(grids, crops.in_view, crops.flipped, side // 16),
    )
