"""Numbers of cameras: bounds of real values, APEX units, and the description of a lens by its numbers."""

import math
from collections.abc import Sequence

__all__ = ["aperture_of_apex", "exposure_of_apex", "lens_of_specification", "measure", "number"]

_NOMINAL_APERTURES = (
    0.95, 1.0, 1.1, 1.2, 1.4, 1.6, 1.7, 1.8, 2.0, 2.2, 2.4, 2.5, 2.8, 3.2, 3.3, 3.5, 4.0, 4.5, 4.8, 5.0, 5.6, 6.3, 6.7,
    7.1, 8.0, 9.0, 9.5, 10.0, 11.0, 13.0, 14.0, 16.0, 18.0, 19.0, 20.0, 22.0, 25.0, 27.0, 29.0, 32.0, 45.0, 64.0,
)  # fmt: skip
"""The numbers by which apertures in whole, half and third stops are called. f/5.6 is 2^2.5 = 5.66."""

_ROUNDING = 0.03
"""How far, relatively, these numbers are from the exact ones."""


def number(value: object) -> float:
    """Return `value` as a float, or NaN if it is not a number (such as text or a rational with denominator 0)."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def measure(value: object, least: float, most: float) -> float | None:
    """Return a number within the bounds of real cameras, rounded to six digits; rationals have more by accident."""
    size = number(value)
    return float(f"{size:.6g}") if least <= size <= most else None


def aperture_of_apex(value: float) -> float | None:
    """Return the f-number of an aperture in APEX units, N = 2^(Av/2) (Exif 2.32, annex C), as it is usually called."""
    if not 0 <= value <= 20:
        return None
    exact = 2 ** (value / 2)
    nominal = min(_NOMINAL_APERTURES, key=lambda each: abs(each - exact))
    return nominal if abs(nominal / exact - 1) <= _ROUNDING else measure(exact, 0.1, 1_000)


def exposure_of_apex(value: float) -> float | None:
    """Return the seconds of a shutter speed in APEX units, t = 2^-Tv (Exif 2.32, annex C)."""
    return measure(2**-value, 1e-6, 1e7) if -20 <= value <= 20 else None


def lens_of_specification(numbers: Sequence[float]) -> str | None:
    """Return a lens such as `24-70mm f/2.8` of LensSpecification (Exif 2.32, 4.6.6): the shortest and longest focal
    length, and the smallest f-number at each. Numbers that are not known are left out."""
    if len(numbers) != 4 or not all(0 < each < 100_000 for each in numbers[:2]):
        return None
    lengths = "-".join(dict.fromkeys(f"{each:g}" for each in numbers[:2]))
    apertures = "-".join(dict.fromkeys(f"{each:g}" for each in numbers[2:] if 0 < each < 1_000))
    return f"{lengths}mm f/{apertures}" if apertures else f"{lengths}mm"
