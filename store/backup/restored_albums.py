"""Albums of a snapshot: which are missing in the library, what they lack, and adding it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from store.albums.moved_folders import moved_condition
from store.backup.album_order import merged_order
from store.backup.outcomes import Outcome, Statement
from store.backup.records import PictureName, SavedAlbum
from store.backup.restore_context import RestoreContext
from store.catalog.collation import fold
from store.catalog.tables import Album, AlbumContent

__all__ = ["RestoredAlbum", "restore_album"]

SEARCH_COLUMNS = ("query", "condition", "top")

NO_CONDITION = json.dumps({"ranked": False, "where": None})
"""As `store.albums.records` writes it for an album by hand."""


@dataclass
class RestoredAlbum:
    """An album of a snapshot, with its pictures in their order."""

    album: SavedAlbum
    pictures: list[PictureName] = field(default_factory=list)


def restore_album(context: RestoreContext, restored: RestoredAlbum) -> None:
    """Create an album that is missing, or add what the one of the same name lacks.

    The query, the order and the cover of an album that exists are changed only if the snapshot replaces them.
    """
    album = restored.album
    selected = select(Album.__table__).where(Album.key == fold(album.name))
    row = context.connection.execute(selected).one_or_none()
    if row is not None and row.by_hand != album.by_hand:
        context.report.add(Statement.ALBUMS, Outcome.KEPT)
        context.report.conflicts.append(row.name)
    elif album.by_hand:
        _restore_by_hand(context, row, restored)
    else:
        _restore_search(context, row, album)


def _restore_search(context: RestoreContext, row: Any, album: SavedAlbum) -> None:
    values = _values(context, album)
    is_same = row is not None and all(getattr(row, column) == values[column] for column in SEARCH_COLUMNS)
    outcome = context.outcome(is_missing=row is None, is_same=is_same)
    context.report.add(Statement.ALBUMS, outcome)
    if context.writes(outcome):
        row = _write_row(context.connection, row, values)
    _restore_cover(context, row, album, members=None)


def _restore_by_hand(context: RestoreContext, row: Any, restored: RestoredAlbum) -> None:
    found = context.matcher.match(restored.pictures)
    known = [found[name.digest] for name in restored.pictures if name.digest in found]
    said = list(dict.fromkeys(known))
    here = [] if row is None else _members(context.connection, row.id)
    order = merged_order(said, here) if context.settings.replace else merged_order(here, said)
    new = set(said) - set(here)
    context.report.add(Statement.ALBUM_PICTURES, Outcome.UNKNOWN, len(restored.pictures) - len(known))
    context.report.add(Statement.ALBUM_PICTURES, Outcome.RESTORED, len(new))
    context.report.add(Statement.ALBUM_PICTURES, Outcome.PRESENT, len(said) - len(new))
    outcome = context.outcome(is_missing=row is None, is_same=_have_one_order(here, said))
    context.report.add(Statement.ALBUMS, outcome if row is not None else Outcome.RESTORED)
    if not context.settings.dry_run:
        if row is None:
            row = _write_row(context.connection, None, _values(context, restored.album))
        _write_members(context.connection, row.id, here, order)
    _restore_cover(context, row, restored.album, set(order))


def _have_one_order(here: Sequence[int], said: Sequence[int]) -> bool:
    """Return whether the pictures that both have are in the same order."""
    among, wanted = set(said), set(here)
    return [each for each in here if each in among] == [each for each in said if each in wanted]


def _restore_cover(context: RestoreContext, row: Any, album: SavedAlbum, members: set[int] | None) -> None:
    """Set the cover of an album that has none. `members` are the contents that it may show; None for all."""
    if album.cover is None:
        return
    cover = context.matcher.match([album.cover]).get(album.cover.digest)
    if cover is None or (members is not None and cover not in members):
        context.report.add(Statement.COVERS, Outcome.UNKNOWN)
        return
    here = None if row is None else row.cover_id
    outcome = context.outcome(is_missing=here is None, is_same=here == cover)
    context.report.add(Statement.COVERS, outcome)
    if context.writes(outcome):
        context.connection.execute(update(Album).where(Album.id == row.id).values(cover_id=cover))


def _values(context: RestoreContext, album: SavedAlbum) -> dict[str, Any]:
    moves = context.settings.moved
    search = {
        "query": context.move_paths(album.query, moves) if moves else album.query,
        "condition": moved_condition(album.condition, moves),
        "top": album.top,
    }
    by_hand = {"query": "", "condition": NO_CONDITION, "top": 0}
    values = by_hand if album.by_hand else search
    name = {"key": fold(album.name), "name": album.name, "by_hand": album.by_hand, "created_at": album.created_at}
    return {**name, **values}


def _write_row(connection: Connection, row: Any, values: Mapping[str, Any]) -> Any:
    """Insert an album, or change the saved search `row`; return its row."""
    if row is None:
        connection.execute(insert(Album).values(values))
    else:
        search = {column: values[column] for column in SEARCH_COLUMNS}
        connection.execute(update(Album).where(Album.id == row.id).values(search))
    return connection.execute(select(Album.__table__).where(Album.key == values["key"])).one()


def _members(connection: Connection, album_id: int) -> list[int]:
    statement = (
        select(AlbumContent.content_id)
        .where(AlbumContent.album_id == album_id)
        .order_by(AlbumContent.position, AlbumContent.content_id)
    )
    return list(connection.execute(statement).scalars())


def _write_members(connection: Connection, album_id: int, here: Sequence[int], order: Sequence[int]) -> None:
    if list(here) == list(order):
        return
    known = set(here)
    places = [{"album": album_id, "content": each, "place": place} for place, each in enumerate(order)]
    moved = [place for place in places if place["content"] in known]
    if moved:
        connection.execute(_UPDATE_POSITION, moved)
    new = [
        {"album_id": album_id, "content_id": place["content"], "position": place["place"]}
        for place in places
        if place["content"] not in known
    ]
    if new:
        connection.execute(insert(AlbumContent), new)


_UPDATE_POSITION = (
    update(AlbumContent)
    .where(AlbumContent.album_id == bindparam("album"), AlbumContent.content_id == bindparam("content"))
    .values(position=bindparam("place"))
)
