"""What PyTorch can compute with on this machine, and why it cannot use a GPU that is there. Heavy: imported late."""

import os
import platform
import sys
import warnings
from pathlib import Path

import torch

from core.errors import DeviceUnavailable

__all__ = ["choose", "choose_dtype", "forget_cached", "free_memory", "is_out_of_memory", "layout"]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

INSTALL = "https://pytorch.org/get-started/locally says how to install one that can"

PCI = Path("/sys/bus/pci/devices")
NVIDIA, DISPLAY = "0x10de", "0x03"
"""A vendor, and how the class of a display controller begins, as PCI numbers them."""
GPU_FILES = (Path("/proc/driver/nvidia/version"), Path("/usr/lib/wsl/lib/nvidia-smi"), Path("/dev/kfd"))
"""There when a driver for NVIDIA, NVIDIA under Windows (WSL), or AMD is."""


def choose(asked: str | None) -> tuple[torch.device, str | None]:
    """The device asked for, or the best that works; and, if that is not a GPU that is there, why.

    Raises `DeviceUnavailable` for a device that was asked for and does not work.
    """
    if asked is not None:
        return _named(asked), None
    if _has_gpu():
        device = torch.device("cuda")
    elif _is_apple_silicon():
        device = torch.device("mps")
    else:
        return torch.device("cpu"), None
    fault = _fault(device)
    if fault is None:
        return device, None
    return torch.device("cpu"), f"there is a GPU, but it is not used: {fault}. --device cpu accepts that silently"


def choose_dtype(asked: str | None, device: torch.device) -> torch.dtype:
    """The number format asked for, or 16 bits where `device` computes in them, else 32.

    bfloat16 comes before float16: it has the range of 32 bits, which the text towers of the T5 family need.
    Raises `DeviceUnavailable` for a name that is none.
    """
    if asked is not None:
        if asked not in DTYPES:
            raise DeviceUnavailable(asked, f"precisions are: {', '.join(DTYPES)}")
        return DTYPES[asked]
    if device.type == "cuda":
        with torch.cuda.device(device):  # the question is about the current one
            if torch.cuda.is_bf16_supported(including_emulation=False):
                return torch.bfloat16
        return torch.float16 if torch.cuda.get_device_capability(device) >= (7, 0) else torch.float32
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_has_bf16() else torch.float32


def free_memory(device: torch.device) -> int | None:
    """Bytes that `device` has left for us; None for a CPU, where memory is not what limits a batch."""
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory()) - int(torch.mps.current_allocated_memory())
    return None


def layout(device: torch.device) -> torch.memory_format:
    """How pictures and convolutions lie in memory where `device` is fastest.

    That is with the channels last on CUDA and with oneDNN. On MPS some releases of PyTorch compute wrong numbers of
    tensors laid out so (pytorch/pytorch #134580, #174345).
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def is_out_of_memory(exc: Exception) -> bool:
    """Whether a device had too little memory; MPS and cuBLAS say so in words alone."""
    said = str(exc)
    return isinstance(exc, torch.OutOfMemoryError) or "out of memory" in said or "ALLOC_FAILED" in said


def forget_cached(device: torch.device) -> None:
    """Gives back what PyTorch keeps of the memory of `device` for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _named(name: str) -> torch.device:
    """The device called `name`, after it was tried."""
    try:
        device = torch.device(name)
    except RuntimeError as exc:
        raise DeviceUnavailable(name, "devices are: cpu, cuda, cuda:0, cuda:1, ..., mps") from exc
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceUnavailable(name, "devices are: cpu, cuda, cuda:0, cuda:1, ..., mps")
    fault = _fault(device)
    if fault is not None:
        raise DeviceUnavailable(name, fault)
    return device


def _has_gpu() -> bool:
    """Whether a GPU is there that some PyTorch could use, and nobody has hidden it from us."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    return any(file.exists() for file in GPU_FILES) or _on_pci() or _cuda_is_available()


def _on_pci() -> bool:
    """Whether an NVIDIA card is plugged in, whatever drivers there are. Without /sys, nobody knows."""
    try:
        return any(
            (card / "vendor").read_text().strip() == NVIDIA and (card / "class").read_text().startswith(DISPLAY)
            for card in PCI.iterdir()
        )
    except OSError:
        return False


def _cuda_is_available() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong comes out when the device is tried
        return bool(torch.cuda.is_available())


def _fault(device: torch.device) -> str | None:
    """What goes wrong when `device` computes something; None when nothing does. (ROCm calls itself CUDA.)"""
    if device.type == "cuda" and not torch.backends.cuda.is_built():
        return f"this PyTorch ({torch.__version__}) was built for the CPU alone; {INSTALL}"
    if device.type == "mps" and not torch.backends.mps.is_built():
        return f"this PyTorch ({torch.__version__}) was built without MPS; {INSTALL}"
    if device.type == "mps" and not torch.backends.mps.is_available():
        return "MPS needs a Mac with a GPU of Apple's, and a macOS that this PyTorch supports"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (torch.ones(1, device=device) + 1).item()
    except (RuntimeError, AssertionError) as exc:
        return f"PyTorch {torch.__version__} says: {str(exc).strip().splitlines()[0].rstrip('.')}"
    return None


def _is_apple_silicon() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself; where it does not, it is slower than float32."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # older releases of PyTorch lack some
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)
