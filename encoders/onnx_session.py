"""Sessions of ONNX Runtime with the options that all encoders share."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["open_session"]


def open_session(file: Path, *, is_optimised: bool = False, for_few: bool = False) -> "InferenceSession":
    """Return a session for the graph in `file`, on the processor.

    A graph that `is_optimised` is run as it is. With `for_few`, weights stay as they are in the file, which is mapped
    into memory: the session is there at once, and each run takes longer.
    """
    # Late: a program that embeds nothing does not need it.
    from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions, disable_telemetry_events

    disable_telemetry_events()  # on Windows, and in a program that imported ONNX Runtime before Sightline
    options = SessionOptions()
    if is_optimised:
        options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
    if for_few:
        options.add_session_config_entry("session.disable_prepacking", "1")
    options.log_severity_level = 3  # errors only
    # Spinning threads would take the processor from those that decode pictures, and gain almost nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
