"""Numbers of filters with units, as people write them: `f/2.8`, `1/250`, `35mm`, `10MB`, `2,8`."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from core.errors import InvalidQuery
from core.metadata import MAX_RATING, MIN_RATING
from search.filters.signs import plain_signs

__all__ = ["parse_number"]

_NUMBER = re.compile(r"(?:f/?(?=[\d.]))?([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+))(?:/(\d+(?:[.,]\d+)?))?\s*([a-z]*)", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_HYPHEN_RANGE = re.compile(r"([\d.,]+[a-z]*)\s*(?:-|to|bis|à|~)\s*([\d.,]+\s*[a-z]*)")
_LIST = re.compile(r"[\d.]+(?:,[\d.]+)+")

_KILO, _MEGA, _GIGA = 1e3, 1e6, 1e9

_UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "bytes": {"b": 1, "kb": _KILO, "mb": _MEGA, "gb": _GIGA, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tb": 1e12},
        "pixels": {"mp": _MEGA},
        "width": {"px": 1},
        "height": {"px": 1},
        "focal_length": {"mm": 1},
        "exposure": {"s": 1},
        "metres": {"m": 1, "km": _KILO, "mi": 1609.344},
    }
)

_NOT_NEGATIVE = frozenset(("iso", "aperture", "focal_length", "exposure", "width", "height", "pixels", "bytes"))


def parse_number(field: str, text: str, unit: str = "") -> float:
    """Return the number `text` in the basic unit of `field`; without a unit in the text, `unit` is its unit.

    A comma before other than three digits is a decimal comma. Raises `InvalidQuery`.
    """
    plain = plain_signs(text).strip().casefold()
    match = _NUMBER.fullmatch(plain)
    units = {"": 1.0, **_UNITS.get(field, {})}
    if match is None or match[3] not in units:
        hint = _remedy(plain) or (f"Units: {', '.join(list(units)[1:])}." if len(units) > 1 else "")
        raise InvalidQuery(f"{text!r} is not a number. {hint}".rstrip() if plain else "A number is missing.")
    if field != "coordinate" and _THOUSANDS.fullmatch(match[1]):
        digits = match[1].replace(",", "")
        raise InvalidQuery(f"{text!r} can be read in two ways. Write {digits} or {match[1].replace(',', '.', 1)}.")
    try:
        number = _float(match[1]) / _float(match[2] or "1") * units[match[3] or unit]
    except ZeroDivisionError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidQuery(f"{text!r} is not a finite number.")
    _check_bounds(field, text, number)
    return number


def _float(digits: str) -> float:
    return float(digits.replace(",", "."))


def _check_bounds(field: str, text: str, number: float) -> None:
    if field == "month" and not 1 <= number <= 12:
        raise InvalidQuery(f"{text!r} is not a month. Use a number from 1 to 12.")
    if field == "rating" and not MIN_RATING <= number <= MAX_RATING:
        raise InvalidQuery(f"{text!r} is not a rating. Use 1 to 5 stars, 0 for unrated, or -1 for rejected.")
    if field in _NOT_NEGATIVE and number < 0:
        raise InvalidQuery(f"{text!r} is negative, and no picture has such a value.")


def _remedy(text: str) -> str:
    """Return how to write what looks like a range or a list of numbers."""
    span = _HYPHEN_RANGE.fullmatch(text)
    if span is not None:
        return f"A range is written {span[1]}..{span[2]}."
    return "Join several values with or, each with the field." if _LIST.fullmatch(text) else ""
