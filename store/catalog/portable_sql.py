"""Expressions that SQLite and PostgreSQL write differently, with one meaning on both.

Each is a class that SQLAlchemy compiles for the database of a connection, so that statements elsewhere are the same for
both. Meanings are those of SQLite where the two differ: a comparison with NULL is NULL, and so is a quotient by 0.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    SQLColumnExpression,
    String,
    Text,
    UnaryExpression,
    and_,
    case,
    cast,
    func,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.functions import sum as sum_function

from store.catalog.geography import EARTH_RADIUS

__all__ = [
    "DAY_LENGTH",
    "MONTH_LENGTH",
    "Predicate",
    "character",
    "date_text",
    "greater_of",
    "hex_digits",
    "index_of",
    "joined",
    "least_bytes",
    "lesser_of",
    "metres_between",
    "mostly",
    "quotient",
]

MONTH_LENGTH = 7
"""Characters of a year and a month in the result of `date_text`."""

DAY_LENGTH = 10
"""Characters of a whole date in the result of `date_text`."""


class Predicate(FunctionElement[bool]):
    """An expression that is true, false or NULL. SQLAlchemy would add `= 1` for SQLite, so that no index is used."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002
        """Return the element itself. It is compiled with parentheses."""
        return self

    def _negate(self) -> UnaryExpression[bool]:
        return UnaryExpression(self, operator=operators.inv, type_=self.type)


class _Mostly(Predicate):
    inherit_cache = True


def mostly(column: SQLColumnExpression[str], value: str) -> ColumnElement[bool]:
    """Return whether a column that is never NULL has a value that nearly all rows have.

    SQLite would look up these rows one by one in an index of the column. PostgreSQL knows how many they are.
    """
    return _Mostly(column, value)


@compiles(_Mostly)
def _mostly(element: _Mostly, compiler: SQLCompiler, **options: Any) -> str:
    column, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(coalesce({column}, '') = {value})"


@compiles(_Mostly, "postgresql")
def _mostly_in_postgresql(element: _Mostly, compiler: SQLCompiler, **options: Any) -> str:
    column, value = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} = {value})"


class _Joined(FunctionElement[str]):
    type = Text()
    inherit_cache = True


def joined(column: SQLColumnExpression[Any], separator: str = ",") -> ColumnElement[Any]:
    """Return the values of a column as one text, an aggregate; NULL without rows, and without a part for NULL.

    The values have the order of the rows, if these come from an ordered sub-select.
    """
    quoted = separator.replace("'", "''")
    return _Joined(column, literal_column(f"'{quoted}'"))


