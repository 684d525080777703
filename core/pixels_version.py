"""The version of the code that turns files into pixels."""

__all__ = ["PIXELS_VERSION"]

PIXELS_VERSION = 1
"""Raise it when some files are shown with other pixels than before, and name them in `pictures.changed_pixels`.

These are then embedded again by the next index run. Thumbnails of all files are made again.
"""
