"""Queries that filter by a folder, when that folder is moved."""

import os
from collections.abc import Mapping
from pathlib import Path

from core.errors import QuerySyntax
from search.query_language.lexer import field_values
from store.albums.moved_folders import moved_path

__all__ = ["with_folders_moved"]


def with_folders_moved(query: str, moves: Mapping[Path, Path]) -> str:
    """Return `query` with the absolute folders in its filters moved, as `in:/old/folder`; all else stays as typed.

    A query that cannot be parsed is returned unchanged.
    """
    try:
        values = field_values(query)
    except QuerySyntax:
        return query
    for found in reversed(values):  # from the end, so that the positions before it stay valid
        moved = os.fspath(moved_path(Path(found.value), moves))
        if found.value.startswith("/") and moved != os.fspath(Path(found.value)):
            quoted = '"' + moved.replace("\\", "\\\\").replace('"', '\\"') + '"'
            query = query[: found.start] + quoted + query[found.end :]
    return query
