"""Encoders: models that turn pictures and texts into unit vectors, and segmentation models."""

from encoders.telemetry import disable_telemetry

disable_telemetry()  # here, because every module that imports one of these libraries is in this package
