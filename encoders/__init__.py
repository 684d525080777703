"""Encoders: models that turn pictures and texts into unit vectors, and segmentation models."""

import core  # noqa: F401 - before ONNX Runtime, which would report its use (core/telemetry.py)
