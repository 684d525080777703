"""The names by which people call fields, and what a value beside each of them means."""

import difflib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from core.errors import InvalidQuery
from search.filters.dates import date_condition, parse_date, season_condition, time_condition
from search.filters.numbers import box_condition, near_condition, number_condition
from store.filters.conditions import Condition, FieldTest, Op

__all__ = ["FIELD_NAMES", "field_condition"]


def field_condition(name: str, value: str) -> Condition:
    """What `name:value` asks of a picture. Raises `InvalidQuery` for a name or a value that means nothing.

    field_condition("camera", "x100")       the name of the camera holds these letters
    field_condition("iso", ">800")
    field_condition("in", "holidays")       a folder of this name
    """
    parse = _FIELDS.get(name.strip().casefold())
    if parse is None:
        close = difflib.get_close_matches(name.casefold(), FIELD_NAMES, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(FIELD_NAMES)}"
        raise InvalidQuery(f"pictures have no {name!r}; {hint}")
    if not value.strip():
        raise InvalidQuery(f"{name}: gives nothing to compare with")
    try:
        return parse(value)
    except InvalidQuery as exc:
        raise InvalidQuery(f"{name}: {exc}") from exc


def _text(field: str, value: str) -> Condition:
    """A part of the text; with `*` or `?` the whole text; after `=` exactly this."""
    if value.startswith("="):
        return FieldTest(field, Op.EQ, value[1:].strip())
    return FieldTest(field, Op.LIKE, value if _is_pattern(value) else f"*{value.strip()}*")


def _tag(value: str) -> Condition:
    """A tag, and those beneath it."""
    if _is_pattern(value):
        return FieldTest("tag", Op.LIKE, value.strip())
    return FieldTest("tag", Op.EQ, value.strip().removeprefix("=").strip("/"))


def _path(value: str) -> Condition:
    """A pattern of the whole path, or of its end where it does not begin with a `/`."""
    return FieldTest("path", Op.LIKE, value if value.startswith(("/", "*")) else f"*/{value}")


def _folder(value: str) -> Condition:
    """A folder by its path, or, where that is a bare name, any folder of that name."""
    if value.startswith(("/", "~", "./", "../")) or value in (".", ".."):
        return FieldTest("folder", Op.EQ, Path(os.path.expanduser(value)))  # noqa: PTH111 (Path.expanduser may raise)
    return FieldTest("path", Op.LIKE, f"*/{value.strip('/')}/*")


def _words(field: str, words: Mapping[str, tuple[str, ...]], value: str) -> Condition:
    """One of several words, separated by commas."""
    wanted = [part.strip().casefold() for part in value.split(",")]
    for word in wanted:
        if word not in words:
            raise InvalidQuery(f"{word!r} is none; there are: {', '.join(words)}")
    return FieldTest(field, Op.IN, tuple(found for word in wanted for found in words[word]))


def _has(value: str) -> Condition:
    """Something is known of it."""
    field = _KNOWN.get(value.strip().casefold())
    if field is None:
        raise InvalidQuery(f"{value!r} is nothing to have; there are: {', '.join(_KNOWN)}")
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
_KNOWN = {
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
"""Every name that `field_condition` takes."""
