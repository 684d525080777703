"""What every encoder on PyTorch shares: where it runs, when it is loaded, how numbers get there and back."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from encoders.base import Encoder
from encoders.placement import Placed, Placement

__all__ = ["TorchEncoder"]


class TorchEncoder(Encoder):
    """An encoder whose two towers are modules of PyTorch. Built from configuration files alone, without PyTorch.

    Weights are read, placed and cast by the first forward pass, once, whatever the number of threads.
    """

    def __init__(self, *, placement: Placement, **space: Any) -> None:
        super().__init__(**space)
        self._placement = placement
        self._loading = Lock()
        self._loaded: Any = None
        self._most: int | None = None
        """Pictures at a time that the device's memory was found to hold; None while it held whatever was asked."""

    @abstractmethod
    def _load(self) -> Any:
        """The model, on the CPU. Raises `BadCheckpoint` and `ExtraMissing`."""

    @abstractmethod
    def _tokens(self, texts: Sequence[str]) -> Any:
        """What `_text_features` takes, on the CPU, with a `.to(device)`."""

    @abstractmethod
    def _image_features(self, model: Any, pixels: Any) -> Any:
        """(n, 3, S, S) to (n, D)."""

    @abstractmethod
    def _text_features(self, model: Any, tokens: Any) -> Any:
        """Tokens of n texts to (n, D)."""

    def _cell_features(self, model: Any, pixels: Any) -> Any:
        """(n, 3, S, S) to (n, rows, columns, D)."""
        raise NotImplementedError(f"{self.space.model} has no cells")

    @property
    def batch_size(self) -> int:
        """Most pictures handed to one forward pass, by the memory of the device."""
        return min(self.placed.batch_size, self._most or self.placed.batch_size)

    @property
    def logit_scale(self) -> float | None:
        """What the model multiplies a cosine by to make a logit. Loads the weights."""
        scale = getattr(self._model, "logit_scale", None)
        return None if scale is None else float(scale.detach().float().exp().reshape(-1)[0])

    @cached_property
    def placed(self) -> Placed:
        """Where the model runs, and in which precision."""
        return self._placement.resolve()

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

    def _forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._in_parts(lambda part: self._of_pixels(self._image_features, part), pixels)

    def _forward_cells(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self.has_cells:
            return super()._forward_cells(pixels)
        return self._in_parts(lambda part: self._of_pixels(self._cell_features, part), pixels)

    def _forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._in_parts(self._of_texts, texts)

    def _in_parts(self, run: Callable[[Any], NDArray[np.float32]], items: Any) -> NDArray[np.float32]:
        """`run(items)`; in halves, from then on, where the memory of the device is too small for all at once."""
        from encoders import devices

        try:
            return run(items)
        except RuntimeError as exc:
            if not devices.is_out_of_memory(exc):
                raise
            if len(items) == 1:
                raise _too_small(self.placed, f"one item at a time of the model {self.space.model}") from exc
        # Out of the handler: the exception's frames held on to the memory of the attempt.
        devices.forget_cached(self.placed.device)
        half = len(items) // 2
        self._most = min(half, self._most or half)
        return np.concatenate([self._in_parts(run, items[:half]), self._in_parts(run, items[half:])])

    def _of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        model, tokens = self._model, self._tokens(texts)
        with torch.inference_mode():
            return _numbers(self._text_features(model, tokens.to(self.placed.device)))

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


def _too_small(place: Placed, what: str) -> DeviceUnavailable:
    return DeviceUnavailable(str(place.device), f"its memory is too small for {what}; --device cpu takes the processor")
