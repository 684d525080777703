"""Albums: saved searches. What an album shows changes with the library."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from core.errors import AlbumIsRanked, InvalidQuery, UnknownAlbum
from core.files import absolute
from store.catalog.collation import fold
from store.catalog.tables import Album
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or, Value
from store.library import Library
from store.tags import tag_name

__all__ = ["AlbumRecord", "drop_album", "expand_albums", "find_album", "list_albums", "save_album"]


@dataclass(frozen=True)
class AlbumRecord:
    """An album: its query as text, and the filters of the query."""

    name: str
    query: str
    condition: Condition | None
    top: int
    is_ranked: bool
    """The query has more than filters, so a model ranks the pictures."""


def save_album(library: Library, album: AlbumRecord) -> bool:
    """Save an album, replacing the one of the same name; return whether one was replaced. Raises `InvalidTag`."""
    name = tag_name(album.name)
    condition = {"ranked": album.is_ranked, "where": None if album.condition is None else _to_json(album.condition)}
    with library.transaction() as connection:
        replaced = connection.execute(delete(Album).where(Album.key == fold(name))).rowcount > 0
        connection.execute(
            insert(Album).values(
                key=fold(name),
                name=name,
                query=album.query,
                condition=json.dumps(condition),
                top=album.top,
                created_at=datetime.now(UTC).replace(tzinfo=None),
            )
        )
    return replaced


def find_album(library: Library, name: str) -> AlbumRecord:
    """Return the album with this name. Raises `UnknownAlbum`."""
    with library.read() as connection:
        return _find(connection, name)


def list_albums(library: Library) -> list[AlbumRecord]:
    """Return all albums, sorted by name."""
    with library.read() as connection:
        return _all(connection)


def drop_album(library: Library, name: str) -> None:
    """Delete an album; its pictures are not affected. Raises `UnknownAlbum`."""
    with library.transaction() as connection:
        _find(connection, name)
        connection.execute(delete(Album).where(Album.key == fold(name.strip())))


def expand_albums(connection: Connection, condition: Condition, within: tuple[str, ...] = ()) -> Condition:
    """Return `condition` with every album replaced by its filters. `within` are the albums being expanded.

    Raises `UnknownAlbum`, `AlbumIsRanked`, and `InvalidQuery` for an album that contains itself.
    """
    if isinstance(condition, (And, Or)):
        return type(condition)(tuple(expand_albums(connection, part, within) for part in condition.conditions))
    if isinstance(condition, Not):
        return Not(expand_albums(connection, condition.condition, within))
    if condition.field != "album":
        return condition
    if condition.op is not Op.EQ:
        raise InvalidQuery("The field 'album' supports equality only: write album:NAME.")
    album = _find(connection, str(condition.value))
    if album.is_ranked:
        raise AlbumIsRanked(album.name)
    if fold(album.name) in within:
        raise InvalidQuery(f"The album {album.name!r} contains itself.")
    return expand_albums(connection, album.condition or And(()), (*within, fold(album.name)))


def _find(connection: Connection, name: str) -> AlbumRecord:
    row = connection.execute(select(Album.__table__).where(Album.key == fold(name.strip()))).one_or_none()
    if row is None:
        raise UnknownAlbum(name, tuple(album.name for album in _all(connection)))
    return _record(row)


def _all(connection: Connection) -> list[AlbumRecord]:
    return [_record(row) for row in connection.execute(select(Album.__table__).order_by(Album.key))]


def _record(row: Any) -> AlbumRecord:
    saved = json.loads(row.condition or "{}")
    where = saved.get("where")
    condition = None if where is None else _from_json(where)
    return AlbumRecord(row.name, row.query, condition, row.top, bool(saved.get("ranked")))


def _to_json(condition: Condition) -> list[Any]:
    """Return a condition as nested lists that JSON can represent; the inverse of `_from_json`."""
    if isinstance(condition, (And, Or)):
        return [type(condition).__name__.lower(), *map(_to_json, condition.conditions)]
    if isinstance(condition, Not):
        return ["not", _to_json(condition.condition)]
    value = condition.value
    values = None
    if value is not None:
        values = [_value_to_json(part) for part in (value if isinstance(value, tuple) else (value,))]
    return ["test", condition.field, condition.op.value, isinstance(value, tuple), values]


def _value_to_json(value: Value) -> list[Any]:
    if isinstance(value, datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, Path):
        return ["path", str(absolute(value))]
    if isinstance(value, Circle):
        return ["circle", value.latitude, value.longitude, value.metres]
    if isinstance(value, Box):
        return ["box", value.south, value.west, value.north, value.east]
    return ["plain", value]


_VALUE_TYPES: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "datetime": datetime.fromisoformat,
        "path": Path,
        "circle": Circle,
        "box": Box,
        "plain": lambda value: value,
    }
)


def _from_json(saved: list[Any]) -> Condition:
    kind, *rest = saved
    if kind in ("and", "or"):
        parts = tuple(map(_from_json, rest))
        return And(parts) if kind == "and" else Or(parts)
    if kind == "not":
        return Not(_from_json(rest[0]))
    field, op, is_tuple, saved_values = rest
    if saved_values is None:
        return FieldTest(field, Op(op), None)
    values = tuple(_VALUE_TYPES[name](*arguments) for name, *arguments in saved_values)
    return FieldTest(field, Op(op), values if is_tuple else values[0])
