"""The fields that conditions can test, as SQL expressions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Integer, SQLColumnExpression, case, extract, func

from store.catalog.tables import Content, Picture, Sidecar

__all__ = ["FIELDS", "Field", "Kind", "Needs"]


class Kind(Enum):
    """The kind of value of a field, which decides the tests that it allows."""

    NUMBER = "a number"
    MOMENT = "a date"
    TEXT = "a text"
    """Free text, compared row by row."""
    PATH = "a path"
    FILENAME = "a file's name"
    NAME = "a name"
    """An indexed text that many pictures share: each distinct value is compared once."""
    WORD = "a word"
    """One of a few words, compared exactly."""
    TAG = "a tag"
    PLACE = "a place"
    """A point on the globe."""
    PLACE_NAME = "a name of a place"
    """As the file names it, or else a gazetteer."""
    PERSON = "a person"
    WRITTEN = "text in pictures"
    """Text that was read in the picture."""
    FOLDER = "a folder"
    KEY = "an identifier"
    ALBUM = "an album"
    """The ID of an album by hand."""


class Needs(Enum):
    """The table that must be joined to `pictures` for a field."""

    PICTURE = "picture"
    CONTENT = "content"
    SIDECAR = "sidecar"
    """The content and the sidecar, whose values take precedence."""


@dataclass(frozen=True)
class Field:
    """A field and its value as SQL, which is NULL if the value is unknown."""

    kind: Kind
    value: SQLColumnExpression[Any]
    needs: Needs = Needs.CONTENT


def _number(value: SQLColumnExpression[Any]) -> Field:
    return Field(Kind.NUMBER, value)


_width, _height = func.nullif(Content.width, 0), func.nullif(Content.height, 0)  # documents have none
_orientation = case(
    (Content.width > Content.height, "landscape"),
    (Content.width < Content.height, "portrait"),
    (Content.width > 0, "square"),
)

_rating = func.coalesce(Content.user_rating, Sidecar.rating, Content.rating)

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "id": Field(Kind.KEY, Picture.content_id, Needs.PICTURE),
        "album_id": Field(Kind.ALBUM, Picture.content_id, Needs.PICTURE),
        "folder": Field(Kind.FOLDER, Picture.relpath, Needs.PICTURE),
        "path": Field(Kind.PATH, Picture.path_key, Needs.PICTURE),
        "name": Field(Kind.FILENAME, Picture.name_key, Needs.PICTURE),
        "taken_at": Field(Kind.MOMENT, Content.taken_at),
        "year": _number(extract("year", Content.taken_at)),
        "month": _number(extract("month", Content.taken_at)),
        "minute": _number(extract("hour", Content.taken_at) * 60 + extract("minute", Content.taken_at)),
        "camera": Field(Kind.NAME, Content.camera),
        "lens": Field(Kind.NAME, Content.lens),
        "iso": _number(Content.iso),
        "aperture": _number(Content.aperture),
        "focal_length": _number(Content.focal_length),
        "exposure": _number(Content.exposure),
        "width": _number(_width),
        "height": _number(_height),
        "pixels": _number(func.nullif(Content.width.cast(Integer) * Content.height, 0)),
        "bytes": _number(func.nullif(Content.size, 0)),
        "orientation": Field(Kind.WORD, _orientation),
        "format": Field(Kind.WORD, func.nullif(Content.format, "")),
        "latitude": _number(Content.latitude),
        "longitude": _number(Content.longitude),
        "position": Field(Kind.PLACE, Content.latitude),
        "place": Field(Kind.PLACE_NAME, Content.city),
        "city": Field(Kind.PLACE_NAME, Content.city),
        "region": Field(Kind.PLACE_NAME, Content.region),
        "country": Field(Kind.PLACE_NAME, Content.country),
        "person": Field(Kind.PERSON, Content.id),
        "tag": Field(Kind.TAG, Picture.content_id, Needs.PICTURE),
        "text": Field(Kind.WRITTEN, Content.id),
        "rating": Field(Kind.NUMBER, func.nullif(_rating, 0), Needs.SIDECAR),
        "title": Field(Kind.TEXT, func.coalesce(Sidecar.title, Content.title), Needs.SIDECAR),
        "description": Field(Kind.TEXT, func.coalesce(Sidecar.description, Content.description), Needs.SIDECAR),
    }
)
"""Fields by name."""
