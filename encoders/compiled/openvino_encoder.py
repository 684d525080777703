"""The image tower of a compiled model, run by OpenVINO: in bfloat16 on processors that have instructions for it."""

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.telemetry import openvino_does_not_report
from encoders.compiled.choice import RuntimeComparison, compare
from encoders.compiled.encoder import CompiledEncoder
from encoders.compiled.store import IMAGES, is_known_intact
from encoders.preprocess import Preprocess

__all__ = ["OPTIONS", "STREAMS", "OpenVinoEncoder", "OpenVinoFailed", "compare_openvino", "is_installed", "open_core"]

STREAMS = 2
"""Parts of a batch that are computed at the same time, each by its share of the cores.

With two cores and a ViT-B-32-256, one thread for each of two parts took 8 % less processor time in bfloat16 than two
threads for the whole batch, and 11 % less in 8 bits: the threads of a part wait for each other after every operation.
The vectors had the same bits.
"""
OPTIONS = {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": str(STREAMS)}


class OpenVinoFailed(Exception):
    """OpenVINO cannot run a tower. It is never raised to users: ONNX Runtime takes its place."""


def is_installed() -> bool:
    """Return whether OpenVINO is installed. Imports nothing."""
    return find_spec("openvino") is not None


class OpenVinoEncoder(CompiledEncoder):
    """A compiled model whose vectors of pictures are computed by OpenVINO; all else is done by ONNX Runtime.

    The precision is what OpenVINO chooses for the processor. Vectors of pictures raise `OpenVinoFailed` if it fails.
    """

    @property
    def precision(self) -> str:
        """The number format of its computations, for example `bfloat16`. Loads the tower."""
        return str(self._tower.get_property("INFERENCE_PRECISION_HINT").get_type_name()).replace("bf16", "bfloat16")

    def forward_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map results of `preprocess.pixels` (n, S, S, 3) to vectors (n, D). OpenVINO normalises them."""
        parts = np.array_split(pixels, min(len(pixels), STREAMS))
        try:
            requests = [self._start(part) for part in parts]
            return np.concatenate([_finish(request) for request in requests])
        except RuntimeError as exc:
            raise OpenVinoFailed(str(exc)) from exc

    def _start(self, pixels: NDArray[np.uint8]) -> Any:
        request = self._tower.create_infer_request()  # of this call alone: encoders are used by several threads
        request.start_async([np.ascontiguousarray(pixels)])
        return request

    @cached_property
    def _tower(self) -> Any:
        return self._compile()

    def _compile(self) -> Any:
        if not is_known_intact(self.compiled, IMAGES):
            raise OpenVinoFailed("its files are damaged")
        try:
            return _compiled(self.compiled.folder / IMAGES, self.preprocess)
        except (RuntimeError, ImportError, OSError) as exc:
            raise OpenVinoFailed(str(exc)) from exc


def _finish(request: Any) -> NDArray[np.float32]:
    request.wait()
    return np.array(request.get_output_tensor().data, np.float32)  # a copy: the request owns its output


def compare_openvino(compiled: CompiledEncoder, other: OpenVinoEncoder) -> RuntimeComparison:
    """Measure OpenVINO beside ONNX Runtime. Its rate is 0 if it fails."""
    try:
        return compare(compiled, other, lambda: f"cpu, {other.precision}")
    except OpenVinoFailed as exc:
        return RuntimeComparison(1.0, 0.0, f"failed: {exc}", 0.0)


def open_core() -> Any:
    """Return a new `openvino.Core`, without letting OpenVINO report that it is imported."""
    with openvino_does_not_report():
        import openvino
    return openvino.Core()


def _compiled(file: Path, preprocess: Preprocess) -> Any:
    """Return the part of a graph that maps pixels (n, S, S, 3) to vectors (n, D), compiled for this processor."""
    core = open_core()
    import openvino
    from openvino.preprocess import PrePostProcessor

    graph = core.read_model(file)
    vectors = openvino.Model([graph.output("vectors")], graph.get_parameters(), "vectors")
    steps = PrePostProcessor(vectors)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    normalised = steps.input().preprocess().convert_element_type(openvino.Type.f32)
    normalised.mean([255 * value for value in preprocess.mean]).scale([255 * value for value in preprocess.std])
    return core.compile_model(steps.build(), "CPU", OPTIONS)
