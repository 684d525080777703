"""Pixels on their way to a PyTorch model: copied as bytes, normalised on its device.

On CUDA, a quarter of what float32 takes is copied, from page-locked memory and on a stream of its own. A second thread
can therefore copy its batch while the card computes that of the first. The arithmetic is that of
`Preprocess.normalise`, in float32, before the model's precision is applied.

The code for CUDA has not run on a card yet; tests marked `gpu` check it.
"""

from threading import local
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from encoders import devices
from encoders.preprocess import Preprocess

__all__ = ["PixelFeed"]


class PixelFeed:
    """Copies uint8 pixels to `device` and normalises them there. Safe to share between threads."""

    def __init__(self, preprocess: Preprocess, device: torch.device) -> None:
        self._device = device
        # Tensors, because PyTorch multiplies by the reciprocal of a scalar on CUDA, which rounds differently.
        self._white = torch.tensor(255.0, device=device)
        self._mean = torch.tensor(preprocess.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocess.std, device=device).view(1, 3, 1, 1)
        self._of_thread = local()

    def normalised(self, pixels: NDArray[np.uint8], dtype: torch.dtype) -> Any:
        """Return `pixels` (n, S, S, 3) as a tensor (n, 3, S, S) of `dtype` on the device, in its fastest layout."""
        copied = self._copied(torch.from_numpy(np.ascontiguousarray(pixels)))  # (n, S, S, 3)
        # The bytes are in the order of channels last already, so that this moves none of them.
        batch = copied.permute(0, 3, 1, 2).to(torch.float32)
        batch.div_(self._white).sub_(self._mean).div_(self._std)
        return batch.to(dtype).contiguous(memory_format=devices.layout(self._device))

    def _copied(self, pixels: Any) -> Any:
        """Return `pixels` on the device. On CUDA, the copy runs beside what other threads compute."""
        if self._device.type != "cuda":
            return pixels.to(self._device)
        # PyTorch keeps page-locked memory for reuse, and waits for copies from it before it is used again.
        locked = pixels.pin_memory()
        copying, computing = self._stream(), torch.cuda.current_stream(self._device)
        with torch.cuda.stream(copying):
            copied = locked.to(self._device, non_blocking=True)
        computing.wait_stream(copying)
        copied.record_stream(computing)  # the memory is not given to another copy before it was read
        return copied

    def _stream(self) -> Any:
        """Return the stream on which this thread copies."""
        if not hasattr(self._of_thread, "stream"):
            self._of_thread.stream = torch.cuda.Stream(self._device)
        return self._of_thread.stream
