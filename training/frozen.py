"""Frozen inputs of the patch head: maps of the backbone, and vectors of the names of subjects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.mini.tokenizer import Tokenizer
from examples.scenes import Subject
from training.caption_sampler import tensors
from training.masked_scenes import phrases
from training.student import PREPROCESS, Student

__all__ = ["Maps", "Words"]

_BATCH = 64


@dataclass(frozen=True)
class Maps:
    """The last maps of the two coarsest stages of the backbone for N pictures."""

    fine: Tensor  # (N, C, 2h, 2w) float16
    coarse: Tensor  # (N, C', h, w) float16

    @classmethod
    @torch.no_grad()
    def of(cls, student: Student, pixels: NDArray[np.uint8]) -> "Maps":
        """Compute the maps of squares (N, S, S, 3)."""
        parts = []
        for start in range(0, len(pixels), _BATCH):
            batch = torch.from_numpy(PREPROCESS.normalise(pixels[start : start + _BATCH]))
            with torch.autocast("cpu", torch.bfloat16):
                fine, coarse, _ = student.backbone.maps(batch.contiguous(memory_format=torch.channels_last))
            parts.append((fine.half(), coarse.half()))
        fine, coarse = (torch.cat(part) for part in zip(*parts, strict=True))
        return cls(fine, coarse)

    def of_rows(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return both maps of some pictures as float32."""
        at = torch.from_numpy(rows)
        return self.fine[at].float(), self.coarse[at].float()


class Words:
    """The vectors of all names of subjects, in every language."""

    @torch.no_grad()
    def __init__(self, student: Student, tokenizer: Tokenizer, subjects: Sequence[Subject]) -> None:
        forms = {Subject(subject.kind, colour) for subject in subjects for colour in (subject.colour, None)}
        self._vectors = {
            form: student.text(*tensors([tokenizer(text) for text in phrases(form)])) for form in sorted(forms, key=str)
        }

    def draw(self, forms: Sequence[Subject], rng: np.random.Generator) -> Tensor:
        """Return a random name of each of P forms as (P, D)."""
        several = [self._vectors[form] for form in forms]
        return torch.stack([vectors[int(rng.integers(len(vectors)))] for vectors in several])
