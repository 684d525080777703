"""Albums that are saved searches. What such an album shows changes with the library."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, update

from core.errors import AlbumExists, InvalidQuery
from store.albums.conditions_json import condition_from_json, condition_to_json
from store.albums.moved_folders import MovePaths, moved_condition
from store.albums.records import AlbumRecord, insert_album, to_columns
from store.catalog.collation import fold
from store.catalog.tables import Album
from store.library import Library
from store.root_places import common_names
from store.tags import tag_name

__all__ = ["save_album"]


def save_album(library: Library, album: AlbumRecord, move_paths: MovePaths = lambda query, _moves: query) -> bool:
    """Save a search as an album, replacing a saved search of the same name; return whether one was replaced.

    The cover of a replaced one is kept. Folders that this machine has at another place than the others are saved as all
    machines know them; `move_paths` changes them in the text of the query. Raises `InvalidTag`, `InvalidQuery` if the
    search has the name of a folder that is not UTF-8, and `AlbumExists` if an album by hand has the name.
    """
    key = fold(tag_name(album.name))
    album = _with_common_names(album, common_names(library), move_paths)
    _require_text(album.query)
    with library.transaction() as connection:
        existing = connection.execute(select(Album.id, Album.name, Album.by_hand).where(Album.key == key)).one_or_none()
        if existing is None:
            insert_album(connection, album)
            return False
        if existing.by_hand:
            raise AlbumExists(existing.name)
        connection.execute(update(Album).where(Album.id == existing.id).values(to_columns(album)))
        return True


def _require_text(query: str) -> None:
    try:
        query.encode()
    except UnicodeEncodeError as exc:
        raise InvalidQuery("The search contains bytes that are not valid text. It cannot be saved.") from exc


def _with_common_names(album: AlbumRecord, names: Mapping[Path, Path], move_paths: MovePaths) -> AlbumRecord:
    if not names:
        return album
    condition = album.condition
    if condition is not None:
        moved = moved_condition(json.dumps({"where": condition_to_json(condition)}), names)
        condition = condition_from_json(json.loads(moved or "")["where"])
    return replace(album, query=move_paths(album.query, names), condition=condition)
