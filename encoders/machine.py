"""What this machine offers a model: memory, and whether it has a GPU. Imports nothing heavy."""

import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Machine", "has_gpu_driver", "has_nvidia_card", "is_apple_silicon", "this_machine"]

GPU_DRIVER_FILES = (Path("/proc/driver/nvidia/version"), Path("/usr/lib/wsl/lib/nvidia-smi"), Path("/dev/kfd"))
"""Files that exist when a driver is loaded for NVIDIA, for NVIDIA under Windows (WSL), or for AMD."""
PCI_DEVICES = Path("/sys/bus/pci/devices")
PCI_VENDOR_NVIDIA, PCI_CLASS_DISPLAY = "0x10de", "0x03"
"""A PCI vendor ID, and the prefix of the PCI class of display controllers."""
CGROUP_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")

FALLBACK_MEMORY = 8 * 2**30
"""Bytes to assume on a system that does not report its memory."""


@dataclass(frozen=True)
class Machine:
    """The hardware that a model would run on."""

    memory: int
    """Bytes."""
    has_gpu: bool


def this_machine() -> Machine:
    """Return the memory of this machine, or the limit of its container, and whether a GPU can be used."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # pragma: no cover (a system without these names)
        memory = FALLBACK_MEMORY
    with suppress(OSError, ValueError):  # no container, or no limit
        memory = min(memory, int(CGROUP_MEMORY_LIMIT.read_text()))
    return Machine(memory, is_apple_silicon() or has_gpu_driver())


def is_apple_silicon() -> bool:
    """Return whether this is a Mac with a GPU of Apple's own."""
    return sys.platform == "darwin" and platform.machine() == "arm64"


def has_gpu_driver() -> bool:
    """Return whether a driver for an NVIDIA or AMD GPU is loaded."""
    return any(file.exists() for file in GPU_DRIVER_FILES)


def has_nvidia_card() -> bool:
    """Return whether an NVIDIA card is plugged in, with or without a driver; False on systems without `/sys`."""
    try:
        return any(
            (card / "vendor").read_text().strip() == PCI_VENDOR_NVIDIA
            and (card / "class").read_text().startswith(PCI_CLASS_DISPLAY)
            for card in PCI_DEVICES.iterdir()
        )
    except OSError:
        return False
