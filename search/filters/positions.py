"""Places of filters: coordinates in degrees, as people and maps write them, with a distance, or a box of them."""

import re

from core.errors import InvalidQuery
from search.filters.numbers import parse_number
from search.filters.signs import plain_signs
from store.filters.conditions import Box, Circle, Condition, FieldTest, Op

__all__ = ["box_condition", "near_condition"]

_DEFAULT_RADIUS = "1km"

_COORDINATE = re.compile(
    r"""
    \s* ([nsew])? \s* ([+-]?[\d.,]+) \s* °?                     # degrees
    (?: \s* (\d{1,2}(?:\.\d+)?) \s* ['\u2032\u2019] )?          # minutes
    (?: \s* (\d{1,2}(?:\.\d+)?) \s* (?:["\u2033\u201d]|'') )?   # seconds
    \s* ([nsew])? \s*
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_SIGNS = {"n": 1, "s": -1, "e": 1, "w": -1}


def near_condition(text: str) -> Condition:
    """Parse a place and an optional distance, 1 km by default: `48.137,11.575`, `48.137,11.575,200m`.

    `48.1N,11.5E` and `48°8'N,11°34'E` are read, too. Between decimal commas, `;` separates: `48,1;11,5`.
    """
    example = "Use latitude, longitude and distance, as in 48.137,11.575,10km."
    parts = _parts(text, (2, 3), f"Invalid place {text!r}. {example}")
    metres = parse_number("metres", parts[2] if len(parts) == 3 else _DEFAULT_RADIUS, "m")
    if metres < 0:
        raise InvalidQuery(f"The distance in {text!r} must not be negative.")
    return FieldTest("position", Op.IN, (Circle(*_point(parts[0], parts[1]), metres),))


def box_condition(text: str) -> Condition:
    """Parse south, west, north, east: `47.2,10.9,48.3,12.0`. A west larger than east crosses the date line."""
    parts = _parts(text, (4,), f"Invalid box {text!r}. Use south, west, north, east, as in 47.2,10.9,48.3,12.0.")
    (south, west), (north, east) = _point(parts[0], parts[1]), _point(parts[2], parts[3])
    if south > north:
        raise InvalidQuery(
            f"Invalid box {text!r}. The south ({south:g}) is larger than the north ({north:g}). "
            f"Write {north:g},{west:g},{south:g},{east:g}."
        )
    return FieldTest("position", Op.IN, (Box(south, west, north, east),))


def _parts(text: str, counts: tuple[int, ...], fault: str) -> list[str]:
    """Split numbers at `;`, or else at commas. Raises `InvalidQuery` with `fault` for another number of them."""
    plain = plain_signs(text)
    parts = plain.split(";" if ";" in plain else ",")
    if not parts[-1].strip() and len(parts) > 1:
        raise InvalidQuery(f"{fault} A place with blanks needs quotation marks.")
    if len(parts) not in counts:
        is_decimal = ";" not in plain and len(parts) in (2 * counts[0], 2 * counts[0] + 1)
        raise InvalidQuery(f"{fault} Between decimal commas, separate by ; as in 48,1;11,5." if is_decimal else fault)
    return parts


def _point(first: str, second: str) -> tuple[float, float]:
    """Return latitude and longitude; letters for the direction can exchange the two."""
    (value, axis), (other, other_axis) = _coordinate(first), _coordinate(second)
    if (axis, other_axis) in (("e", "n"), ("e", ""), ("", "n")):
        value, other = other, value
    elif axis and axis == other_axis:
        raise InvalidQuery(f"{first.strip()!r} and {second.strip()!r} are not a latitude and a longitude.")
    if abs(value) > 90 or abs(other) > 180:
        raise InvalidQuery(
            f"{value:g}, {other:g} is not a place. Latitudes are within ±90 degrees, longitudes within ±180."
        )
    return value, other


def _coordinate(text: str) -> tuple[float, str]:
    """Return degrees, and `n` for a latitude or `e` for a longitude if a letter says which."""
    match = _COORDINATE.fullmatch(text)
    letters = [] if match is None else [letter.casefold() for letter in (match[1], match[5]) if letter]
    if match is None or len(letters) > 1 or (letters and match[2][0] in "+-"):
        return parse_number("coordinate", text), ""
    degrees = parse_number("coordinate", match[2])
    minutes, seconds = float(match[3] or 0), float(match[4] or 0)
    if minutes >= 60 or seconds >= 60:
        raise InvalidQuery(f"{text.strip()!r} is not a coordinate: minutes and seconds are less than 60.")
    fraction = minutes / 60 + seconds / 3600
    value = degrees - fraction if match[2].startswith("-") else degrees + fraction
    letter = letters[0] if letters else ""
    return value * _SIGNS.get(letter, 1), {"s": "n", "w": "e"}.get(letter, letter)
