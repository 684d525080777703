"""The recipe of the built-in model `mini`: prepare, train, export, evaluate. The product does not import it."""

import core  # noqa: F401 - before a step imports ONNX Runtime, which would report its use (core/telemetry.py)
