"""Compile tests of fields to SQL.

There is one function for each kind of field. It returns None for a test that fields of this kind do not have.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Integer, SQLColumnExpression, and_, false, or_, select

from core.errors import InvalidQuery, PathNotIndexed
from core.files import absolute
from core.object_paths import ObjectPath
from store.catalog.id_sets import among
from store.catalog.tables import AlbumContent, Picture
from store.catalog.tables.mapping import MappedColumn
from store.catalog.text_search import text_in, text_like
from store.filters.areas import in_area
from store.filters.conditions import Box, Circle, FieldTest, Op, Value
from store.filters.fields import FIELDS, Field, Kind
from store.filters.path_patterns import comparable_path, documents_below, name_like, path_in, path_like
from store.filters.people_and_places import distinct_values, in_place, in_some_place, with_person, with_someone
from store.filters.tags import with_any_tag, with_tag, with_tag_like
from store.filters.text_in_pictures import text_patterns, with_any_text, with_text
from store.filters.values import compared_names, name_test, texts_of, values_of
from store.roots import locations_at, within

__all__ = ["compile_test"]

_MAX_NUMBER = 2**63
"""Numbers must be smaller: databases store integers in 64 bits."""

_COMPARISONS: Mapping[Op, Callable[[SQLColumnExpression[Any], Value], ColumnElement[bool]]] = MappingProxyType(
    {
        Op.EQ: lambda field, value: field == value,
        Op.LT: lambda field, value: field < value,
        Op.LE: lambda field, value: field <= value,
        Op.GT: lambda field, value: field > value,
        Op.GE: lambda field, value: field >= value,
    }
)

_ROUNDED: Mapping[Op, Callable[[float], int]] = MappingProxyType(
    {Op.LT: math.ceil, Op.GE: math.ceil, Op.LE: math.floor, Op.GT: math.floor}
)


def compile_test(connection: Connection, test: FieldTest) -> ColumnElement[bool]:
    """Compile a test to a condition on a joined row, which is NULL if the field is unknown.

    `connection` is used to look up names. Raises `InvalidQuery` for an unknown field or an unsupported test, and
    `PathNotIndexed` for a folder that the library does not cover.
    """
    field = FIELDS.get(test.field)
    if field is None:
        raise InvalidQuery(f"Unknown field {test.field!r}.")
    compile_kind = _is_known if test.op is Op.EXISTS else _KINDS[field.kind]
    compiled = compile_kind(connection, field, test)
    if compiled is None:
        raise InvalidQuery(f"{test.field} is {field.kind.value} and cannot be tested with {test.op} {test.value!r}.")
    return compiled


def _is_known(connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    """Compile `EXISTS`, which is the same for most kinds; None for those whose value is always known."""
    if test.value is not None:
        return None
    match field.kind:
        case Kind.TAG:
            return with_any_tag(connection)
        case Kind.PERSON:
            return with_someone()
        case Kind.PLACE_NAME:
            return in_some_place(test.field)
        case Kind.WRITTEN:
            return with_any_text()
        case Kind.FOLDER | Kind.KEY | Kind.ALBUM:
            return None
        case _:
            return field.value.is_not(None)


def _compared(field: Field, test: FieldTest, values: tuple[Value, ...]) -> ColumnElement[bool] | None:
    if test.op is Op.IN:
        return field.value.in_(values)
    return _COMPARISONS[test.op](field.value, values[0]) if test.op in _COMPARISONS else None


def _number(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    values = values_of(test, int, float)
    if values is None:
        return None
    for value in values:
        if not abs(value) < _MAX_NUMBER:  # NaN too
            raise InvalidQuery(f"{value} is out of range for {test.field}.")
    if isinstance(cast("Any", field.value).type, Integer):
        return _compared(field, test, tuple(_whole(test.op, value) for value in values))
    # With the first one whole, all of a list would be passed to PostgreSQL as whole numbers.
    return _compared(field, test, tuple(map(float, values)))


def _whole(op: Op, value: float) -> float:
    """Return a whole number that compares with whole numbers as `value` does, if there is one.

    PostgreSQL does not use the index of a column of whole numbers to compare it with a fraction.
    """
    if isinstance(value, int):
        return value
    if op in _ROUNDED:
        return _ROUNDED[op](value)
    return int(value) if value.is_integer() else value


def _moment(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    values = values_of(test, datetime)
    return None if values is None else _compared(field, test, values)


def _word(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    words = texts_of(test)
    return field.value.in_(words) if words is not None and test.op in (Op.EQ, Op.IN) else None


def _text(connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    texts = texts_of(test)
    if texts is None:
        return None
    if test.op is Op.LIKE:
        return text_like(connection, field.value, texts[0])
    return text_in(connection, field.value, texts) if test.op in (Op.EQ, Op.IN) else None


def _path(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    paths = values_of(test, str)
    if paths is None:
        return None
    if test.op is Op.LIKE:
        return path_like(connection, paths[0])
    return path_in(connection, paths) if test.op in (Op.EQ, Op.IN) else None


def _filename(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    names = values_of(test, str)
    if names is None:
        return None
    if test.op is Op.LIKE:
        return name_like(names[0])
    return field.value.in_(list(map(comparable_path, names))) if test.op in (Op.EQ, Op.IN) else None


def _name(connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    accepts = name_test(test)
    if accepts is None or not isinstance(field.value, MappedColumn):
        return None
    return among(field.value, [name for name in distinct_values(connection, field.value) if accepts(name)])


def _tag(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.LIKE:
        accepts = name_test(test)
        return None if accepts is None else with_tag_like(connection, accepts)
    keys = compared_names(test)
    return None if keys is None or test.op is Op.WORDS else with_tag(connection, keys)


def _person(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    accepts = name_test(test)
    return None if accepts is None else with_person(connection, accepts)


def _place_name(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    accepts = name_test(test)
    return None if accepts is None else in_place(connection, test.field, accepts, compared_names(test))


def _place(_connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    areas: tuple[Circle | Box, ...] | None = values_of(test, Circle, Box)
    return None if areas is None or test.op is not Op.IN else or_(false(), *map(in_area, areas))


def _written(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    patterns = text_patterns(test)
    return or_(false(), *(with_text(connection, pattern) for pattern in patterns)) if patterns else None


def _folder(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    paths = values_of(test, Path)
    if paths is None or test.op not in (Op.EQ, Op.IN):
        return None
    return or_(false(), *(each for path in paths for each in _in_folder(connection, path)))


def _in_folder(connection: Connection, path: Path) -> list[ColumnElement[bool]]:
    """Files at or below a path, in each root that has it, or else documents whose ID begins with it."""
    full = absolute(path)
    found = [and_(*within(place)) for place in locations_at(connection, full)]
    if not found and isinstance(full, ObjectPath):
        found = documents_below(connection, full)
    if not found:
        raise PathNotIndexed(path)
    return found


def _key(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    ids = values_of(test, int)
    return None if ids is None or test.op not in (Op.EQ, Op.IN) else among(field.value, list(ids))


def _album(_connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    ids = values_of(test, int)
    if ids is None or test.op is not Op.EQ:
        return None
    return Picture.content_id.in_(select(AlbumContent.content_id).where(AlbumContent.album_id == ids[0]))


_KINDS: Mapping[Kind, Callable[[Connection, Field, FieldTest], ColumnElement[bool] | None]] = MappingProxyType(
    {
        Kind.NUMBER: _number,
        Kind.MOMENT: _moment,
        Kind.TEXT: _text,
        Kind.PATH: _path,
        Kind.FILENAME: _filename,
        Kind.NAME: _name,
        Kind.WORD: _word,
        Kind.TAG: _tag,
        Kind.PLACE: _place,
        Kind.PLACE_NAME: _place_name,
        Kind.PERSON: _person,
        Kind.WRITTEN: _written,
        Kind.FOLDER: _folder,
        Kind.KEY: _key,
        Kind.ALBUM: _album,
    }
)
