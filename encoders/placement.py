"""Where a model of PyTorch's runs, in which precision, and how many pictures at a time.

The right way is the default: a GPU when one is there and works, and 16 bits where the hardware computes in them. When a
GPU is there but not used, the user is told why.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["DEVICE_VARIABLE", "PRECISIONS", "PRECISION_VARIABLE", "Placed", "Placement"]

DEVICE_VARIABLE = "SIGHTLINE_DEVICE"
"""Environment variable that names the device when nothing else does: auto, cpu, cuda, cuda:1, mps."""
PRECISION_VARIABLE = "SIGHTLINE_PRECISION"
"""Environment variable that names the precision when nothing else does: auto, fp32, bf16, fp16."""

AUTO = "auto"
PRECISIONS = (AUTO, "fp32", "bf16", "fp16")

CPU_BATCH = 16
"""More at a time gains nothing on a CPU, and takes memory."""
BATCHES_PER_GIB = 16
"""Pictures at a time for each GiB of free GPU memory: what a ViT-H at 378 pixels needs in 16 bits, with a margin."""
LARGEST_BATCH = 256
"""More at a time gains nothing on any GPU."""


@dataclass(frozen=True)
class Placement:
    """What was asked for: a device (`cpu`, `cuda`, `cuda:1`, `mps`) and a precision; None or "auto" leaves it open.

    What is left open is taken from `SIGHTLINE_DEVICE` and `SIGHTLINE_PRECISION`, or chosen for the machine. `notify` is
    told, when a model is loaded, if a GPU is there but not used, and why. Building one imports nothing.
    """

    device: str | None = None
    precision: str | None = None
    notify: Callable[[str], None] | None = field(default=None, compare=False, repr=False)

    def resolve(self) -> "Placed":
        """What a model is loaded with on this machine. Imports PyTorch.

        Raises `DeviceUnavailable` for a device or a precision that is unknown or cannot be used here.
        """
        from encoders import devices

        device, notice = devices.choose(_asked(self.device, DEVICE_VARIABLE))
        dtype = devices.choose_dtype(_asked(self.precision, PRECISION_VARIABLE), device)
        if notice and self.notify:
            self.notify(notice)
        return Placed(device, dtype, _batch_size(device), notice)


@dataclass(frozen=True)
class Placed:
    """A device, a number format and a batch size that this machine has."""

    device: "torch.device"
    dtype: "torch.dtype"
    batch_size: int
    """Most pictures to hand to one forward pass."""
    notice: str | None = None
    """Why a GPU that is there is not used, and what to do about it."""

    def __str__(self) -> str:
        return f"{self.device}, {str(self.dtype).removeprefix('torch.')}"


def _asked(said: str | None, variable: str) -> str | None:
    """What the caller said, else what the environment says; None when it is left open."""
    asked = (said or os.environ.get(variable) or AUTO).strip().lower()
    return None if asked == AUTO else asked


def _batch_size(device: "torch.device") -> int:
    from encoders import devices

    free = devices.free_memory(device)
    return CPU_BATCH if free is None else max(1, min(LARGEST_BATCH, int(free / 2**30 * BATCHES_PER_GIB)))
