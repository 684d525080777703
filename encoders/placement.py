"""Where a PyTorch model runs, in which precision, and with which batch size.

By default this is a GPU if one works, and 16 bits if the hardware computes in them. If there is a GPU that cannot be
used, the user is told why.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["DEFAULT_PLACEMENT", "DEVICE_VARIABLE", "PRECISIONS", "PRECISION_VARIABLE", "Placement", "ResolvedPlacement"]

DEVICE_VARIABLE = "SIGHTLINE_DEVICE"
"""Environment variable with the default device: auto, cpu, cuda, cuda:1, mps."""
PRECISION_VARIABLE = "SIGHTLINE_PRECISION"
"""Environment variable with the default precision: auto, fp32, bf16, fp16."""

AUTO = "auto"
PRECISIONS = (AUTO, "fp32", "bf16", "fp16")

CPU_BATCH_SIZE = 16
"""A larger batch is no faster on a CPU, and takes memory."""
BATCHES_PER_GIB = 16
"""Pictures per GiB of free GPU memory: what a ViT-H at 378 pixels needs in 16 bits, with a margin."""
MAX_BATCH_SIZE = 256
"""A larger batch is no faster on any GPU."""


@dataclass(frozen=True)
class Placement:
    """A requested device (`cpu`, `cuda`, `cuda:1`, `mps`) and precision; None or "auto" chooses for the machine.

    `SIGHTLINE_DEVICE` and `SIGHTLINE_PRECISION` replace None and "auto". `notify` is called when a model is loaded with
    the reason why a GPU is not used. Creating a placement imports nothing.
    """

    device: str | None = None
    precision: str | None = None
    notify: Callable[[str], None] | None = field(default=None, compare=False, repr=False)
    announce: Callable[[str], None] | None = field(default=None, compare=False, repr=False)
    """Is told what takes long when a model is used for the first time."""

    @property
    def requested_device(self) -> str | None:
        """The device that the caller or the environment asks for; None if it is chosen for the machine."""
        return _requested(self.device, DEVICE_VARIABLE)

    @property
    def allows_float32_on_cpu(self) -> bool:
        """Whether nothing asks for another device than `cpu` or another precision than `fp32`."""
        device, precision = self.requested_device, _requested(self.precision, PRECISION_VARIABLE)
        return device in (None, "cpu") and precision in (None, "fp32")

    def resolve(self) -> "ResolvedPlacement":
        """Choose a device, precision and batch size of this machine. Imports PyTorch.

        Raises `DeviceUnavailable` for a device or a precision that is unknown or cannot be used here.
        """
        from encoders import devices

        device, notice = devices.choose(self.requested_device)
        dtype = devices.choose_dtype(_requested(self.precision, PRECISION_VARIABLE), device)
        if notice and self.notify:
            self.notify(notice)
        return ResolvedPlacement(device, dtype, _batch_size(device), notice)


DEFAULT_PLACEMENT = Placement()
"""The best device and precision of this machine."""


@dataclass(frozen=True)
class ResolvedPlacement:
    """A device, a number format and a batch size of this machine."""

    device: "torch.device"
    dtype: "torch.dtype"
    batch_size: int
    """Maximum number of pictures in one forward pass."""
    notice: str | None = None
    """Why a GPU is not used."""

    def __str__(self) -> str:
        return f"{self.device}, {str(self.dtype).removeprefix('torch.')}"


def _requested(value: str | None, variable: str) -> str | None:
    """Return the value of the caller, else of the environment; None for `auto`."""
    requested = (value or os.environ.get(variable) or AUTO).strip().lower()
    return None if requested == AUTO else requested


def _batch_size(device: "torch.device") -> int:
    from encoders import devices

    free = devices.free_memory(device)
    return CPU_BATCH_SIZE if free is None else max(1, min(MAX_BATCH_SIZE, int(free / 2**30 * BATCHES_PER_GIB)))
