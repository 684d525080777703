"""The interface of every encoder: pixels and texts in, unit vectors out.

A subclass defines its space and two forward passes over a batch. The base class guarantees what must be true for every
model: batching, shapes, finite values, unit length. It does not depend on files or libraries.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import BadVectors
from core.space import Space
from encoders.preprocess import Preprocess

__all__ = ["Encoder", "Vectors"]

Vectors: TypeAlias = NDArray[np.float32]
"""(N, D) float32; every row has unit length."""


class Encoder(ABC):
    """A dual encoder: it maps pictures and texts to unit vectors of one space, compared by their dot product (cosine).

    Creating an encoder is cheap; weights are loaded by the first forward pass that needs them.

    Args:
        model: The name of the model, by which a library loads it again.
        weights: A digest or version of the weights. It must change whenever vectors of pictures change; if only those
            of texts do, `text_version` must. It may begin with the version of the model and a colon (see `Space`).
        dim: The length of a vector.
        preprocess: How pictures become pixels.
        batch_size: The maximum number of items in one forward pass.
        context_length: The maximum number of tokens of a text, special tokens included; None if there is no limit.
        logit_scale: The factor from a cosine to a logit; None if the model was trained without one.
    """

    has_patch_features: bool = False
    """Whether `encode_patches` is supported."""
    centre_patches: bool = True
    """Whether what all texts have in common is subtracted before a text is compared with patches.

    It helps encoders that were only trained to compare whole pictures with texts.
    """

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
        """The maximum number of tokens of a text, special tokens included; None if there is no limit."""
        self._logit_scale = logit_scale
        self.language: str | None = None
        """The source language of texts, for models that must be told one. It does not change vectors of pictures."""

    @property
    def batch_size(self) -> int:
        """Maximum number of items in one forward pass."""
        return self._batch_size

    @property
    def batches_in_flight(self) -> int:
        """How many threads should call `encode_pixels` at once.

        Two for a model on a GPU, so that one batch is copied to it while another is computed.
        """
        return 1

    @property
    def logit_scale(self) -> float | None:
        """The factor from a cosine to a logit; None if the model was trained without one."""
        return self._logit_scale

    @property
    def languages(self) -> tuple[str, ...] | None:
        """The languages of texts that the model is meant for, as ISO 639-1 codes; None if this is unknown."""
        return None

    @property
    def text_version(self) -> str:
        """What tells vectors of texts from those of earlier releases in the same space; empty if they never changed.

        Vectors of pictures do not depend on it.
        """
        return ""

    @property
    def calibration(self) -> Path | None:
        """The file with the calibration of this model's scores (see `search/relevance.py`); None if there is none."""
        return None

    @property
    def patch_preprocess(self) -> Preprocess:
        """How pictures become pixels for `encode_patches`: as for `encode_pixels`, unless a model says otherwise."""
        return self.preprocess

    @abstractmethod
    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D) of any length; n is at most `batch_size`."""

    def forward_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map results of `preprocess.pixels` (n, S, S, 3) to vectors (n, D) of any length; n is at most `batch_size`.

        They are normalised on the processor. An encoder that normalises them elsewhere, such as on a GPU, overrides
        this.
        """
        return self.forward_images(self.preprocess.normalise(pixels))

    @abstractmethod
    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D) of any length; n is at most `batch_size`."""

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D), in reading order."""
        raise NotImplementedError(f"{self.space.model} has no patch features")

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002 (used by overrides)
        """Return the number of tokens of `text`, special tokens included; None if texts may have any length."""
        return None

    def truncation_limit(self, text: str) -> int | None:
        """Return how many tokens of `text` are read if it is too long; None if all of them are read."""
        tokens, limit = self.count_tokens(text), self.context_length
        return limit if tokens is not None and limit is not None and tokens > limit else None

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Return the unit vectors (N, D) of decoded pictures, which must be upright and in sRGB.

        Raises `BadVectors` if the model returns unusable values.
        """
        if not images:
            return self._empty()
        return self.encode_pixels(np.stack([self.preprocess.pixels(image) for image in images]))

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> Vectors:
        """Return the unit vectors (N, D) of results of `preprocess.pixels`, stacked to (N, S, S, 3).

        Raises `ValueError` for another shape, and `BadVectors` if the model returns unusable values.
        """
        _require_pixels(pixels, self.preprocess)
        parts = [self._unit(self.forward_pixels(batch), len(batch)) for batch in _batches(pixels, self.batch_size)]
        return np.concatenate(parts) if parts else self._empty()

    def encode_patches(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a grid of unit vectors (N, rows, columns, D) for N pictures, comparable with vectors of texts.

        `pixels` (N, S, S, 3) are stacked results of `patch_preprocess.pixels`. Raises `NotImplementedError` unless
        `has_patch_features` is set, `ValueError` for another shape, and `BadVectors` if the model returns unusable
        values.
        """
        preprocess = self.patch_preprocess
        _require_pixels(pixels, preprocess)
        grids = [self.forward_patches(preprocess.normalise(batch)) for batch in _batches(pixels, self.batch_size)]
        if not grids:
            return np.empty((0, 0, 0, self.space.dim), dtype=np.float32)
        features = np.concatenate(grids)  # (N, rows, columns, D)
        flat = features.reshape(-1, features.shape[-1])
        return self._unit(flat, len(flat)).reshape(features.shape)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors (N, D) of texts in any language that the model reads.

        Raises `BadVectors` if the model returns unusable values.
        """
        parts = [self._unit(self.forward_texts(batch), len(batch)) for batch in _batches(texts, self.batch_size)]
        return np.concatenate(parts) if parts else self._empty()

    def encode_patch_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors (N, D) of texts that are compared with patch features.

        They are those of `encode_texts`, unless a model has others. Raises `BadVectors` as it does.
        """
        return self.encode_texts(texts)

    def _unit(self, raw: NDArray[np.float32], rows: int) -> Vectors:
        """Check the values and scale rows to unit length. Raises `BadVectors`."""
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


def _require_pixels(pixels: NDArray[np.uint8], preprocess: Preprocess) -> None:
    side = preprocess.size
    if pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3):
        raise ValueError(f"expected pixels of shape (N, {side}, {side}, 3), got {pixels.shape}")


_Batch = TypeVar("_Batch", Sequence[str], NDArray[np.uint8])


def _batches(items: _Batch, size: int) -> list[_Batch]:
    """Split `items` into runs of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
