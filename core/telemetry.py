"""Libraries that report their use to their makers unless they are told not to: Sightline reports nothing to anyone."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["disable_telemetry", "openvino_does_not_report"]

VARIABLES = {
    # The packages of ONNX Runtime for Linux and macOS record events from version 1.29 on, beginning when they are
    # imported, and send them with an identifier that they keep in the user's cache folder
    # (https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md).
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

_OPENVINO = "openvino_telemetry"


def disable_telemetry() -> None:
    """Set the variables that these libraries read when they are imported."""
    os.environ.update(VARIABLES)


@contextmanager
def openvino_does_not_report() -> Iterator[None]:
    """Hide the package with which OpenVINO reports each import to its makers, unless it has been imported already."""
    if _OPENVINO in sys.modules:
        yield
        return
    sys.modules[_OPENVINO] = None  # type: ignore[assignment]  # importing it raises ImportError, for which it is prepared
    try:
        yield
    finally:
        del sys.modules[_OPENVINO]
