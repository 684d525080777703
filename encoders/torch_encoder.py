"""What every encoder on PyTorch shares: where it runs, when it is loaded, how numbers get there and back."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        return self.placed.batch_size

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
                import torch

                place = self.placed
                # Pictures and convolutions with the channels last are what GPUs and oneDNN are fastest at.
                self._loaded = self._load().eval().to(place.device, place.dtype, memory_format=torch.channels_last)
            return self._loaded

    def _forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._on_device(self._image_features, pixels)

    def _forward_cells(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self.has_cells:
            return super()._forward_cells(pixels)
        return self._on_device(self._cell_features, pixels)

    def _forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        model, tokens = self._model, self._tokens(texts)
        with torch.inference_mode():
            vectors: NDArray[np.float32] = (
                self._text_features(model, tokens.to(self.placed.device)).float().cpu().numpy()
            )
        return vectors

    def _on_device(self, features: Any, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        model, place = self._model, self.placed
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).to(place.device, place.dtype, memory_format=torch.channels_last)
            vectors: NDArray[np.float32] = features(model, batch).float().cpu().numpy()
        return vectors
