"""The base class of encoders on PyTorch: placement, loading, and conversion of arrays."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from encoders.base import Encoder
from encoders.placement import Placement, ResolvedPlacement

if TYPE_CHECKING:
    from encoders.pixel_feed import PixelFeed

__all__ = ["TorchEncoder"]


class TorchEncoder(Encoder):
    """An encoder whose two towers are PyTorch modules. Creating one reads configuration files only, without PyTorch.

    The first forward pass reads, places and casts the weights, once for all threads.
    """

    def __init__(self, *, placement: Placement, **space: Any) -> None:
        super().__init__(**space)
        self._placement = placement
        self._loading = Lock()
        self._loaded: Any = None
        self._max_batch: int | None = None
        """The batch size that fits into the memory of the device; None until memory was exhausted once."""

    @abstractmethod
    def _load(self) -> Any:
        """Return the model, on the CPU. Raises `BadCheckpoint` and `ExtraMissing`."""

    @abstractmethod
    def _tokens(self, texts: Sequence[str]) -> Any:
        """Return the argument of `_text_features`, on the CPU, with a method `.to(device)`."""

    @abstractmethod
    def _image_features(self, model: Any, pixels: Any) -> Any:
        """Map (n, 3, S, S) to (n, D)."""

    @abstractmethod
    def _text_features(self, model: Any, tokens: Any) -> Any:
        """Map the tokens of n texts to (n, D)."""

    def _patch_features(self, model: Any, pixels: Any) -> Any:
        """Map (n, 3, S, S) to (n, rows, columns, D)."""
        raise NotImplementedError(f"{self.space.model} has no patch features")

    @property
    def batch_size(self) -> int:
        """Maximum number of pictures in one forward pass, by the memory of the device."""
        return min(self.placed.batch_size, self._max_batch or self.placed.batch_size)

    @property
    def batches_in_flight(self) -> int:
        """Two on CUDA, so that one batch is copied to the card while another is computed; else one."""
        return 2 if self.placed.device.type == "cuda" else 1

    @property
    def logit_scale(self) -> float | None:
        """The factor from a cosine to a logit. Loads the weights."""
        scale = getattr(self._model, "logit_scale", None)
        return None if scale is None else float(scale.detach().float().exp().reshape(-1)[0])

    @cached_property
    def placed(self) -> ResolvedPlacement:
        """The device, the precision and the batch size of the model."""
        return self._placement.resolve()

    @cached_property
    def _feed(self) -> "PixelFeed":
        from encoders.pixel_feed import PixelFeed

        return PixelFeed(self.preprocess, self.placed.device)

    @property
    def _model(self) -> Any:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._placed_model()
            return self._loaded

    def _placed_model(self) -> Any:
        from encoders import devices

        place, model = self.placed, self._load().eval()
        try:
            return model.to(place.device, place.dtype, memory_format=devices.layout(place.device))
        except RuntimeError as exc:
            if not devices.is_out_of_memory(exc):
                raise
            raise _too_small(place, f"the model {self.space.model}") from exc

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D)."""
        return self._in_parts(lambda part: self._of_pixels(self._image_features, part), pixels)

    def forward_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map pixels (n, S, S, 3) to vectors (n, D); they are normalised on the device of the model."""
        return self._in_parts(self._of_bytes, pixels)

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D)."""
        if not self.has_patch_features:
            return super().forward_patches(pixels)
        return self._in_parts(lambda part: self._of_pixels(self._patch_features, part), pixels)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D)."""
        return self._in_parts(self._of_texts, texts)

    def _in_parts(self, run: Callable[[Any], NDArray[np.float32]], items: Any) -> NDArray[np.float32]:
        """Return `run(items)`; in halves, from then on, if the memory of the device is too small for all items."""
        from encoders import devices

        try:
            return run(items)
        except RuntimeError as exc:
            if not devices.is_out_of_memory(exc):
                raise
            if len(items) == 1:
                raise _too_small(self.placed, f"a single item of the model {self.space.model}") from exc
        # Outside of the handler: the frames of the exception keep the memory of the attempt alive.
        devices.forget_cached(self.placed.device)
        half = len(items) // 2
        self._max_batch = min(half, self._max_batch or half)
        return np.concatenate([self._in_parts(run, items[:half]), self._in_parts(run, items[half:])])

    def _of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        model, tokens = self._model, self._tokens(texts)
        with torch.inference_mode():
            return _numbers(self._text_features(model, tokens.to(self.placed.device)))

    def _of_bytes(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        model, place = self._model, self.placed
        with torch.inference_mode():
            return _numbers(self._image_features(model, self._feed.normalised(pixels, place.dtype)))

    def _of_pixels(self, features: Callable[[Any, Any], Any], pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        from encoders import devices

        model, place = self._model, self.placed
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).to(place.device, place.dtype, memory_format=devices.layout(place.device))
            return _numbers(features(model, batch))


def _numbers(features: Any) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = features.float().cpu().numpy()
    return numbers


def _too_small(place: ResolvedPlacement, what: str) -> DeviceUnavailable:
    return DeviceUnavailable(str(place.device), f"its memory is too small for {what}")
