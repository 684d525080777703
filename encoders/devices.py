"""Devices and precisions that PyTorch can use here. Imports PyTorch: import this module only when it is needed."""

import os
import platform
import warnings

import torch

from core.errors import DeviceUnavailable
from encoders import machine

__all__ = ["choose", "choose_dtype", "cpu_has_bf16", "forget_cached", "free_memory", "is_out_of_memory", "layout"]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

INSTALL = "https://pytorch.org/get-started/locally explains how to install one with it"


def choose(asked: str | None) -> tuple[torch.device, str | None]:
    """Return the requested device or the best one that works, and the reason if a GPU is not used.

    Raises `DeviceUnavailable` for a requested device that does not work.
    """
    if asked is not None:
        return _named(asked), None
    if _has_gpu():
        device = torch.device("cuda")
    elif machine.is_apple_silicon():
        device = torch.device("mps")
    else:
        return torch.device("cpu"), None
    fault = _fault(device)
    if fault is None:
        return device, None
    return torch.device("cpu"), f"A GPU is available but not used: {fault}."


def choose_dtype(asked: str | None, device: torch.device) -> torch.dtype:
    """Return the requested number format; by default one of 16 bits if `device` computes in it, else float32.

    bfloat16 comes before float16: it has the range of 32 bits, which text towers of the T5 family need.
    Raises `DeviceUnavailable` for an unknown name.
    """
    if asked is not None:
        if asked not in DTYPES:
            raise DeviceUnavailable(asked, f"choose a precision from: {', '.join(DTYPES)}")
        return DTYPES[asked]
    if device.type == "cuda":
        with torch.cuda.device(device):  # the query is about the current device
            if torch.cuda.is_bf16_supported(including_emulation=False):
                return torch.bfloat16
        return torch.float16 if torch.cuda.get_device_capability(device) >= (7, 0) else torch.float32
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if cpu_has_bf16() else torch.float32


def free_memory(device: torch.device) -> int | None:
    """Return the free memory of `device` in bytes; None for a CPU, where memory does not limit the batch size."""
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory()) - int(torch.mps.current_allocated_memory())
    return None


def layout(device: torch.device) -> torch.memory_format:
    """Return the memory layout of pictures and convolutions that is fastest on `device`.

    This is channels last on CUDA and with oneDNN. On MPS, some releases of PyTorch compute wrong results from this
    layout (pytorch/pytorch #134580, #174345).
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def is_out_of_memory(exc: Exception) -> bool:
    """Return whether a device had too little memory. MPS and cuBLAS report this only in the message."""
    message = str(exc)
    return isinstance(exc, torch.OutOfMemoryError) or "out of memory" in message or "ALLOC_FAILED" in message


def forget_cached(device: torch.device) -> None:
    """Release the memory of `device` that PyTorch caches."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _named(name: str) -> torch.device:
    """Return the device called `name` after a test computation. Raises `DeviceUnavailable`."""
    try:
        device = torch.device(name)
    except RuntimeError as exc:
        raise DeviceUnavailable(name, "choose a device from: cpu, cuda, cuda:0, cuda:1, ..., mps") from exc
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceUnavailable(name, "choose a device from: cpu, cuda, cuda:0, cuda:1, ..., mps")
    fault = _fault(device)
    if fault is not None:
        raise DeviceUnavailable(name, fault)
    return device


def _has_gpu() -> bool:
    """Return whether there is a GPU that some build of PyTorch could use, unless CUDA_VISIBLE_DEVICES hides it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    return machine.has_gpu_driver() or machine.has_nvidia_card() or _cuda_is_available()


def _cuda_is_available() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fault is reported when the device is tested
        return bool(torch.cuda.is_available())


def _fault(device: torch.device) -> str | None:
    """Return the fault of a test computation on `device`, or None. (ROCm devices are called CUDA.)"""
    if device.type == "cuda" and not torch.backends.cuda.is_built():
        return f"this PyTorch ({torch.__version__}) was built without GPU support; {INSTALL}"
    if device.type == "mps" and not torch.backends.mps.is_built():
        return f"this PyTorch ({torch.__version__}) was built without MPS; {INSTALL}"
    if device.type == "mps" and not torch.backends.mps.is_available():
        return "MPS needs a Mac with an Apple GPU, and a macOS that this PyTorch supports"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (torch.ones(1, device=device) + 1).item()
    except (RuntimeError, AssertionError) as exc:
        return f"PyTorch {torch.__version__} reports: {str(exc).strip().splitlines()[0].rstrip('.')}"
    return None


def cpu_has_bf16() -> bool:
    """Return whether the processor has instructions for bfloat16. Without them it is slower than float32."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # older releases of PyTorch lack some of them
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)
