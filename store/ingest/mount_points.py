"""The disks mounted below a root, so that pictures on one that is away are not taken for deleted.

A disk that is not mounted leaves an empty folder, or none. Neither says whether the pictures were deleted. So the
places where disks were mounted are remembered, by path: numbers of devices change whenever a machine starts. They are
kept in a file beside the catalogue. Without that file, only large folders that are suddenly empty are noticed.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from core.files import write_atomically
from store.library import Library

__all__ = ["known_mount_points", "remember_mount_points"]

FILENAME = "mount-points.json"


def known_mount_points(library: Library, root_id: int) -> frozenset[bytes]:
    """Return where disks were mounted below a root when it was last scanned, relative to it."""
    return frozenset(os.fsencode(path) for path in _read(library.path).get(str(root_id), []))


def remember_mount_points(library: Library, root_id: int, paths: Iterable[bytes]) -> None:
    """Store where disks are mounted below a root. Call it while the lock of the root is held.

    Nothing happens if the file cannot be written.
    """
    stored = _read(library.path)
    listed = sorted(map(os.fsdecode, paths))
    if stored.get(str(root_id), []) == listed:
        return
    stored = {number: names for number, names in {**stored, str(root_id): listed}.items() if names}
    with suppress(OSError):
        write_atomically(library.path / FILENAME, [json.dumps(stored, indent=1).encode()])


def _read(folder: Path) -> dict[str, list[str]]:
    """Return the paths by root; none if the file is missing or damaged."""
    try:
        stored = json.loads((folder / FILENAME).read_bytes())
    except (OSError, ValueError):
        return {}
    is_valid = isinstance(stored, dict) and all(
        isinstance(paths, list) and all(isinstance(path, str) for path in paths) for paths in stored.values()
    )
    return stored if is_valid else {}
