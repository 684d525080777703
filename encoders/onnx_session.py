"""Sessions of ONNX Runtime with the options that all encoders share."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["open_session"]


def open_session(file: Path) -> "InferenceSession":
    """Return a session for the graph in `file`, on the processor."""
    from onnxruntime import InferenceSession, SessionOptions  # late: a program that embeds nothing does not need it

    options = SessionOptions()
    options.log_severity_level = 3  # errors only
    # Spinning threads would take the processor from those that decode pictures, and gain almost nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
