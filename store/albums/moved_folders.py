"""Saved searches that filter by a folder, when that folder is moved."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from core.foreign_paths import parts_below
from core.object_paths import object_path

__all__ = ["MovePaths", "moved_condition", "moved_path"]

MovePaths: TypeAlias = Callable[[str, Mapping[Path, Path]], str]
"""Returns a query with the paths in its filters and of its pictures moved, given as {old folder: new folder}."""


def moved_path(path: Path, moves: Mapping[Path, Path]) -> Path:
    """Return where `path` is after each folder of `moves` has become its value; the innermost folder decides."""
    path = object_path(path) or path
    found = [(len(parts), old) for old in moves if (parts := parts_below(os.fspath(path), os.fspath(old))) is not None]
    if not found:
        return path
    number, old = min(found)
    parts = parts_below(os.fspath(path), os.fspath(old)) or ()
    return moves[old].joinpath(*parts) if number else moves[old]


def moved_condition(condition: str | None, moves: Mapping[Path, Path]) -> str | None:
    """Return the JSON of a saved search's filters with their folders moved."""
    if condition is None or not moves:
        return condition
    saved = json.loads(condition)
    return json.dumps(saved) if _move(saved.get("where"), moves) else condition


def _move(part: Any, moves: Mapping[Path, Path]) -> bool:
    """Move the folders in the JSON of a condition, in place; return whether there was one to move."""
    if not isinstance(part, list):
        return False
    if len(part) != 2 or part[0] != "path" or not isinstance(part[1], str):
        return sum(_move(each, moves) for each in part) > 0
    moved = os.fspath(moved_path(Path(part[1]), moves))
    is_changed = moved != part[1]
    part[1] = moved
    return is_changed
