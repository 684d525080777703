"""Albums: questions that were given a name, kept as they were asked. What one shows changes with the library."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from core.errors import InvalidQuery, UnknownAlbum
from store.catalog.annotations import Album
from store.catalog.collation import fold
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or, Value
from store.roots import absolute
from store.tags import tag_name

__all__ = ["AlbumRecord", "drop_album", "expanded", "find_album", "list_albums", "save_album"]


@dataclass(frozen=True)
class AlbumRecord:
    """An album: its question in words, and the filters among them."""

    name: str
    query: str
    condition: Condition | None
    top: int
    is_ranked: bool
    """It has words besides filters, so that what it shows is ranked by a model."""


def save_album(connection: Connection, album: AlbumRecord) -> bool:
    """Keeps an album, in the place of one of the same name; returns whether there was one. Raises `InvalidTag`."""
    name = tag_name(album.name)
    replaced = connection.execute(delete(Album).where(Album.key == fold(name))).rowcount > 0
    kept = json.dumps(
        {"ranked": album.is_ranked, "where": None if album.condition is None else _plain(album.condition)}
    )
    connection.execute(
        insert(Album).values(
            key=fold(name),
            name=name,
            query=album.query,
            condition=kept,
            top=album.top,
            created_at=datetime.now(UTC).replace(tzinfo=None),
        )
    )
    return replaced


def find_album(connection: Connection, name: str) -> AlbumRecord:
    """The album of this name. Raises `UnknownAlbum`."""
    row = connection.execute(select(Album.__table__).where(Album.key == fold(name.strip()))).one_or_none()
    if row is None:
        raise UnknownAlbum(name, tuple(album.name for album in list_albums(connection)))
    return _record(row)


def list_albums(connection: Connection) -> list[AlbumRecord]:
    """All of them, by name."""
    return [_record(row) for row in connection.execute(select(Album.__table__).order_by(Album.key))]


def drop_album(connection: Connection, name: str) -> None:
    """Forgets an album; no picture is touched. Raises `UnknownAlbum`."""
    find_album(connection, name)
    connection.execute(delete(Album).where(Album.key == fold(name.strip())))


def expanded(connection: Connection, condition: Condition, within: tuple[str, ...] = ()) -> Condition:
    """`condition` with the filters of albums in the place of their names.

    Raises `UnknownAlbum`, and `InvalidQuery` for an album that is ranked by words, or that holds itself.
    """
    if isinstance(condition, (And, Or)):
        return type(condition)(tuple(expanded(connection, part, within) for part in condition.conditions))
    if isinstance(condition, Not):
        return Not(expanded(connection, condition.condition, within))
    if condition.field != "album":
        return condition
    if condition.op is not Op.EQ:
        raise InvalidQuery("a picture is in an album or not: write album:NAME")
    album = find_album(connection, str(condition.value))
    if album.is_ranked:
        raise InvalidQuery(
            f"the album {album.name!r} is ranked by words, and is no filter; `sightline album show` shows it"
        )
    if fold(album.name) in within:
        raise InvalidQuery(f"the album {album.name!r} holds itself")
    return expanded(connection, album.condition or And(()), (*within, fold(album.name)))


def _record(row: Any) -> AlbumRecord:
    kept = json.loads(row.condition or "{}")
    where = kept.get("where")
    return AlbumRecord(
        row.name, row.query, None if where is None else _condition(where), row.top, bool(kept.get("ranked"))
    )


def _plain(condition: Condition) -> list[Any]:
    """A condition as JSON can say it."""
    if isinstance(condition, (And, Or)):
        return [type(condition).__name__.lower(), *map(_plain, condition.conditions)]
    if isinstance(condition, Not):
        return ["not", _plain(condition.condition)]
    value = condition.value
    values = (
        None if value is None else [_plain_value(each) for each in (value if isinstance(value, tuple) else (value,))]
    )
    return ["test", condition.field, condition.op.value, isinstance(value, tuple), values]


def _plain_value(value: Value) -> list[Any]:
    if isinstance(value, datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, Path):
        return ["path", str(absolute(value))]
    if isinstance(value, Circle):
        return ["circle", value.latitude, value.longitude, value.metres]
    if isinstance(value, Box):
        return ["box", value.south, value.west, value.north, value.east]
    return ["plain", value]


_VALUES: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "datetime": datetime.fromisoformat,
        "path": Path,
        "circle": Circle,
        "box": Box,
        "plain": lambda value: value,
    }
)


def _condition(plain: list[Any]) -> Condition:
    """What `_plain` was given."""
    kind, *rest = plain
    if kind in ("and", "or"):
        parts = tuple(map(_condition, rest))
        return And(parts) if kind == "and" else Or(parts)
    if kind == "not":
        return Not(_condition(rest[0]))
    field, op, several, values = rest
    found = tuple(_VALUES[each[0]](*each[1:]) for each in values or ())
    return FieldTest(field, Op(op), None if values is None else found if several else found[0])