@compiles(_Joined)
def _joined_in_sqlite(element: _Joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(_Joined, "postgresql")
def _joined_in_postgresql(element: _Joined, compiler: SQLCompiler, **options: Any) -> str:
    column, separator = element.clauses
    return f"string_agg({compiler.process(cast(column, Text), **options)}, {compiler.process(separator, **options)})"


class _LeastBytes(FunctionElement[bytes]):
    type = LargeBinary()
    inherit_cache = True


def least_bytes(column: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Return the least value of a column of bytes, an aggregate."""
    return _LeastBytes(column)


@compiles(_LeastBytes)
def _least_bytes(element: _LeastBytes, compiler: SQLCompiler, **options: Any) -> str:
    return f"min({compiler.process(element.clauses, **options)})"


@compiles(_LeastBytes, "postgresql")
def _least_bytes_in_postgresql(element: _LeastBytes, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"(array_agg({column} ORDER BY {column}))[1]"  # it has no `min` of bytes before version 18


class _Lesser(FunctionElement[Any]):
    inherit_cache = True
    sign, function = "<", "min"


class _Greater(FunctionElement[Any]):
    inherit_cache = True
    sign, function = ">", "max"


def lesser_of(one: Any, other: Any) -> ColumnElement[Any]:
    """Return the lesser of two integers; NULL if one is NULL."""
    return _typed(_Lesser(one, other), Integer())


def greater_of(one: Any, other: Any) -> ColumnElement[Any]:
    """Return the greater of two integers; NULL if one is NULL."""
    return _typed(_Greater(one, other), Integer())


def _typed(element: FunctionElement[Any], kind: Any) -> FunctionElement[Any]:
    element.type = kind
    return element


@compiles(_Lesser)
@compiles(_Greater)
def _extreme_in_sqlite(element: _Lesser | _Greater, compiler: SQLCompiler, **options: Any) -> str:
    return f"{element.function}({compiler.process(element.clauses, **options)})"


@compiles(_Lesser, "postgresql")
@compiles(_Greater, "postgresql")
def _extreme_in_postgresql(element: _Lesser | _Greater, compiler: SQLCompiler, **options: Any) -> str:
    one, other = (f"({compiler.process(clause, **options)})" for clause in element.clauses)  # `least` passes over NULL
    known = f"{one} IS NOT NULL AND {other} IS NOT NULL"
    return f"CASE WHEN {one} {element.sign} {other} THEN {one} WHEN {known} THEN {other} END"


class _Quotient(FunctionElement[int]):
    type = BigInteger()
    inherit_cache = True


def quotient(dividend: Any, divisor: Any) -> ColumnElement[int]:
    """Return the quotient of two integers, rounded towards 0; NULL if the divisor is 0."""
    return _Quotient(dividend, divisor)


@compiles(_Quotient)
def _quotient_in_sqlite(element: _Quotient, compiler: SQLCompiler, **options: Any) -> str:
    dividend, divisor = element.clauses
    return f"(({compiler.process(dividend, **options)}) / ({compiler.process(divisor, **options)}))"


@compiles(_Quotient, "postgresql")
def _quotient_in_postgresql(element: _Quotient, compiler: SQLCompiler, **options: Any) -> str:
    dividend, divisor = element.clauses
    return f"(({compiler.process(dividend, **options)}) / nullif({compiler.process(divisor, **options)}, 0))"


class _Character(FunctionElement[str]):
    type = String()
    inherit_cache = True


def character(code: Any) -> ColumnElement[str]:
    """Return the character with a code point."""
    return _Character(code)


@compiles(_Character)
def _character_in_sqlite(element: _Character, compiler: SQLCompiler, **options: Any) -> str:
    return f"char({compiler.process(element.clauses, **options)})"


@compiles(_Character, "postgresql")
def _character_in_postgresql(element: _Character, compiler: SQLCompiler, **options: Any) -> str:
    (code,) = element.clauses
    return f"chr({compiler.process(cast(code, Integer), **options)})"


class _HexDigits(FunctionElement[str]):
    type = String()
    inherit_cache = True


def hex_digits(data: SQLColumnExpression[Any]) -> ColumnElement[str]:
    """Return bytes as hexadecimal digits, in upper case."""
    return _HexDigits(data)


@compiles(_HexDigits)
def _hex_in_sqlite(element: _HexDigits, compiler: SQLCompiler, **options: Any) -> str:
    return f"hex({compiler.process(element.clauses, **options)})"


@compiles(_HexDigits, "postgresql")
def _hex_in_postgresql(element: _HexDigits, compiler: SQLCompiler, **options: Any) -> str:
    return f"upper(encode({compiler.process(element.clauses, **options)}, 'hex'))"


class _IndexOf(FunctionElement[int]):
    type = Integer()
    inherit_cache = True


def index_of(text: SQLColumnExpression[Any], part: str) -> ColumnElement[int]:
    """Return the position of the first occurrence of a part in a text, from 1; 0 if there is none. Case matters."""
    return _IndexOf(text, part)


@compiles(_IndexOf)
def _index_in_sqlite(element: _IndexOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(_IndexOf, "postgresql")
def _index_in_postgresql(element: _IndexOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


class _DateText(FunctionElement[str]):
    type = String()
    inherit_cache = True


def date_text(moment: SQLColumnExpression[Any], length: int) -> ColumnElement[Any]:
    """Return the first `length` characters of the date of a moment, `2026-11-29`."""
    return _DateText(moment, literal_column(str(int(length))))


@compiles(_DateText)
def _date_in_sqlite(element: _DateText, compiler: SQLCompiler, **options: Any) -> str:
    moment, length = element.clauses
    return f"substr({compiler.process(cast(moment, String), **options)}, 1, {compiler.process(length, **options)})"


@compiles(_DateText, "postgresql")
def _date_in_postgresql(element: _DateText, compiler: SQLCompiler, **options: Any) -> str:
    moment, length = element.clauses
    # The text of a cast depends on a setting of the session.
    date = f"to_char({compiler.process(moment, **options)}, 'YYYY-MM-DD')"
    return f"substr({date}, 1, {compiler.process(length, **options)})"


class _Metres(FunctionElement[float]):
    type = Float()
    inherit_cache = True


def metres_between(
    latitude: float,
    longitude: float,
    other_latitude: SQLColumnExpression[Any],
    other_longitude: SQLColumnExpression[Any],
) -> ColumnElement[Any]:
    """Return the distance of points as `store.catalog.geography.distance` does; NULL if a coordinate is NULL."""
    return _Metres(latitude, longitude, other_latitude, other_longitude)


@compiles(_Metres)
def _metres_in_sqlite(element: _Metres, compiler: SQLCompiler, **options: Any) -> str:
    return f"sightline_metres({compiler.process(element.clauses, **options)})"


@compiles(_Metres, "postgresql")
def _metres_in_postgresql(element: _Metres, compiler: SQLCompiler, **options: Any) -> str:
    latitude, longitude, other_latitude, other_longitude = element.clauses
    one, other = func.radians(cast(latitude, Float)), func.radians(cast(other_latitude, Float))
    across = func.radians(cast(other_longitude, Float) - cast(longitude, Float))
    haversine = func.power(func.sin((other - one) * 0.5), 2) + func.cos(one) * func.cos(other) * func.power(
        func.sin(across * 0.5), 2
    )
    metres = 2 * EARTH_RADIUS * func.asin(func.sqrt(func.least(1.0, haversine)))
    is_known = and_(other_latitude.is_not(None), other_longitude.is_not(None))  # `least` passes over NULL
    return f"({compiler.process(case((is_known, metres)), **options)})"


@compiles(sum_function, "postgresql")
def _sum_in_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    """Compile a sum of integers, which would be a `Decimal` there."""
    total = f"sum({compiler.process(element.clauses, **options)})"
    return f"CAST({total} AS BIGINT)" if isinstance(element.type, Integer) else total
