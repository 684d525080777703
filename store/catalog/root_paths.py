"""The paths of roots, and of the folders of jobs, as they are on this machine.

A catalogue on a server has one path for each root. A machine on which the root is at another place replaces it in
everything that it reads from the column, and the other way round in everything that it compares with it or writes.
Which paths these are is kept by `store.root_places`, and attached to the dialect of the engine.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Dialect, Engine, LargeBinary
from sqlalchemy.types import TypeDecorator

__all__ = ["JobParameters", "RootPath", "path_here", "roots_here", "roots_here_below", "show_roots_here", "stored_root"]

_ATTRIBUTE = "sightline_root_paths"


@dataclass(frozen=True)
class _Paths:
    here: Mapping[bytes, bytes]
    """Stored path -> path on this machine."""
    stored: Mapping[bytes, bytes]


def show_roots_here(engine: Engine, places: Mapping[bytes, bytes]) -> None:
    """Have all statements of an engine see roots at other places: stored path -> path on this machine."""
    setattr(engine.dialect, _ATTRIBUTE, _Paths(dict(places), {here: stored for stored, here in places.items()}))


def stored_root(engine: Engine, path: bytes) -> bytes:
    """Return how the catalogue names the root that is at `path` on this machine."""
    paths: _Paths | None = getattr(engine.dialect, _ATTRIBUTE, None)
    return path if paths is None else paths.stored.get(path, path)


def roots_here(engine: Engine) -> Mapping[bytes, bytes]:
    """Return the roots that this machine has at other places: path on this machine -> stored path."""
    paths: _Paths | None = getattr(engine.dialect, _ATTRIBUTE, None)
    return {} if paths is None else paths.stored


def path_here(dialect: Dialect, path: bytes) -> bytes | None:
    """Return where this machine has what is named by the stored path of its root; None if it is not named so."""
    paths: _Paths | None = getattr(dialect, _ATTRIBUTE, None)
    return None if paths is None else _moved(path, paths.here)


def roots_here_below(dialect: Dialect, outer: bytes) -> set[bytes]:
    """Return where this machine has the roots whose stored paths begin with `outer`, which ends with a slash."""
    paths: _Paths | None = getattr(dialect, _ATTRIBUTE, None)
    return set() if paths is None else {here for stored, here in paths.here.items() if stored.startswith(outer)}


def _moved(path: bytes, places: Mapping[bytes, bytes]) -> bytes | None:
    for old, new in places.items():
        if path == old or path.startswith(old.rstrip(b"/") + b"/"):
            return new + path[len(old) :]
    return None


class RootPath(TypeDecorator[bytes]):
    """The path of a root, or the name of a collection."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Return the stored path for one of this machine."""
        paths: _Paths | None = getattr(dialect, _ATTRIBUTE, None)
        return value if paths is None or value is None else paths.stored.get(value, value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """Return the path on this machine for a stored one."""
        paths: _Paths | None = getattr(dialect, _ATTRIBUTE, None)
        return value if paths is None or value is None else paths.here.get(bytes(value), bytes(value))


class JobParameters(TypeDecorator[dict[str, Any]]):
    """The parameters of a job, whose `folders` may be roots or in them."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        """Return the parameters with stored paths."""
        paths: _Paths | None = getattr(dialect, _ATTRIBUTE, None)
        return value if paths is None else _with_folders_moved(value, paths.stored)

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Any] | None:
        """Return the parameters with the paths of this machine."""
        paths: _Paths | None = getattr(dialect, _ATTRIBUTE, None)
        return value if paths is None else _with_folders_moved(value, paths.here)


def _with_folders_moved(value: dict[str, Any] | None, places: Mapping[bytes, bytes]) -> dict[str, Any] | None:
    if not value or not value.get("folders"):
        return value
    folders = [os.fsencode(folder) for folder in value["folders"]]
    return {**value, "folders": [os.fsdecode(_moved(folder, places) or folder) for folder in folders]}
