"""Compile tests of fields to SQL, one function per kind of field. It returns None for a test that the kind lacks."""

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    SelectBase,
    SQLColumnExpression,
    and_,
    false,
    or_,
    select,
    union_all,
)

from core.errors import InvalidQuery, PathNotIndexed
from core.files import absolute
from core.object_paths import ObjectPath
from store.catalog.collation import fold, matches
from store.catalog.geography import box_around
from store.catalog.id_sets import among
from store.catalog.portable_sql import metres_between
from store.catalog.tables import AlbumContent, Content, ContentTag, PersonRow, Picture, PictureTag, Tag, TextFrame
from store.catalog.tables.mapping import MappedColumn
from store.catalog.text_comparison import ExactLine, TextPattern, comparable
from store.catalog.text_search import text_in, text_like
from store.filters.conditions import Box, Circle, FieldTest, Op, Value
from store.filters.fields import FIELDS, Field, Kind
from store.filters.path_patterns import SURROGATE, comparable_path, documents_below, name_like, path_in, path_like
from store.filters.people_and_places import (
    distinct_values,
    in_place,
    in_some_place,
    people_called,
    with_person,
    with_someone,
)
from store.roots import locations_at, within
from store.texts import containing, contents_with_line

__all__ = ["compile_test", "text_patterns"]

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
    compiled = _KINDS[field.kind](connection, field, test)
    if compiled is None:
        raise InvalidQuery(f"{test.field} is {field.kind.value} and cannot be tested with {test.op} {test.value!r}.")
    return compiled


def _values(test: FieldTest, kind: type[Value] | tuple[type[Value], ...]) -> tuple[Value, ...] | None:
    """The values of a test if all are of this type: one, or any number for `IN`."""
    given = test.value if isinstance(test.value, tuple) else () if test.value is None else (test.value,)
    if any(isinstance(value, bool) or not isinstance(value, kind) for value in given):
        return None
    return given if test.op is Op.IN or len(given) == 1 else None


