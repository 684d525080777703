"""Fields that a filter can test, and the conditions that a name and a value stand for."""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from core.errors import InvalidQuery
from core.formats import RAW_FORMATS, VIDEO_FORMATS
from core.object_paths import object_path
from search.filters.dates import parse_date
from search.filters.positions import box_condition, near_condition
from search.filters.signs import COLONS, MINUSES, plain_signs, quoted, unquoted
from search.filters.values import (
    date_condition,
    number_condition,
    rating_condition,
    season_condition,
    time_condition,
)
from store.filters.conditions import Condition, FieldTest, Not, Op

__all__ = ["FIELD_NAMES", "field_condition", "parse_where", "where_term"]

_WHERE = re.compile(
    rf"\s*([{MINUSES}]?)([A-Za-zＡ-Ｚａ-ｚ]+)\s*([!！<＜>＞][=＝]|[≠≤≥<＜>＞=＝{COLONS}])(.*)", re.DOTALL
)
_NEEDS_QUOTATION = re.compile(r"[^\w.:,=<>*?/-]|^$")
_EQUALS = ("=", "＝")
_NAME_FIELDS = ("person", "place", "city", "region", "country")
_TEXT_FIELDS = ("camera", "lens", "name", "title", "description", "text", *_NAME_FIELDS)
"""Fields whose `:` searches for a part of the text; `=` requires the whole text."""


def field_condition(name: str, value: str) -> Condition:
    """Return the condition of the filter `name:value`. Raises `InvalidQuery` for an unknown name or an invalid value.

    field_condition("camera", "x100")       the camera's name contains this text
    field_condition("iso", ">800")
    field_condition("in", "holidays")       any folder of this name
    """
    parse = _FIELDS.get(plain_signs(name).strip().casefold())
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
    is_negative, name, value = _read_where(text)
    condition = field_condition(name, value)
    return Not(condition) if is_negative else condition


def where_term(text: str) -> str:
    """Return a condition in the syntax of `parse_where` as a filter of the query language. Raises `InvalidQuery`."""
    is_negative, name, value = _read_where(text)
    return f"{'-' if is_negative else ''}{name}:{quoted(value) if _NEEDS_QUOTATION.search(value) else value}"


def _read_where(text: str) -> tuple[bool, str, str]:
    """Return whether a condition is negated, its field, and the value for `field_condition`."""
    match = _WHERE.fullmatch(text)
    if match is None:
        raise InvalidQuery(f"{text!r} is not a condition. Use for example iso>800, camera:x100 or rating>=4.")
    minus, name, operator, value = match[1], *map(plain_signs, match.group(2, 3)), match[4]
    if minus:
        is_negative, name, value = _read_where(f"{name}{operator}{value}")
        return not is_negative, name, value
    value = unquoted(value)
    if operator == ":":
        return False, name, value.strip()
    if operator == "!=":
        is_negative, name, value = _read_where(f"{name}={value}")
        return not is_negative, name, value
    if operator == "=":
        operator = "=" if name.casefold() in (*_TEXT_FIELDS, "tag") else ""
    return False, name, operator + value.strip()


def _text(field: str, value: str) -> Condition:
    """A part of the text; with `*` or `?` a pattern of the whole text; after `=` the exact text."""
    if value.startswith(_EQUALS):
        return FieldTest(field, Op.EQ, value[1:].strip())
    return FieldTest(field, Op.LIKE, value if _is_pattern(value) else f"*{value.strip()}*")


def _names(field: str, value: str) -> Condition:
    """Whole words of a name; with `*` or `?` a pattern of the whole name; after `=` the exact name."""
    if value.startswith(_EQUALS):
        return FieldTest(field, Op.EQ, value[1:].strip())
    return FieldTest(field, Op.LIKE if _is_pattern(value) else Op.WORDS, value.strip())


def _tag(value: str) -> Condition:
    """A tag and its descendants; after `=` the name may contain `*` and `?`."""
    if value.startswith(_EQUALS):
        return FieldTest("tag", Op.EQ, value[1:].strip().strip("/"))
    if _is_pattern(value):
        return FieldTest("tag", Op.LIKE, value.strip())
    return FieldTest("tag", Op.EQ, value.strip().strip("/"))


def _path(value: str) -> Condition:
    """A pattern of the whole path, or of its end unless it begins with `/` or the scheme of a store."""
    is_whole = value.startswith(("/", "*")) or object_path(value) is not None
    return FieldTest("path", Op.LIKE, value if is_whole else f"*/{value}")


def _folder(value: str) -> Condition:
    """A folder by its path; a bare name is any folder of that name. `~` alone or before `/` is the home folder."""
    if (objects := object_path(value)) is not None:
        return FieldTest("folder", Op.EQ, objects)
    if value.startswith(("/", "~/", "./", "../")) or value in (".", "..", "~"):
        return FieldTest("folder", Op.EQ, Path(os.path.expanduser(value)))  # noqa: PTH111 (Path.expanduser may raise)
    if not value.strip("*/"):
        fault = f"{value!r} is a pattern that matches every folder."
        raise InvalidQuery(f"{fault} A folder with this name is given by its path: in:./{value}")
    return FieldTest("path", Op.LIKE, f"*/{value.strip('/')}/*")


def _words(field: str, words: Mapping[str, tuple[str, ...]], value: str) -> Condition:
    """One of several words, separated by commas."""
    chosen = [part.strip().casefold() for part in plain_signs(value).split(",") if part.strip()]
    if not chosen:
        raise InvalidQuery(f"The value is empty. Choose from: {', '.join(words)}.")
    for word in chosen:
        if word not in words:
            raise InvalidQuery(f"Unknown value {word!r}. Choose from: {', '.join(words)}.")
    return FieldTest(field, Op.IN, tuple(stored for word in chosen for stored in words[word]))


def _has(value: str) -> Condition:
    """The picture has a value for this field."""
    field = _OPTIONAL.get(plain_signs(value).strip().casefold())
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
    "jxl": ("JXL",),
    "raw": RAW_FORMATS,
    **{name.lower(): (name,) for name in RAW_FORMATS if name != "RAW"},
    "nrw": ("NEF",),
    "video": VIDEO_FORMATS,
    "mp4": ("MP4",),
    "mov": ("MP4",),
    "mkv": ("MATROSKA",),
    "webm": ("MATROSKA",),
    "avi": ("AVI",),
    "mpeg": ("MPEG",),
    "wmv": ("WMV",),
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
    "person": "person",
    "place": "place",
    "rating": "rating",
    "title": "title",
    "description": "description",
    "text": "text",
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
        **{name: partial(_names, name) for name in _NAME_FIELDS},
        "tag": _tag,
        "rating": rating_condition,
        "title": partial(_text, "title"),
        "description": partial(_text, "description"),
        "text": partial(_text, "text"),
        "has": _has,
        "album": lambda value: FieldTest("album", Op.EQ, value.strip()),
    }
)
FIELD_NAMES = tuple(_FIELDS)
"""Every name that `field_condition` accepts."""
