"""Access to the files of pictures by ID, and the parts of a file that a client asks for.

A client never names a path, and no file outside the folders of the library is opened.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from core.frames import FIRST_FRAME
from core.object_paths import ObjectPath
from core.root_files import open_file
from pictures.sources import PictureSource, open_source
from store.catalog.frame_ids import MAX_FRAMES
from store.frames import list_frames
from store.library import Library
from store.queries import StoredFile, list_files
from web.errors import FrameNotFound, NotFound

__all__ = [
    "FILE_CHUNK_BYTES",
    "MAX_CONTENT_ID",
    "MAX_FRAME_NUMBER",
    "byte_range",
    "frame_seconds",
    "is_unchanged",
    "matches_etag",
    "open_companion",
    "open_picture_file",
    "open_picture_source",
    "picture_path",
]

MAX_CONTENT_ID = 2**63 - 1
"""Largest integer of SQLite."""

MAX_FRAME_NUMBER = MAX_FRAMES - 1
"""Largest number of a frame, from 0."""

FILE_CHUNK_BYTES = 1 << 18
"""How much of a file is read and sent at a time."""

SINGLE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
"""A Range header with one range. For several, the whole file is sent instead, as RFC 9110 allows."""


@contextmanager
def open_picture_source(library: Library, content_id: int) -> Iterator[tuple[StoredFile, PictureSource]]:
    """Open the first readable file of a picture, to decode it. Raises `NotFound`, also if it is too large by now."""
    stored, file = open_picture_file(library, content_id)
    with open_source(file) as source:
        if source.is_too_large:
            raise NotFound
        yield stored, source


def is_unchanged(stored: StoredFile, source: PictureSource) -> bool:
    """Return whether a file is the one that was indexed: by its bytes, or by size and time if it is a video."""
    if source.is_video:
        return (source.size, source.mtime_ns) == (stored.size, stored.mtime_ns)
    return source.digest() == stored.digest


def frame_seconds(library: Library, content_id: int, frame: int) -> float | None:
    """Return the time of a frame, if it is a moment. Raises `FrameNotFound` unless the library knows the frame."""
    if frame == FIRST_FRAME:
        return None
    frames = {known.number: known for known in list_frames(library, content_id)}
    if frame not in frames:
        raise FrameNotFound(frame, max(frames, default=FIRST_FRAME) + 1)
    return frames[frame].seconds


def open_picture_file(library: Library, content_id: int) -> tuple[StoredFile, BinaryIO]:
    """Open the first readable file of a picture. Raises `NotFound` for any reason, to reveal nothing."""
    if 0 < content_id <= MAX_CONTENT_ID:
        for stored in list_files(library, content_id):
            try:
                return stored, _open_below(stored.root, stored.path)
            except (OSError, RuntimeError):  # RuntimeError: a loop of symbolic links
                continue
    raise NotFound


def open_companion(library: Library, content_id: int, number: int) -> tuple[Path, BinaryIO]:
    """Open a companion of a picture, numbered from 0 as in its record. Raises `NotFound` for any reason."""
    if 0 < content_id <= MAX_CONTENT_ID:
        found = [(stored.root, path) for stored in list_files(library, content_id) for path in stored.companions]
        for root, path in found[number : number + 1]:
            with suppress(OSError, RuntimeError):  # RuntimeError: a loop of symbolic links
                return path, _open_below(root, path)
    raise NotFound


def picture_path(library: Library, content_id: int) -> Path:
    """Return the real path of the first readable file of a picture. Raises `NotFound`."""
    stored, file = open_picture_file(library, content_id)
    file.close()
    return _resolve_below(stored.root, stored.path)


def _resolve_below(root: Path, path: Path) -> Path:
    """Follow all links in `path`, whose target must lie below `root`."""
    real = path.resolve(strict=True)
    if not real.is_relative_to(root.resolve(strict=True)):
        raise PermissionError(f"{path} leads out of {root}")
    return real


def _open_below(root: Path, path: Path) -> BinaryIO:
    """Open the regular file `path` below `root`."""
    if isinstance(path, ObjectPath):  # there are no links
        return open_file(path, ahead=False)
    real = _resolve_below(root, path)
    # `real` contains no links; O_NOFOLLOW refuses one that has replaced the file since then.
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermissionError(f"{path} is not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def matches_etag(headers: Mapping[str, str], etag: str) -> bool:
    """Return whether the client already has the version `etag` (If-None-Match), so that 304 is enough."""
    value = headers.get("if-none-match", "")
    return value.strip() == "*" or etag in (part.strip().removeprefix("W/") for part in value.split(","))


def byte_range(headers: Mapping[str, str], size: int, etag: str) -> range | None:
    """Return the requested range of a file of `size` bytes (RFC 9110).

    None means the whole file; an empty range cannot be satisfied (416).
    """
    match = SINGLE_RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or match[0] == "bytes=-" or headers.get("if-range", etag) != etag:
        return None
    first, last = match[1], match[2]
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(int(last) + 1 if last else size, size))
