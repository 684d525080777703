"""The bytes of a picture, by its id alone: never by a path that a client sends, and never from outside its root."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from store.files import StoredFile, files_of
from store.library import Library
from web.errors import NotThere

__all__ = ["FILE_LIMIT", "LARGEST_ID", "open_picture_file", "picture_path", "read_picture"]

FILE_LIMIT = 1 << 30
"""Bytes of the largest file that is ever read, as at indexing."""

LARGEST_ID = 2**63 - 1
"""SQLite's largest integer."""


def read_picture(library: Library, content_id: int) -> tuple[StoredFile, bytes]:
    """The first of a picture's files that can be read, and its bytes. Raises `NotThere`."""
    stored, file = open_picture_file(library, content_id)
    with file:
        return stored, file.read(FILE_LIMIT)


def open_picture_file(library: Library, content_id: int) -> tuple[StoredFile, BinaryIO]:
    """The first of a picture's files that can be opened. Raises `NotThere`, whatever the reason that there is none."""
    if 0 < content_id <= LARGEST_ID:
        with library.read() as connection:
            stored_files = files_of(connection, content_id)
        for stored in stored_files:
            try:
                return stored, _open_beneath(stored.root, stored.path)
            except (OSError, RuntimeError):  # the latter: a link that leads to itself
                continue
    raise NotThere


def picture_path(library: Library, content_id: int) -> Path:
    """Where the first of a picture's files that can be opened really lies. Raises `NotThere`."""
    stored, file = open_picture_file(library, content_id)
    file.close()
    return _beneath(stored.root, stored.path)


def _beneath(root: Path, path: Path) -> Path:
    """`path` with every link followed, which must lie beneath `root`."""
    real = path.resolve(strict=True)
    if not real.is_relative_to(root.resolve(strict=True)):
        raise PermissionError(f"{path} leads out of {root}")
    return real


def _open_beneath(root: Path, path: Path) -> BinaryIO:
    """Opens the regular file `path` beneath `root`."""
    real = _beneath(root, path)
    # `real` has no links left; one that took its place since then is not followed.
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermissionError(f"{path} is no regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
