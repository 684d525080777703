"""Absolute paths of Windows on other systems: in snapshots and libraries that were written there.

Such a path begins with a drive letter (`C:\\Photos`) or a server (`\\\\server\\share`). Its names are separated by `\\`
or `/`, and compared without regard to case. A POSIX system would take it for one name, in the current folder.
"""

import os
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from core.files import absolute

__all__ = ["absolute_path", "folder_name", "is_same_path", "is_windows_path", "parts_below"]


def is_windows_path(path: str) -> bool:
    """Return whether `path` is an absolute path of Windows.

    >>> [is_windows_path(path) for path in ("C:\\\\Photos", "c:/Photos", "/photos", "C:x")]
    [True, True, False, False]
    """
    return not path.startswith("/") and PureWindowsPath(path).is_absolute()


def absolute_path(path: Path) -> Path:
    """Return `path` as `core.files.absolute` does, but an absolute path of Windows unchanged."""
    return path if is_windows_path(os.fspath(path)) else absolute(path)


def folder_name(path: str) -> str:
    """Return the last name of a path."""
    return _pure(path).name


def is_same_path(one: str, other: str) -> bool:
    """Return whether two paths name the same folder, by the rules of the system that they come from."""
    return _pure(one) == _pure(other)


def parts_below(path: str, folder: str) -> tuple[str, ...] | None:
    """Return the names that lead from `folder` to `path`; None if `path` is not in it."""
    inner, outer = _pure(path), _pure(folder)
    if type(inner) is not type(outer) or not inner.is_relative_to(outer):
        return None
    return inner.parts[len(outer.parts) :]


def _pure(path: str) -> PurePath:
    return PureWindowsPath(path) if is_windows_path(path) else PurePosixPath(path)
