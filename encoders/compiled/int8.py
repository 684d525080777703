"""A CLIP model with pictures in 8 bits, `NAME?precision=int8`: faster, less exact, and a space of its own.

Only the image tower has integers: weights of 7 bits and activations of 8, both in steps that are fixed once. OpenVINO
runs it, because ONNX Runtime was slower with them than with float32. Texts and patch features are those of `NAME`.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable, ExtraMissing
from encoders.background import background
from encoders.base import Encoder
from encoders.compiled import openvino_encoder, store
from encoders.compiled.choice import requested_runtime
from encoders.compiled.openvino_encoder import OpenVinoEncoder, OpenVinoFailed
from encoders.compiled.prepared_tower import PreparedTower, read_prepared
from encoders.compiled.runtime import RuntimeEncoder
from encoders.placement import CPU_BATCH_SIZE

__all__ = ["INT8", "QUANTISER_VERSION", "Int8Encoder", "Loss", "describe_int8", "require_int8"]

INT8 = "int8"
QUANTISER_VERSION = 1
"""Raised with every change that can change a vector."""
LOSS = "loss.json"


@dataclass(frozen=True)
class Loss:
    """How vectors in 8 bits differ from those of float32, on photos that were not used to choose the steps."""

    photos: int
    mean_cosine: float
    worst_cosine: float
    same_neighbour: float
    """The share of photos whose nearest other photo is the same."""
    same_answer: float
    """The share of captions, one for each photo, whose best photo is the same."""

    def keep(self, folder: Path) -> None:
        """Write this to `folder`."""
        (folder / LOSS).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Loss | None":
        """Return the loss of the model in `folder`; None if it cannot be read."""
        with suppress(OSError, ValueError, TypeError):
            return cls(**json.loads((folder / LOSS).read_text(encoding="utf-8")))
        return None

    def __str__(self) -> str:
        return (
            f"on {self.photos} photos: cosine to float32 {self.mean_cosine:.5f} in the mean, {self.worst_cosine:.5f} "
            f"at worst; the same nearest photo for {self.same_neighbour:.0%} of them, the same best photo for "
            f"{self.same_answer:.0%} of their captions"
        )


def require_int8() -> None:
    """Raise `ExtraMissing` without OpenVINO, and `DeviceUnavailable` if another runtime was asked for."""
    if not openvino_encoder.is_installed():
        raise ExtraMissing("A model in 8 bits", "openvino")
    if requested_runtime() not in ("auto", "openvino"):
        raise DeviceUnavailable(INT8, f"only OpenVINO runs it, not {requested_runtime()}")


class Int8Encoder(Encoder):
    """The model of `base` with pictures in 8 bits. The first use of a picture makes its image tower.

    Raises `ExtraMissing` without OpenVINO, and `DeviceUnavailable` if another runtime was asked for. Pictures raise
    `DeviceUnavailable` if the tower cannot be made or run: there is no other way to compute the vectors of this space.
    """

    def __init__(self, base: RuntimeEncoder) -> None:
        require_int8()
        space = base.space
        super().__init__(
            model=f"{space.model}?precision={INT8}",
            # Other photos would give other steps, and vectors that must not be compared with these.
            weights=f"{space.weights} {INT8} {QUANTISER_VERSION}, photos {background().version}",
            dim=space.dim,
            preprocess=base.preprocess,
            batch_size=CPU_BATCH_SIZE,
            context_length=base.context_length,
        )
        self.base = base
        self.has_patch_features, self.centre_patches = base.has_patch_features, base.centre_patches
        self.language = base.language
        self._tower: OpenVinoEncoder | None = None

    @property
    def logit_scale(self) -> float | None:
        """The factor from a cosine to a logit."""
        return self.base.logit_scale

    def count_tokens(self, text: str) -> int | None:
        """Return the number of tokens of `text`, special tokens included."""
        return self.base.count_tokens(text)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D), in float32."""
        return self.base.forward_texts(texts)

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D), in float32."""
        return self.base.forward_patches(pixels)

    def forward_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map pixels (n, S, S, 3) to vectors (n, D), in 8 bits."""
        try:
            return self.tower().forward_pixels(pixels)
        except OpenVinoFailed as exc:
            raise DeviceUnavailable(INT8, str(exc)) from exc

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D), in 8 bits."""
        mean, std = (np.array(values, np.float32) for values in (self.preprocess.mean, self.preprocess.std))
        scaled = pixels.transpose(0, 2, 3, 1) * std + mean  # (n, S, S, 3), in 0..1
        return self.forward_pixels(np.rint(scaled * 255).clip(0, 255).astype(np.uint8))

    def tower(self) -> OpenVinoEncoder:
        """Return the image tower in 8 bits, after making it if there is none or a damaged one.

        Raises `DeviceUnavailable`.
        """
        with self.base.opening:
            if self._tower is None:
                self._tower = self._open_tower()
            return self._tower

    def _open_tower(self) -> OpenVinoEncoder:
        found = store.find(self.space)
        prepared = None if found is None else read_prepared(found.folder)
        if found is None or prepared is None:
            found = store.find_intact(self.space) or self._quantise()
        return PreparedTower(found, self.base.original, prepared)

    def _quantise(self) -> store.CompiledModel:
        """Make the image tower in a process of its own. Raises `DeviceUnavailable`."""
        self.base.compiled()
        self._require_no_failure()
        self.base.compile_in_process(self, f"Preparing {self.space.model}; this is done once.")
        found = store.find_intact(self.space)
        if found is None:
            self._require_no_failure()
            raise DeviceUnavailable(INT8, "its tower could not be made; memory or space on the disk may be short")
        return found

    def _require_no_failure(self) -> None:
        if store.find(self.base.space) is None and (reason := store.read_failure(self.base.space)) is not None:
            raise DeviceUnavailable(INT8, f"the model could not be compiled: {reason}")
        if (reason := store.read_failure(self.space)) is not None:
            raise DeviceUnavailable(INT8, reason)


def describe_int8(encoder: Int8Encoder) -> dict[str, str]:
    """Return how a model in 8 bits runs, and what it loses. Loads nothing."""
    runtime = "pictures in 8 bits with OpenVINO, texts in float32 with ONNX Runtime"
    found = store.find(encoder.space)
    if found is None:
        failure = store.read_failure(encoder.space)
        return {"runtime": f"{runtime}; {failure or 'its first picture makes the image tower'}"}
    return {"runtime": runtime, "loss": str(Loss.read(found.folder) or "unknown"), "compiled": str(found.folder)}
