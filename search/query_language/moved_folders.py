"""Queries that filter by a folder, or have an example picture in it, when that folder is moved."""

import os
from collections.abc import Mapping
from pathlib import Path

from core.errors import QuerySyntax
from core.foreign_paths import is_windows_path
from core.object_paths import object_path
from search.query_language.lexer import field_values, picture_paths
from store.albums.moved_folders import moved_path

__all__ = ["with_folders_moved"]


def with_folders_moved(query: str, moves: Mapping[Path, Path]) -> str:
    """Return `query` with the absolute paths of its filters and example pictures moved; all else stays as typed.

    Filters are those like `in:/old/folder`. A query that cannot be parsed is returned unchanged.
    """
    try:
        found = [(each.start, each.end, each.value) for each in field_values(query)]
        found += [(each.start, each.end, each.path) for each in picture_paths(query)]
    except QuerySyntax:
        return query
    for start, end, path in sorted(found, reverse=True):  # from the end, so that the positions before it stay valid
        named = object_path(path) or Path(path)
        is_absolute = named.is_absolute() or is_windows_path(path)
        moved = os.fspath(moved_path(named, moves))
        if is_absolute and moved != os.fspath(named):
            quoted = '"' + moved.replace("\\", "\\\\").replace('"', '\\"') + '"'
            query = query[:start] + quoted + query[end:]
    return query
