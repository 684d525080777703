"""Paths as users type them: from folders reached through links, and from standard input."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.object_paths import as_path, object_path, scheme_of

__all__ = ["logical_path", "logical_paths"]


def logical_path(path: Path) -> Path:
    """Return `path` relative to `$PWD`, which keeps the links in the name of the working directory.

    What begins with the scheme of a store, such as `s3://bucket`, is no such path.
    """
    if (objects := object_path(path)) is not None:
        return objects
    if scheme_of(path) is not None and not os.path.exists(path):  # noqa: PTH110 (Path.exists may raise)
        return path
    here, path = os.environ.get("PWD", ""), Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser may raise)
    try:
        return Path(here, path) if os.path.isabs(here) and os.path.samefile(here, os.curdir) else path  # noqa: PTH117, PTH121
    except OSError:
        return path


def logical_paths(paths: Sequence[Path]) -> list[Path]:
    """Return the logical paths of `paths`; `-` stands for those on standard input, one per line or NUL-terminated."""
    result = []
    for path in paths:
        if path != Path("-"):
            result.append(logical_path(path))
            continue
        data = sys.stdin.buffer.read()
        names = data.split(b"\0" if b"\0" in data else b"\n")
        result += [logical_path(as_path(name)) for name in names if name]
    return result
