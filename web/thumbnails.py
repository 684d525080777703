"""Thumbnails for the page: WebP, upright, in sRGB, cached on disk.

The cache key is the SHA-256 of the file's bytes and the number of the frame, so that a thumbnail is never out of date,
and several libraries and processes can share the folder. When the cache is full, the oldest thumbnails are deleted.
"""

import io
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

from core.errors import PictureError
from core.files import atomic_writer
from core.frames import FIRST_FRAME
from core.pixels_version import PIXELS_VERSION
from pictures.decode import INDEXED, decode
from store.library import Library
from store.queries import StoredFile
from web.errors import NotFound
from web.picture_files import frame_seconds, is_unchanged, open_picture_file, open_picture_source

__all__ = ["Thumbnail", "ThumbnailSize", "Thumbnails"]


class Thumbnail(NamedTuple):
    """The bytes of a thumbnail."""

    data: bytes
    etag: str | None
    """Its permanent entity tag; None when the file has changed since it was indexed."""


class ThumbnailSize(IntEnum):
    """Longest side in pixels."""

    PHONE = 192
    GRID = 384
    SHARP = 768
    VIEWER = 1536


WEBP_QUALITY = 80

SWEEP_INTERVAL = 500
"""Number of thumbnails that are made between two checks of the size of the cache."""


class Thumbnails:
    """The thumbnails of a library, cached in `folder`, which may take about `max_bytes`. Thread-safe."""

    def __init__(self, library: Library, folder: Path, max_bytes: int) -> None:
        self._library = library
        self._folder = folder / "thumbnails"
        self._max_bytes = max_bytes
        self._made = 0
        self._sweeping = Lock()

    def find(self, content_id: int, size: ThumbnailSize, frame: int = FIRST_FRAME) -> Thumbnail | None:
        """Return the cached thumbnail, or None. Raises `NotFound` if the picture has no readable file."""
        stored, file = open_picture_file(self._library, content_id)
        file.close()
        with suppress(OSError):
            return Thumbnail(self._path(stored, size, frame).read_bytes(), _etag(stored, size, frame))
        return None

    def make(self, content_id: int, size: ThumbnailSize, frame: int = FIRST_FRAME) -> Thumbnail:
        """Make a thumbnail of a frame whose longest side is `size`, or less if the picture is smaller.

        Raises `NotFound` if the picture has no readable file, or if the file is no longer a picture, and
        `FrameNotFound`.
        """
        with open_picture_source(self._library, content_id) as (stored, source):
            thumbnail = _shrink(source.data, size, frame, frame_seconds(self._library, content_id, frame))
            if not is_unchanged(stored, source):
                return Thumbnail(thumbnail, None)
        self._write(self._path(stored, size, frame), thumbnail)
        return Thumbnail(thumbnail, _etag(stored, size, frame))

    def _path(self, stored: StoredFile, size: ThumbnailSize, frame: int) -> Path:
        return self._folder / stored.digest.hex()[:2] / f"{stored.digest.hex()}-{_variant(size, frame)}.webp"

    def _write(self, path: Path, data: bytes) -> None:
        """Add a thumbnail to the cache. On a full disk it is not cached and will be made again."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_writer(path, durable=False, mode=0o600) as file:
                file.write(data)
        self._made += 1
        if self._made % SWEEP_INTERVAL == 0:
            self.sweep()

    def sweep(self) -> None:
        """If the cache is too large, delete the oldest thumbnails until it is at nine tenths of its limit."""
        if not self._sweeping.acquire(blocking=False):
            return
        try:
            files = sorted(_cached_files(self._folder))
            total = sum(size for _, size, _ in files)
            if total <= self._max_bytes:
                return
            for _, size, path in files:
                if total <= self._max_bytes * 0.9:
                    break
                with suppress(OSError):
                    path.unlink()
                    total -= size
        finally:
            self._sweeping.release()


def _etag(stored: StoredFile, size: ThumbnailSize, frame: int) -> str:
    return f'"{stored.digest.hex()[:32]}-{_variant(size, frame)}"'


def _variant(size: ThumbnailSize, frame: int) -> str:
    """Return what distinguishes the thumbnails of one file."""
    variant = f"v{PIXELS_VERSION}-{size:d}"
    return variant if frame == FIRST_FRAME else f"{variant}-{frame}"


def _shrink(data: bytes | BinaryIO, size: int, frame: int, seconds: float | None) -> bytes:
    try:
        image = decode(data, INDEXED, shortest_side=size, frame=frame, seconds=seconds).image
    except PictureError as exc:
        raise NotFound from exc
    image.thumbnail((size, size))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=WEBP_QUALITY, method=2)
    return out.getvalue()


def _cached_files(folder: Path) -> list[tuple[float, int, Path]]:
    """Return the modification time, size and path of each cached file."""
    files = []
    for path in folder.glob("??/*"):
        with suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    return files
