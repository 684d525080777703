"""Scale samples of any type to 8 bits: which value is black, and which is white.

Tags that name the range decide. Without them, by type of sample:

- Unsigned integers up to 16 bits: 0 is black, and white is the largest value of the smallest of 8, 10, 12, 14 and 16
  bits that all values fit in. Cameras with 12 bits store their values in 16, and would be nearly black otherwise.
- Signed integers without negative values: as unsigned ones, with 15 bits at most for 16. With negative values: the
  smallest value is black, the largest white.
- Integers of more bits: as those of 16 bits if all values fit in these, 0 to the largest value of the type if its
  highest bit is used, else from the smallest to the largest value.
- Floats: 0 to 1 if all values are, but for outliers: at most `OUTLIERS` of the pixels at each end, such as highlights
  and the ringing of a filter. Else 0 to 255 if the largest value is above 127 and at most 255. Else from 0, or the
  smallest value if it is negative, to the largest. NaN and -inf are black, +inf is white.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["OUTLIERS", "Range", "find_range", "to_bytes"]

OUTLIERS = 0.001
"""Share of the pixels at each end of the range of floats that can be beyond 0 or 1."""

_DEPTHS = (8, 10, 12, 14, 16)
_SAMPLES_AT_A_TIME = 1 << 22
"""Samples that are scaled at a time, to save memory."""

Samples = NDArray[np.integer] | NDArray[np.floating]
Range = tuple[float, float]
"""The values that are black and white."""


def find_range(samples: Samples, bits: int | None = None) -> Range:
    """Return the range of samples of any shape. `bits` is the depth that is declared, by default that of the type."""
    if samples.dtype.kind == "f":
        return _float_range(samples)
    low, high = int(samples.min()), int(samples.max())
    depth = bits or samples.dtype.itemsize * 8
    if samples.dtype.kind == "i":
        if low < 0:
            return low, high
        depth -= 1
    if depth <= 16 or high <= 0xFFFF:
        limit = min(depth, 16)
        return 0, (1 << next((fits for fits in _DEPTHS if fits < limit and high < 1 << fits), limit)) - 1
    return (0, (1 << depth) - 1) if high >> (depth - 1) else (low, high)


def to_bytes(samples: Samples, limits: Range) -> NDArray[np.uint8]:
    """Scale samples (H, ...) to 0..255, rounded. Values beyond the range are clipped."""
    low, high = limits
    scaled = np.empty(samples.shape, np.uint8)
    rows = max(1, _SAMPLES_AT_A_TIME // max(1, samples[0].size))
    for start in range(0, len(samples), rows):
        part = samples[start : start + rows]
        if (low, high) == (0, 255) and part.dtype.kind != "f":
            scaled[start : start + rows] = np.clip(part, 0, 255)
        elif (low, high) == (0, 65535) and part.dtype.kind != "f":
            scaled[start : start + rows] = (np.clip(part, 0, 65535).astype(np.uint32) + 128) // 257
        else:
            scaled[start : start + rows] = _scaled(part, low, high)
    return scaled


def _scaled(samples: Samples, low: float, high: float) -> NDArray[np.float64]:
    values = samples.astype(np.float64)
    values[np.isnan(values)] = low
    span = max(high - low, np.finfo(np.float64).tiny)
    return np.rint(np.clip((values.clip(low, high) - low) / span, 0, 1) * 255)


def _float_range(samples: Samples) -> Range:
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return 0, 1
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and high <= 1:
        return 0, 1
    few = OUTLIERS * finite.size
    is_positive = np.count_nonzero(finite < 0) <= few
    if is_positive and np.count_nonzero(finite > 1) <= few:
        return 0, 1
    if is_positive and 127 < high <= 255:
        return 0, 255
    return min(low, 0), high
