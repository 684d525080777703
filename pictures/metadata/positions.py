"""Convert positions on the globe from the forms in which files store them to signed degrees.

An angle is degrees, minutes and seconds. A component that is not a number, as receivers write it where they know no
seconds, is dropped together with the finer ones, unless too little would be left to name a place.
"""

import math
import re
from collections.abc import Sequence

__all__ = ["known_position", "parse_xmp_angle", "signed_degrees"]

Position = tuple[float, float] | tuple[None, None]

_XMP_ANGLE = re.compile(
    r"([+-]?[0-9]+(?:\.[0-9]+)?)(?:[,\s]+([0-9]+(?:\.[0-9]+)?))?(?:[,\s]+([0-9]+(?:\.[0-9]+)?))?\s*([NSEW]?)",
    re.IGNORECASE,
)


def known_position(latitude: float | None, longitude: float | None) -> Position:
    """Return the position, or None twice if a part is missing. Receivers without a fix write exactly 0, 0."""
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # NaN, too
        return None, None
    return latitude, longitude


def signed_degrees(components: Sequence[float], hemisphere: str | None, signs: str) -> float | None:
    """Return the angle of `components`: degrees, minutes and seconds, none of them negative.

    `signs` are the letters of the hemispheres, positive first. Without a hemisphere the angle is unknown: the place
    could be on the other side of the globe.
    """
    letter = (hemisphere or "")[:1].upper()
    if not letter or letter not in signs or not 1 <= len(components) <= 3:
        return None
    degrees = _degrees(components)
    limit = 90 if signs == "NS" else 180
    if degrees is None or degrees > limit:
        return None
    return degrees if letter == signs[0] else -degrees


def parse_xmp_angle(text: str | None, signs: str) -> float | None:
    """Return the angle in a text such as `48,8.22N` or `48,8,13N` (XMP), or in signed decimal degrees."""
    match = _XMP_ANGLE.fullmatch((text or "").strip())
    if match is None:
        return None
    *numbers, letter = match.groups()
    components = [float(number) for number in numbers if number is not None]
    if letter:
        return signed_degrees(components, letter, signs)
    return components[0] if len(components) == 1 and ("." in numbers[0] or components[0] < 0) else None


def _degrees(components: Sequence[float]) -> float | None:
    degrees, *finer = components
    if not (math.isfinite(degrees) and degrees >= 0):
        return None
    minutes = finer[0] if finer else 0.0
    seconds = finer[1] if len(finer) > 1 else 0.0
    if not math.isfinite(minutes):
        return degrees if degrees % 1 else None  # decimal degrees; whole ones alone are no place
    if not 0 <= minutes <= 60 + 1e-6:  # 60 is rounded up
        return None
    if not 0 <= seconds <= 60 + 1e-6:  # NaN, too
        seconds = 0.0
    return math.fsum((degrees, minutes / 60, seconds / 3600))
