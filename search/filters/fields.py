"""Fields that a filter can test, and the conditions that a name and a value stand for."""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from core.errors import InvalidQuery
from search.filters.values import (
    box_condition,
    date_condition,
    near_condition,
    number_condition,
    parse_date,
    season_condition,
    time_condition,
)
from store.filters.conditions import Condition, FieldTest, Not, Op

__all__ = ["FIELD_NAMES", "field_condition", "parse_where"]

_WHERE = re.compile(r"\s*(-?)([A-Za-z]+)\s*(!=|<=|>=|<|>|=|:)(.*)", re.DOTALL)
_TEXT_FIELDS = ("camera", "lens", "name", "title", "description")
"""Fields whose `:` searches for a part of the text; `=` requires the whole text."""


def field_condition(name: str, value: str) -> Condition:
    """Return the condition of the filter `name:value`. Raises `InvalidQuery` for an unknown name or an invalid value.

    field_condition("camera", "x100")       the camera's name contains this text
    field_condition("iso", ">800")
    field_condition("in", "holidays")       any folder of this name
    """
    parse = _FIELDS.get(name.strip().casefold())
    if parse is None:
        close = difflib.get_close_matches(name.casefold(), FIELD_NAMES, n=3)
        hint = f"Did you mean {' or '.join(close)}?" if close else f"Choose from: {', '.join(FIELD_NAMES)}."
        raise InvalidQuery(f"Unknown field {name!r}. {hint}")
    if not value.strip():
        raise InvalidQuery(f"The field {name} needs a value.")
    try:
        return parse(value)
    except InvalidQuery as exc:
        raise InvalidQuery(f"{name}: {exc}") from exc


def parse_where(text: str) -> Condition:
    """Parse one condition: `field:value`, or with `=`, `!=`, `<`, `<=`, `>`, `>=` as in `iso>800`.

    For text fields, `:` searches for a part of the text and `=` compares the whole text. A minus before the field
    negates the condition. Raises `InvalidQuery`.
    """
    match = _WHERE.fullmatch(text)
    if match is None:
        raise InvalidQuery(f"{text!r} is not a condition. Use for example iso>800, camera:x100 or rating>=4.")
    minus, name, operator, value = match.groups()
    if minus:
        return Not(parse_where(f"{name}{operator}{value}"))
    if operator == ":":
        return field_condition(name, value.strip())
    if operator == "!=":
        return Not(parse_where(f"{name}={value}"))
    if operator == "=":
        operator = "=" if name.casefold() in _TEXT_FIELDS else ""
    return field_condition(name, operator + value.strip())


def _text(field: str, value: str) -> Condition:
    """A part of the text; with `*` or `?` a pattern of the whole text; after `=` the exact text."""
    if value.startswith("="):
        return FieldTest(field, Op.EQ, value[1:].strip())
    return FieldTest(field, Op.LIKE, value if _is_pattern(value) else f"*{value.strip()}*")


def _tag(value: str) -> Condition:
    """A tag and its descendants."""
    if _is_pattern(value):
        return FieldTest("tag", Op.LIKE, value.strip())
    return FieldTest("tag", Op.EQ, value.strip().removeprefix("=").strip("/"))


def _path(value: str) -> Condition:
    """A pattern of the whole path, or of its end unless it begins with `/`."""
    return FieldTest("path", Op.LIKE, value if value.startswith(("/", "*")) else f"*/{value}")


def _folder(value: str) -> Condition:
    """A folder by its path; a bare name is any folder of that name."""
    if value.startswith(("/", "~", "./", "../")) or value in (".", ".."):
        return FieldTest("folder", Op.EQ, Path(os.path.expanduser(value)))  # noqa: PTH111 (Path.expanduser may raise)
    return FieldTest("path", Op.LIKE, f"*/{value.strip('/')}/*")


def _words(field: str, words: Mapping[str, tuple[str, ...]], value: str) -> Condition:
    """One of several words, separated by commas."""
    chosen = [part.strip().casefold() for part in value.split(",")]
    for word in chosen:
        if word not in words:
            raise InvalidQuery(f"Unknown value {word!r}. Choose from: {', '.join(words)}.")
    return FieldTest(field, Op.IN, tuple(stored for word in chosen for stored in words[word]))


def _has(value: str) -> Condition:
    """The picture has a value for this field."""
    field = _OPTIONAL.get(value.strip().casefold())
    if field is None:
        raise InvalidQuery(f"Unknown value {value!r}. Choose from: {', '.join(_OPTIONAL)}.")
    return FieldTest(field, Op.EXISTS)


def _is_pattern(value: str) -> bool:
    return "*" in value or "?" in value


_FORMATS = {
    "jpeg": ("JPEG", "MPO"),  # MPO: several JPEGs in one file, as many phones write them
    "jpg": ("JPEG", "MPO"),
    "png": ("PNG",),
    "webp": ("WEBP",),
    "gif": ("GIF",),
    "tiff": ("TIFF",),
    "tif": ("TIFF",),
    "avif": ("AVIF",),
    "heic": ("HEIF",),
    "heif": ("HEIF",),
    "bmp": ("BMP", "DIB"),
    "jp2": ("JPEG2000",),
    "ppm": ("PPM",),
    "tga": ("TGA",),
}
_ORIENTATIONS = {word: (word,) for word in ("landscape", "portrait", "square")}
_OPTIONAL = {
    "gps": "position",
    "date": "taken_at",
    "camera": "camera",
    "lens": "lens",
    "iso": "iso",
    "aperture": "aperture",
    "focal": "focal_length",
    "exposure": "exposure",
    "tag": "tag",
    "rating": "rating",
    "title": "title",
    "description": "description",
}

_FIELDS: Mapping[str, Callable[[str], Condition]] = MappingProxyType(
    {
        "in": _folder,
        "path": _path,
        "name": partial(_text, "name"),
        "after": lambda value: FieldTest("taken_at", Op.GE, parse_date(value)),
        "before": lambda value: FieldTest("taken_at", Op.LT, parse_date(value)),
        "date": date_condition,
        "year": date_condition,
        "month": partial(number_condition, "month"),
        "season": season_condition,
        "time": time_condition,
        "camera": partial(_text, "camera"),
        "lens": partial(_text, "lens"),
        "iso": partial(number_condition, "iso"),
        "aperture": partial(number_condition, "aperture"),
        "focal": partial(number_condition, "focal_length"),
        "exposure": partial(number_condition, "exposure"),
        "width": partial(number_condition, "width"),
        "height": partial(number_condition, "height"),
        "mp": partial(number_condition, "pixels", unit="mp"),
        "size": partial(number_condition, "bytes"),
        "orientation": partial(_words, "orientation", _ORIENTATIONS),
        "format": partial(_words, "format", _FORMATS),
        "near": near_condition,
        "box": box_condition,
        "tag": _tag,
        "rating": partial(number_condition, "rating"),
        "title": partial(_text, "title"),
        "description": partial(_text, "description"),
        "has": _has,
        "album": lambda value: FieldTest("album", Op.EQ, value.strip()),
    }
)
FIELD_NAMES = tuple(_FIELDS)
"""Every name that `field_condition` accepts."""
