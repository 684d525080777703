"""The colours of a map: a ramp from dark to light whose steps look equally large, computed in OKLab.

OKLab (Ottosson, "A perceptual color space for image processing", 2020) is a space in which distances are near what the
eye sees. The ramp's lightness rises evenly, so that it also reads in grey and by the colour-blind, while the hue turns
from violet over red to yellow; chroma is given up where a screen cannot show it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["ramp", "to_oklab"]

STEPS = 256
LIGHTNESS = (0.22, 0.93)
HUE = (292.0, 463.0)
"""Degrees: violet, over red (390) to yellow."""
CHROMA = 0.19

_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                 [0.2119034982, 0.6806995451, 0.1073969566],
                 [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                 [1.9779984951, -2.4285922050, 0.4505937099],
                 [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
"""Linear sRGB to cone responses, and their cube roots to L, a, b, as published."""


@cache
def ramp() -> NDArray[np.uint8]:
    """(256, 3) sRGB, for values from 0 to 1."""
    # Steps are even along the curve, not along its parameter: first a fine curve, then points at equal distances.
    fine = _curve(np.linspace(0, 1, 4096))  # (N, 3)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    even = np.linspace(0, along[-1], STEPS)
    lab = np.stack([np.interp(even, along, fine[:, axis]) for axis in range(3)], axis=1)
    return np.asarray(np.rint(np.clip(_to_srgb(lab), 0, 1) * 255), dtype=np.uint8)


def to_oklab(srgb: NDArray[np.uint8]) -> NDArray[np.floating]:
    """(N, 3) of sRGB to (N, 3) of L, a, b."""
    values = srgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LMS.T) @ _LAB.T)


def _curve(at: NDArray[np.floating]) -> NDArray[np.floating]:
    """Points (N, 3) of the ramp in OKLab, every one of them a colour that sRGB has."""
    lightness = np.interp(at, (0, 1), LIGHTNESS)
    hue = np.radians(np.interp(at, (0, 1), HUE))
    direction = np.stack([np.zeros_like(at), np.cos(hue), np.sin(hue)], axis=1)  # (N, 3)
    grey = np.stack([lightness, np.zeros_like(at), np.zeros_like(at)], axis=1)
    least, most = np.zeros_like(at), np.full_like(at, CHROMA)
    for _ in range(20):  # bisection: the largest chroma, up to CHROMA, that is within sRGB
        middle = (least + most) / 2
        shown = _to_srgb(grey + middle[:, None] * direction)
        fits = ((shown >= 0) & (shown <= 1)).all(axis=1)
        least, most = np.where(fits, middle, least), np.where(fits, most, middle)
    return np.asarray(grey + least[:, None] * direction)


def _to_srgb(lab: NDArray[np.floating]) -> NDArray[np.floating]:
    """(N, 3) of OKLab to sRGB; below 0 and above 1 where sRGB has no such colour."""
    linear = (lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T
    bright = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, linear * 12.92, bright))
