"""Run a CLIP model in its compiled form where there is one, and by PyTorch where that is faster or the only way.

A text, and the first pictures of a process, are embedded by the compiled model, because starting PyTorch takes seconds.
Further pictures are embedded in the way that a measurement on this machine found to be faster (`choice`): OpenVINO
starts fast and is used for more than a few pictures, PyTorch for many.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from threading import RLock, Timer
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from encoders import machine
from encoders.base import Encoder, Vectors
from encoders.compiled import openvino_encoder, store
from encoders.compiled.choice import RUNTIME_VARIABLE, Rates, RuntimeComparison, compare, read_rates, requested_runtime
from encoders.compiled.encoder import CompiledDamaged, CompiledEncoder
from encoders.compiled.openvino_encoder import OpenVinoEncoder, OpenVinoFailed, compare_openvino
from encoders.placement import CPU_BATCH_SIZE, Placement
from encoders.torch_encoder import TorchEncoder

__all__ = ["RuntimeEncoder", "describe_runtime", "with_runtime"]

FEW_PICTURES = 4
"""Pictures that a process embeds by ONNX Runtime in any case: those of a query, and of what is shown with an answer."""
LONG_RUN = 128
"""Pictures that a process embeds before it may start PyTorch for more; a calibration takes 85."""
PATIENCE_SECONDS = 2.0
"""Time after which a first use is explained."""
PACKAGES = ("torch", "onnx", "open_clip", "tokenizers", "transformers")
"""What the exporter needs."""

_Result = TypeVar("_Result")


def with_runtime(original: TorchEncoder, placement: Placement) -> Encoder:
    """Return an encoder that runs `original` in the best way, or `original` if PyTorch was asked for.

    PyTorch is asked for by `SIGHTLINE_RUNTIME=torch`, or by a device or precision other than that of a compiled model
    (`cpu`, `fp32`). Raises `DeviceUnavailable` for an unknown value of the variable, and for OpenVINO if it is missing.
    """
    runtime = requested_runtime()
    if runtime == "openvino" and not openvino_encoder.is_installed():
        raise DeviceUnavailable(f"{RUNTIME_VARIABLE}=openvino", "the package `openvino` is not installed")
    if runtime == "torch" or (runtime == "auto" and not placement.allows_float32_on_cpu):
        return original
    return RuntimeEncoder(original, placement)


class RuntimeEncoder(Encoder):
    """The encoder `original`, run by ONNX Runtime or PyTorch. Its space is that of `original`.

    The first use compiles the model in a process of its own, unless that was done or failed before. If it takes longer
    than 2 seconds, `placement.announce` is told.
    """

    def __init__(self, original: TorchEncoder, placement: Placement) -> None:
        space = original.space
        super().__init__(
            model=space.model,
            weights=space.weights,
            dim=space.dim,
            preprocess=original.preprocess,
            context_length=original.context_length,
        )
        self.has_patch_features, self.centre_patches = original.has_patch_features, original.centre_patches
        self.language = original.language
        self.original = original
        self._placement = placement
        self.opening = RLock()
        """Held while a form of the model is opened, compiled or measured."""
        self._compiled: CompiledEncoder | None = None
        self._openvino: OpenVinoEncoder | None = None
        self._is_opened = False
        self._embedded = 0
        self._measured: Rates | None = None

    @property
    def batch_size(self) -> int:
        """Maximum number of pictures in one forward pass. Compiles nothing, and starts PyTorch only for a GPU."""
        return self.original.batch_size if self._expects_gpu() else CPU_BATCH_SIZE

    @property
    def batches_in_flight(self) -> int:
        """How many threads should call `encode_pixels` at once."""
        return self.original.batches_in_flight if self._expects_gpu() else 1

    @property
    def logit_scale(self) -> float | None:
        """The factor from a cosine to a logit."""
        compiled = self.compiled()
        return self.original.logit_scale if compiled is None else compiled.logit_scale

    def count_tokens(self, text: str) -> int | None:
        """Return the number of tokens of `text`, special tokens included."""
        return self._first(lambda encoder: encoder.count_tokens(text))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors (N, D) of texts."""
        return self._first(lambda encoder: encoder.encode_texts(texts))

    def encode_patches(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a grid of unit vectors (N, rows, columns, D) for N pictures."""
        return self._first(lambda encoder: encoder.encode_patches(pixels))

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> Vectors:
        """Return the unit vectors (N, D) of pixels (N, S, S, 3)."""
        self._embedded += len(pixels)
        return self._first(lambda encoder: self._fastest(encoder, pixels))

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to vectors (n, D)."""
        return self._first(lambda encoder: encoder.forward_images(pixels))

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Map n texts to vectors (n, D)."""
        return self._first(lambda encoder: encoder.forward_texts(texts))

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map normalised pixels (n, 3, S, S) to patch features (n, rows, columns, D)."""
        return self._first(lambda encoder: encoder.forward_patches(pixels))

    def compiled(self) -> CompiledEncoder | None:
        """Return the compiled model, after compiling it if that was never tried; None if PyTorch must be used."""
        with self.opening:
            if not self._is_opened:
                found = store.find(self.space) or self._compile()
                self._compiled = None if found is None else CompiledEncoder(found, self.original)
                if found is not None and openvino_encoder.is_installed():
                    self._openvino = OpenVinoEncoder(found, self.original)
                self._is_opened = True
            return self._compiled

    def _fastest(self, encoder: Encoder, pixels: NDArray[np.uint8]) -> Vectors:
        """Return vectors of `pixels` by `encoder`, or in a faster way if it is the compiled model."""
        if isinstance(encoder, CompiledEncoder):
            if self._embedded > LONG_RUN and self._prefers_torch(encoder):
                return self.original.encode_pixels(pixels)
            if self._embedded > FEW_PICTURES and (faster := self._faster(encoder)) is not None:
                try:
                    return faster.encode_pixels(pixels)
                except OpenVinoFailed:
                    self._openvino = None  # for the rest of this process
        return encoder.encode_pixels(pixels)

    def _first(self, run: Callable[[Encoder], _Result]) -> _Result:
        """Return the result of the compiled model, or of PyTorch if there is none or it is damaged."""
        compiled = self.compiled()
        if compiled is None:
            return run(self.original)
        try:
            return run(compiled)
        except CompiledDamaged as exc:
            with self.opening:
                if store.is_intact(compiled.compiled):
                    self._report_unable(exc)
                else:  # the next process compiles the model again
                    store.discard(compiled.compiled)
                self._compiled = None
        return run(self.original)

    def _report_unable(self, exc: CompiledDamaged) -> None:
        """Report that this ONNX Runtime, probably an old one, cannot open the model. Raises `DeviceUnavailable`."""
        runtime = f"ONNX Runtime {version('onnxruntime')}"
        if find_spec("torch") is None:
            fault = f"it cannot open the compiled form of {self.space.model}, and PyTorch is not installed: {exc}"
            raise DeviceUnavailable(runtime, fault) from exc
        if self._placement.announce is not None:
            message = f"{runtime} cannot open the compiled form of {self.space.model}, so that PyTorch is used: {exc}"
            self._placement.announce(message)

    def _compile(self) -> store.CompiledModel | None:
        """Compile the model in a process of its own, so that this one goes on if memory runs out."""
        if store.read_failure(self.space) is not None or not all(map(find_spec, PACKAGES)):
            return None
        return self.compile_in_process(self, f"Preparing {self.space.model} for fast starts; this is done once.")

    def compile_in_process(self, encoder: Encoder, message: str) -> store.CompiledModel | None:
        """Compile `encoder`, this model or a form of it, in a process of its own; None if that fails.

        `placement.announce` is told the message if it takes long.
        """
        if not sys.executable:  # an embedded interpreter
            return None
        with _explained(self._placement, message):
            done = subprocess.run(
                [sys.executable, "-m", "encoders.compiled", encoder.space.model, encoder.space.fingerprint],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        found = store.find(encoder.space)
        if found is None and done.returncode < 0 and encoder is self:  # killed, probably because memory was short
            store.record_failure(self.space, f"its exporter was killed by signal {-done.returncode}")
        return found

    def _prefers_torch(self, compiled: CompiledEncoder) -> bool:
        """Whether PyTorch embeds pictures fastest here. Measures it if that was not done on this machine."""
        if requested_runtime() != "auto":
            return False
        with self.opening:
            rates = self._rates(compiled)
            if rates.torch is None:
                with self._explained_measurement():
                    measured = compare(compiled, self.original, lambda: str(self.original.placed))
                rates = self._measured = replace(rates, torch=measured).keep(compiled.compiled.folder)
            return rates.prefers_torch

    def _faster(self, compiled: CompiledEncoder) -> OpenVinoEncoder | None:
        """Return the encoder of OpenVINO if it is faster here, or was asked for. Measures it if needed."""
        if requested_runtime() == "onnx":
            return None
        with self.opening:
            if self._openvino is None or requested_runtime() == "openvino":
                return self._openvino
            rates = self._rates(compiled)
            if rates.openvino is None:
                with self._explained_measurement():
                    measured = compare_openvino(compiled, self._openvino)
                rates = self._measured = replace(rates, openvino=measured).keep(compiled.compiled.folder)
            return self._openvino if rates.prefers_openvino else None

    def _rates(self, compiled: CompiledEncoder) -> Rates:
        if self._measured is None:
            self._measured = read_rates(compiled.compiled.folder)
        return self._measured

    def _explained_measurement(self) -> AbstractContextManager[None]:
        message = f"Measuring how {self.space.model} runs fastest here; this is done once."
        return _explained(self._placement, message)

    def _expects_gpu(self) -> bool:
        """Whether long runs will use a GPU, as far as this is known without starting PyTorch."""
        if requested_runtime() != "auto":
            return False
        found = store.find(self.space)
        measured = Rates() if found is None else read_rates(found.folder)
        if measured.torch is not None:
            return measured.prefers_torch and not measured.torch.where.startswith("cpu")
        return machine.has_gpu_driver() or machine.is_apple_silicon()


def describe_runtime(encoder: Encoder) -> dict[str, str]:
    """Return how a model of PyTorch runs, how well its compiled form agrees, and what was measured. Loads nothing."""
    if isinstance(encoder, TorchEncoder):
        return {"runtime": "PyTorch, as asked for"}
    if not isinstance(encoder, RuntimeEncoder):
        return {}
    found = store.find(encoder.space)
    if found is None:
        failure = store.read_failure(encoder.space)
        if failure is None:
            return {"runtime": "ONNX Runtime, after its first use has compiled it"}
        return {"runtime": f"PyTorch; it cannot be compiled: {failure}"}
    cosines = ", ".join(f"{kind} {cosine:.6f}" for kind, cosine in found.card.cosines.items())
    measured = read_rates(found.folder)
    facts = {
        "runtime": _describe_ways(measured),
        "agreement": f"smallest cosine to PyTorch in float32: {cosines}",
    }
    ways = {"OpenVINO": measured.openvino, "PyTorch": measured.torch}
    if rates := [_describe_rate(name, way) for name, way in ways.items() if way is not None]:
        facts["rates"] = "pictures/s: " + "; ".join(rates)
    return {**facts, "compiled": str(found.folder)}


def _describe_rate(name: str, way: RuntimeComparison) -> str:
    if not way.other:
        return f"{name} {way.where}"
    return f"{name} {way.other:.1f}, ONNX Runtime {way.onnx:.1f} ({way.where}; smallest cosine {way.cosine:.6f})"


def _describe_ways(rates: Rates) -> str:
    """Return which way runs texts, a few pictures, and more of them."""
    runtime = requested_runtime()
    ways = ["ONNX Runtime"]
    if openvino_encoder.is_installed() and (runtime == "openvino" or (runtime == "auto" and rates.prefers_openvino)):
        ways.append(f"more than {FEW_PICTURES} pictures with OpenVINO")
    if runtime == "auto" and rates.prefers_torch:
        ways.append(f"more than {LONG_RUN} pictures with PyTorch")
    return "; ".join(ways)


@contextmanager
def _explained(placement: Placement, message: str) -> Iterator[None]:
    """Tell `placement.announce` the message if the block takes longer than `PATIENCE_SECONDS`."""
    timer = Timer(PATIENCE_SECONDS, placement.announce or (lambda _: None), [message])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
