"""The disks mounted below a root, so that pictures on one that is away are not taken for deleted.

A disk that is not mounted leaves an empty folder, or none. Neither says whether the pictures were deleted. So the
places where disks were mounted are remembered, by path: numbers of devices change whenever a machine starts. They are
kept in a file beside the catalogue. Without that file, only large folders that are suddenly empty are noticed.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from core.files import write_atomically
from store.library import Library

__all__ = ["join_mount_points", "known_mount_points", "may_be_mount_point", "remember_mount_points"]

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


def join_mount_points(library: Library, root_id: int, inner: Mapping[int, bytes]) -> None:
    """Add the places below roots that became part of the root `root_id`: their IDs, and their paths relative to it."""
    joined = {
        prefix + b"/" + path for other_id, prefix in inner.items() for path in known_mount_points(library, other_id)
    }
    if joined:
        remember_mount_points(library, root_id, known_mount_points(library, root_id) | joined)


def may_be_mount_point(root: Path, path: bytes) -> bool:
    """Return whether a disk is mounted at a place below a root, or could be: the folder is empty, or not there."""
    full = os.path.join(os.fsencode(root), path)  # noqa: PTH118 (paths are bytes)
    try:
        if os.stat(full).st_dev != os.stat(os.path.dirname(full)).st_dev:  # noqa: PTH116, PTH120
            return True
        with os.scandir(full) as listing:
            return next(listing, None) is None
    except OSError:
        return True


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
