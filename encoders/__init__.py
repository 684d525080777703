"""Encoders: models that turn pictures and texts into unit vectors, and segmentation models."""