def _known(field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    return field.value.is_not(None) if test.op is Op.EXISTS and test.value is None else None


def _compared(field: Field, test: FieldTest, values: tuple[Value, ...]) -> ColumnElement[bool] | None:
    if test.op is Op.IN:
        return field.value.in_(values)
    return _COMPARISONS[test.op](field.value, values[0]) if test.op in _COMPARISONS else None


def _number(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    values = _values(test, (int, float))
    for value in values or ():
        if isinstance(value, (int, float)) and not abs(value) < _MAX_NUMBER:  # NaN too
            raise InvalidQuery(f"{value} is out of range for {test.field}.")
    if values and isinstance(cast("Any", field.value).type, Integer):
        values = tuple(_whole(test.op, value) for value in values)
    elif values:  # with the first one whole, all of a list would be passed to PostgreSQL as whole numbers
        values = tuple(float(value) for value in values if isinstance(value, (int, float)))
    return None if values is None else _compared(field, test, values)


def _whole(op: Op, value: Value) -> Value:
    """Return a whole number that compares with whole numbers as `value` does, if there is one.

    PostgreSQL does not use the index of a column of whole numbers to compare it with a fraction.
    """
    if not isinstance(value, float):
        return value
    if op in _ROUNDED:
        return _ROUNDED[op](value)
    return int(value) if value.is_integer() else value


def _moment(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    values = _values(test, datetime)
    return None if values is None else _compared(field, test, values)


def _word(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    values = _values(test, str)
    if values is None or test.op not in (Op.EQ, Op.IN):
        return None
    return field.value.in_([_storable(str(value)) for value in values])


def _text(connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    values = _storable_texts(test)
    if test.op is Op.LIKE and values:
        return text_like(connection, field.value, values[0])
    return text_in(connection, field.value, values) if test.op in (Op.EQ, Op.IN) else None


def _path(connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    values = [str(value) for value in _values(test, str) or ()]
    if test.op is Op.LIKE and values:
        return path_like(connection, values[0])
    return path_in(connection, values) if test.op in (Op.EQ, Op.IN) else None


def _filename(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    values = [str(value) for value in _values(test, str) or ()]
    if test.op is Op.LIKE and values:
        return name_like(values[0])
    return field.value.in_(list(map(comparable_path, values))) if test.op in (Op.EQ, Op.IN) else None


def _storable_texts(test: FieldTest) -> list[str]:
    return [_storable(str(value)) for value in _values(test, str) or ()]


def _name(connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    accepts = _acceptor(test)
    if accepts is None or not isinstance(field.value, MappedColumn):
        return None
    return among(field.value, [name for name in distinct_values(connection, field.value) if accepts(name)])


def _tag(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    tags, people = select(Tag.id), list[str]()
    if test.op in (Op.EQ, Op.IN):
        keys = {fold(_storable(str(value))) for value in _values(test, str) or ()}
        tags, people = tags.where(_named(connection, keys)), sorted(keys)
    elif test.op is Op.LIKE:
        accepts = _acceptor(test)
        if accepts is None:
            return None
        tags = tags.where(among(Tag.id, [row.id for row in connection.execute(select(Tag)) if accepts(row.name)]))
        people = people_called(connection, accepts)
    elif test.op is not Op.EXISTS or test.value is not None:
        return None
    is_of_file = select(PictureTag.picture_id).where(PictureTag.tag_id == Tag.id).exists().label("is_of_file")
    found = connection.execute(tags.add_columns(is_of_file)).all()
    ids = [row.id for row in found]  # with a sub-select, PostgreSQL would not know that few contents have the tag
    of_contents: SelectBase = select(ContentTag.content_id).where(among(ContentTag.tag_id, ids))
    if people:  # a person is found as a tag, too, as in programs where people are tags
        of_contents = union_all(of_contents, select(PersonRow.content_id).where(among(PersonRow.key, people)))
    of_files = select(PictureTag.picture_id).where(among(PictureTag.tag_id, ids))
    if not any(row.is_of_file for row in found):  # with an `or`, SQLite would not use the index of contents
        return Picture.content_id.in_(of_contents)
    return or_(Picture.content_id.in_(of_contents), Picture.id.in_(of_files))


def _named(connection: Connection, keys: Collection[str]) -> ColumnElement[bool]:
    """Tags with one of these keys, and tags below them."""
    if len(keys) > 8:  # SQLite limits the depth of expressions
        every = connection.execute(select(Tag.id, Tag.key))
        return among(Tag.id, [row.id for row in every if _is_named(row.key, keys)])
    # "0" follows "/", so that the range is everything below the key
    return or_(false(), *(or_(Tag.key == key, and_(Tag.key >= key + "/", Tag.key < key + "0")) for key in keys))


def _is_named(key: str, keys: Collection[str]) -> bool:
    return any(outer in keys for outer in accumulate(key.split("/"), lambda parent, level: f"{parent}/{level}"))


def _acceptor(test: FieldTest) -> Callable[[str], bool] | None:
    """Return a function that tells whether a name passes a test of texts."""
    values = _values(test, str)
    if values is None:
        return None
    if test.op is Op.LIKE:
        pattern = str(values[0])
        return lambda name: matches(name, pattern)
    keys = _named_keys(test)
    if keys is None:
        return None
    if test.op is Op.WORDS:
        return lambda name: any(f" {key} " in f" {fold(name)} " for key in keys)
    return lambda name: fold(name) in keys


def _named_keys(test: FieldTest) -> set[str] | None:
    """Return the names, in comparable form, that a test compares with; None for a pattern."""
    values = _values(test, str)
    if values is None or test.op not in (Op.EQ, Op.IN, Op.WORDS):
        return None
    keys = {fold(_storable(str(value))) for value in values}
    return {" ".join(key.split()) for key in keys} if test.op is Op.WORDS else keys


def _person(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return with_someone() if test.value is None else None
    accepts = _acceptor(test)
    return None if accepts is None else with_person(connection, accepts)


def _place_name(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return in_some_place(test.field) if test.value is None else None
    accepts = _acceptor(test)
    return None if accepts is None else in_place(connection, test.field, accepts, _named_keys(test))


def _folder(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    paths = _values(test, Path)
    if paths is None or test.op not in (Op.EQ, Op.IN):
        return None
    expressions = list[ColumnElement[bool]]()
    for path in paths:
        if not isinstance(path, Path):
            continue
        full = absolute(path)
        found = [and_(*within(place)) for place in locations_at(connection, full)]
        if not found and isinstance(full, ObjectPath):
            found = documents_below(connection, full)
        if not found:
            raise PathNotIndexed(path)
        expressions += found
    return or_(false(), *expressions)


def _place(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS:
        return _known(field, test)
    areas = _values(test, (Circle, Box))
    if areas is None or test.op is not Op.IN:
        return None
    return or_(
        false(),
        *(
            _in_circle(area) if isinstance(area, Circle) else _in_box(area)
            for area in areas
            if isinstance(area, (Circle, Box))
        ),
    )


def _in_circle(circle: Circle) -> ColumnElement[bool]:
    """Test the bounding box first, which has an index, and then the distance."""
    if not all(map(math.isfinite, (circle.latitude, circle.longitude, circle.metres))) or abs(circle.latitude) > 90:
        raise InvalidQuery(f"{circle.latitude}, {circle.longitude} are not valid coordinates.")
    metres = metres_between(circle.latitude, circle.longitude, Content.latitude, Content.longitude)
    return and_(_in_box(box_around(circle)), metres <= circle.metres)


def _in_box(box: Box) -> ColumnElement[bool]:
    if not all(map(math.isfinite, (box.south, box.west, box.north, box.east))):
        raise InvalidQuery(f"{box} has invalid coordinates.")
    east, west = Content.longitude <= box.east, Content.longitude >= box.west
    across = or_(west, east) if box.west > box.east else and_(west, east)  # crosses the date line
    return and_(Content.latitude.between(box.south, box.north), across)


def _written(connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    if test.op is Op.EXISTS and test.value is None:
        return Content.id.in_(select(TextFrame.content_id))
    patterns = text_patterns(test)
    if not patterns:
        return None
    return or_(false(), *(_with_text(connection, pattern) for pattern in patterns))


def _with_text(connection: Connection, pattern: TextPattern) -> ColumnElement[bool]:
    if pattern.part is not None:
        return Content.id.in_(select(TextFrame.content_id).where(containing(pattern.pieces)))
    return among(Content.id, contents_with_line(connection, pattern))


def text_patterns(test: FieldTest) -> list[TextPattern]:
    """Return what a test of the text in pictures looks for; none for any other test."""
    field = FIELDS.get(test.field)  # an album before its expansion is not a field
    if field is None or field.kind is not Kind.WRITTEN:
        return []
    values = [_storable(str(value)) for value in _values(test, str) or ()]
    if test.op is Op.LIKE:
        return [TextPattern.like(value) for value in values]
    return [ExactLine(line=comparable(value)) for value in values] if test.op in (Op.EQ, Op.IN) else []


def _key(_connection: Connection, field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    ids = _values(test, int)
    return None if ids is None or test.op not in (Op.EQ, Op.IN) else among(field.value, list(ids))


def _album(_connection: Connection, _field: Field, test: FieldTest) -> ColumnElement[bool] | None:
    ids = _values(test, int)
    if ids is None or test.op is not Op.EQ:
        return None
    return Picture.content_id.in_(select(AlbumContent.content_id).where(AlbumContent.album_id == ids[0]))


def _storable(text: str) -> str:
    """Return `text` without surrogates, which stand for bytes that are not UTF-8 and cannot be stored."""
    return SURROGATE.sub("\ufffd", text)  # a question mark would be any character


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
