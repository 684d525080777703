"""How a CLIP model is run: by ONNX Runtime, OpenVINO or PyTorch. A short measurement on the machine decides."""

import json
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from core.files import write_atomically
from encoders import machine
from encoders.background import background
from encoders.base import Encoder
from encoders.compiled.versions import package_version
from encoders.placement import CPU_BATCH_SIZE

__all__ = [
    "MIN_COSINE",
    "RUNTIMES",
    "RUNTIME_VARIABLE",
    "Rates",
    "RuntimeComparison",
    "compare",
    "read_rates",
    "requested_runtime",
    "this_machine",
]

RUNTIME_VARIABLE = "SIGHTLINE_RUNTIME"
"""Environment variable with the way to run CLIP models: auto, onnx, openvino, torch."""
RUNTIMES = ("auto", "onnx", "openvino", "torch")

MIN_COSINE = 0.9995
"""The smallest cosine to float32 of a way to run a model that is chosen by itself."""
MIN_GAIN = 1.15
"""How much faster another way must be than the one in use: less does not pay for loading it."""

FILE = "measurement.json"
PICTURES, ROUNDS = CPU_BATCH_SIZE, 3
MAX_SECONDS = 20.0
"""After this time, no further round is measured."""


@dataclass(frozen=True)
class RuntimeComparison:
    """The rates of ONNX Runtime and of another way to run the image tower of a model, measured in turns."""

    onnx: float
    """Pictures per second of ONNX Runtime."""
    other: float
    """Pictures per second of the other way; 0 if it failed."""
    where: str
    """Where the other way runs, and in which precision: `cpu, bfloat16`."""
    cosine: float
    """The smallest cosine between vectors of both, of some photos."""

    @property
    def gain(self) -> float:
        """How many times as fast the other way is; 0 if its vectors are not accepted."""
        return self.other / self.onnx if self.cosine >= MIN_COSINE else 0.0


@dataclass(frozen=True)
class Rates:
    """What was measured on one machine; None for a way that was not measured yet."""

    machine: str = ""
    openvino: RuntimeComparison | None = None
    torch: RuntimeComparison | None = None

    @property
    def prefers_openvino(self) -> bool:
        """Whether OpenVINO is clearly faster than ONNX Runtime."""
        return self.openvino is not None and self.openvino.gain >= MIN_GAIN

    @property
    def prefers_torch(self) -> bool:
        """Whether PyTorch is clearly faster than both others."""
        best = self.openvino.gain if self.openvino is not None and self.prefers_openvino else 1.0
        return self.torch is not None and self.torch.gain >= MIN_GAIN * best

    def keep(self, folder: Path) -> "Rates":
        """Write these to the compiled model in `folder`, if it can be written, and return them for this machine."""
        kept = replace(self, machine=this_machine())
        with suppress(OSError):
            write_atomically(folder / FILE, [json.dumps(asdict(kept)).encode()])
        return kept


def requested_runtime() -> str:
    """Return the value of `SIGHTLINE_RUNTIME`, or `auto`. Raises `DeviceUnavailable` for another one."""
    asked = os.environ.get(RUNTIME_VARIABLE, "").strip().lower() or RUNTIMES[0]
    if asked not in RUNTIMES:
        raise DeviceUnavailable(f"{RUNTIME_VARIABLE}={asked}", f"choose one of: {', '.join(RUNTIMES)}")
    return asked


def read_rates(folder: Path) -> Rates:
    """Return what was measured on this machine for the compiled model in `folder`."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        ways = {name: RuntimeComparison(**content[name]) for name in ("openvino", "torch") if content[name] is not None}
        found = Rates(content["machine"], **ways)
    except (OSError, ValueError, TypeError, KeyError):
        return Rates()
    return found if found.machine == this_machine() else Rates()


def compare(compiled: Encoder, other: Encoder, where: Callable[[], str]) -> RuntimeComparison:
    """Measure both encoders in turns, on photos. `where` is called when `other` has been loaded.

    A tower that takes a second for a picture is measured for about 20 seconds, others for less.
    """
    photos = [photo.open() for photo in background().photos[:PICTURES]]
    pixels = np.stack([compiled.preprocess.pixels(photo) for photo in photos])  # (P, S, S, 3)
    vectors = [_timed(encoder, pixels)[0] for encoder in (compiled, other)]  # loads weights, and warms up
    cosine = float((vectors[0] * vectors[1]).sum(1).min())
    began, seconds = perf_counter(), list[tuple[float, float]]()
    while len(seconds) < ROUNDS and (not seconds or perf_counter() - began < MAX_SECONDS):
        seconds.append((_timed(compiled, pixels)[1], _timed(other, pixels)[1]))
    onnx, others = (round(len(pixels) / median(times), 2) for times in zip(*seconds, strict=True))
    return RuntimeComparison(onnx, others, where(), cosine)


def _timed(encoder: Encoder, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    began = perf_counter()
    vectors = encoder.encode_pixels(pixels)
    return vectors, perf_counter() - began


def this_machine() -> str:
    """Return what a measurement depends on: processors, GPU, and the versions of both libraries."""
    parts = [platform.machine(), _processor(), str(os.cpu_count()), "gpu" if machine.has_gpu_driver() else "no gpu"]
    return ", ".join([*parts, *(f"{name} {package_version(name)}" for name in ("torch", "onnxruntime", "openvino"))])


def _processor() -> str:
    with suppress(OSError):  # a system without this file
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            named = next((line for line in file if line.startswith("model name")), ":")
        return named.split(":", 1)[1].strip()
    return platform.processor()
