"""How a CLIP model is run: by ONNX Runtime or by PyTorch. For long runs, a short measurement on the machine decides."""

import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from core.files import write_atomically
from encoders import machine
from encoders.base import Encoder

__all__ = [
    "MIN_COSINE",
    "RUNTIMES",
    "RUNTIME_VARIABLE",
    "Rates",
    "measure",
    "read_rates",
    "requested_runtime",
]

RUNTIME_VARIABLE = "SIGHTLINE_RUNTIME"
"""Environment variable with the way to run CLIP models: auto, onnx, torch."""
RUNTIMES = ("auto", "onnx", "torch")

MIN_COSINE = 0.9995
"""The smallest cosine to float32 of a way to run a model that is chosen by itself."""
MIN_GAIN = 1.15
"""How much faster PyTorch must be than ONNX Runtime: less does not pay for loading it."""

FILE = "measurement.json"
PICTURES, ROUNDS = 8, 3
MAX_SECONDS = 20.0
"""After this time, no further round is measured."""


@dataclass(frozen=True)
class Rates:
    """The rates of both ways to run the image tower of a model on one machine."""

    machine: str
    onnx: float
    """Pictures per second of ONNX Runtime."""
    torch: float
    """Pictures per second of PyTorch on `device`."""
    device: str
    """Where PyTorch runs, and in which precision: `cpu, bfloat16`."""
    cosine: float
    """The smallest cosine between vectors of both."""

    @property
    def prefers_torch(self) -> bool:
        """Whether PyTorch is clearly faster, and its vectors are accepted."""
        return self.cosine >= MIN_COSINE and self.torch >= MIN_GAIN * self.onnx


def requested_runtime() -> str:
    """Return the value of `SIGHTLINE_RUNTIME`, or `auto`. Raises `DeviceUnavailable` for another one."""
    asked = os.environ.get(RUNTIME_VARIABLE, "").strip().lower() or RUNTIMES[0]
    if asked not in RUNTIMES:
        raise DeviceUnavailable(f"{RUNTIME_VARIABLE}={asked}", f"choose one of: {', '.join(RUNTIMES)}")
    return asked


def read_rates(folder: Path) -> Rates | None:
    """Return what was measured on this machine for the compiled model in `folder`; None if nothing was."""
    try:
        found = Rates(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.machine == _this_machine() else None


def measure(compiled: Encoder, original: Encoder, device: str, folder: Path) -> Rates:
    """Measure both encoders in turns, and keep the result in `folder` if it can be written.

    A tower that takes a second for a picture is measured for about 20 seconds, others for less.
    """
    side = compiled.preprocess.size
    pixels = np.random.default_rng(0).integers(0, 256, (PICTURES, side, side, 3), np.uint8)
    vectors = [_timed(encoder, pixels[:1])[0] for encoder in (compiled, original)]  # loads weights, and warms up
    cosine = float((vectors[0] * vectors[1]).sum(1).min())
    began, seconds = perf_counter(), list[tuple[float, float]]()
    while len(seconds) < ROUNDS and (not seconds or perf_counter() - began < MAX_SECONDS):
        seconds.append((_timed(compiled, pixels)[1], _timed(original, pixels)[1]))
    onnx, torch = (PICTURES / median(times) for times in zip(*seconds, strict=True))
    found = Rates(_this_machine(), round(onnx, 2), round(torch, 2), device, cosine)
    with suppress(OSError):
        write_atomically(folder / FILE, [json.dumps(asdict(found)).encode()])
    return found


def _timed(encoder: Encoder, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    began = perf_counter()
    vectors = encoder.encode_pixels(pixels)
    return vectors, perf_counter() - began


def _this_machine() -> str:
    """Return what a measurement depends on: processors, GPU, and the versions of both libraries."""
    parts = [platform.machine(), _processor(), str(os.cpu_count()), "gpu" if machine.has_gpu_driver() else "no gpu"]
    return ", ".join([*parts, *(f"{name} {_version(name)}" for name in ("torch", "onnxruntime"))])


def _processor() -> str:
    with suppress(OSError):  # a system without this file
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            named = next((line for line in file if line.startswith("model name")), ":")
        return named.split(":", 1)[1].strip()
    return platform.processor()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
