"""The seam between Sightline and every model: pixels and words in, unit vectors out.

An implementer says what its space is and writes two forward passes over one batch. The base class owns everything
that must hold for every model: batching, shapes, finite values, unit length. It knows nothing of files or libraries.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import BadVectors
from core.space import Space
from encoders.preprocess import Preprocess

__all__ = ["Encoder", "Vectors"]

Vectors: TypeAlias = NDArray[np.float32]
"""(N, D) float32, every row of unit length."""


class Encoder(ABC):
    """A dual encoder: pictures and texts as unit vectors of one space, compared by their dot product (cosine).

    Building one is cheap; weights are loaded by the first forward pass that needs them.
    """

    calibration: ClassVar[Path | None] = None
    """The file that says what this model's scores mean (`search/calibration.py`); None when nobody has measured it."""
    has_cells: bool = False
    """Whether `encode_cells` can say where in a picture something is."""

    def __init__(
        self,
        *,
        model: str,
        weights: str,
        dim: int,
        preprocess: Preprocess,
        batch_size: int = 32,
        context_length: int | None = None,
        logit_scale: float | None = None,
    ) -> None:
        self.preprocess = preprocess
        self.space = Space(model=model, weights=weights, dim=dim, preprocessing=preprocess.as_dict())
        self._batch_size = batch_size
        self.context_length = context_length
        """Most tokens of a text that the model reads, those at its ends included; None when there is no limit."""
        self._logit_scale = logit_scale
        self.language: str | None = None
        """What the model is told of the language of texts, where it is told one. It moves no vector of a picture."""

    @property
    def batch_size(self) -> int:
        """Most items handed to one forward pass."""
        return self._batch_size

    @property
    def logit_scale(self) -> float | None:
        """What the model multiplies a cosine by to make a logit; None when it was not trained with one."""
        return self._logit_scale

    @abstractmethod
    def _forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 3, S, S) normalised pixels to (n, D); any length, n is at most `batch_size`."""

    @abstractmethod
    def _forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """n texts to (n, D); any length, n is at most `batch_size`."""

    def _forward_cells(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 3, S, S) normalised pixels to (n, rows, columns, D), in reading order; any length."""
        raise NotImplementedError(f"{self.space.model} has no cells")

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002 (for those that have a limit)
        """How many tokens `text` is, those at its ends included; None when the model reads texts of any length."""
        return None

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Decoded pictures, upright and in sRGB, to unit vectors (N, D).

        Raises `BadVectors` when the model misbehaves.
        """
        if not images:
            return self._empty()
        return self.encode_pixels(np.stack([self.preprocess.pixels(image) for image in images]))

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> Vectors:
        """What `preprocess.pixels` made, stacked to (N, S, S, 3), to unit vectors (N, D).

        Raises `ValueError` for another shape and `BadVectors` when the model misbehaves.
        """
        self._require_pixels(pixels)
        parts = [
            self._unit(self._forward_images(self.preprocess.normalise(batch)), len(batch))
            for batch in _batches(pixels, self.batch_size)
        ]
        return np.concatenate(parts) if parts else self._empty()

    def encode_cells(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A grid of unit vectors for each picture, comparable with texts: (N, S, S, 3) to (N, rows, columns, D).

        `pixels` are what `preprocess.pixels` made. Raises `NotImplementedError` unless `has_cells`, `ValueError` for
        another shape, and `BadVectors` when the model misbehaves.
        """
        self._require_pixels(pixels)
        grids = [self._forward_cells(self.preprocess.normalise(batch)) for batch in _batches(pixels, self.batch_size)]
        if not grids:
            return np.empty((0, 0, 0, self.space.dim), dtype=np.float32)
        cells = np.concatenate(grids)  # (N, rows, columns, D)
        flat = cells.reshape(-1, cells.shape[-1])
        return self._unit(flat, len(flat)).reshape(cells.shape)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Texts in any language the model speaks to unit vectors (N, D).

        Raises `BadVectors` when the model misbehaves.
        """
        parts = [self._unit(self._forward_texts(batch), len(batch)) for batch in _batches(texts, self.batch_size)]
        return np.concatenate(parts) if parts else self._empty()

    def _require_pixels(self, pixels: NDArray[np.uint8]) -> None:
        side = self.preprocess.size
        if pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3):
            raise ValueError(f"expected pixels of shape (N, {side}, {side}, 3), got {pixels.shape}")

    def _unit(self, raw: NDArray[np.float32], rows: int) -> Vectors:
        """Rows scaled to unit length, after everything that could spoil a ranking has been ruled out."""
        if raw.shape != (rows, self.space.dim):
            raise BadVectors(self.space.model, f"shape {raw.shape} instead of {(rows, self.space.dim)}")
        vectors = raw.astype(np.float32)
        if not np.isfinite(vectors).all():
            raise BadVectors(self.space.model, "not all values are finite")
        # In 64 bits: the squares of large but finite numbers do not fit into 32.
        norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # (n, 1)
        if (norms < 1e-12).any():
            raise BadVectors(self.space.model, "a vector of length zero has no direction")
        return np.asarray(vectors / norms, dtype=np.float32)

    def _empty(self) -> Vectors:
        return np.empty((0, self.space.dim), dtype=np.float32)


_Batch = TypeVar("_Batch", Sequence[str], NDArray[np.uint8])


def _batches(items: _Batch, size: int) -> list[_Batch]:
    """`items` cut into runs of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
