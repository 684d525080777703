"""Small pictures for the grid: WebP, upright, in sRGB, made once and kept.

They are kept by the SHA-256 of the file's bytes, so that one can never be out of date, and any number of libraries and
processes may share the folder. What was made last stays; beyond the limit the oldest go.
"""

import io
import tempfile
from contextlib import suppress
from enum import IntEnum
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from core.errors import PictureError
from pictures.decode import DecodeSettings, decode
from store.files import StoredFile
from store.library import Library
from web.errors import NotThere
from web.files import open_picture_file, read_picture

__all__ = ["Size", "Thumbnail", "Thumbnails"]


class Thumbnail(NamedTuple):
    """A small picture."""

    data: bytes
    tag: str | None
    """Its entity tag, which stands for these bytes for ever; None while the file is another than the library knows."""


class Size(IntEnum):
    """Longest side in pixels."""

    PHONE = 192
    GRID = 384
    SHARP = 768
    VIEWER = 1536


QUALITY = 80

SWEEP_EVERY = 500
"""Thumbnails made between two looks at how much room they take."""


class Thumbnails:
    """The thumbnails of a library, kept in `folder`; at most about `limit` bytes of them. Safe between threads."""

    def __init__(self, library: Library, folder: Path, limit: int) -> None:
        self._library = library
        self._folder = folder / "thumbnails"
        self._limit = limit
        self._made = 0
        self._sweeping = Lock()

    def find(self, content_id: int, size: Size) -> Thumbnail | None:
        """The thumbnail if it was made before. Raises `NotThere` for a picture that is not there any more."""
        stored, file = open_picture_file(self._library, content_id)
        file.close()
        with suppress(OSError):
            return Thumbnail(self._path(stored, size).read_bytes(), _tag(stored, size))
        return None

    def make(self, content_id: int, size: Size) -> Thumbnail:
        """A WebP picture of which the longest side is `size`, or that of the picture if it is smaller.

        Raises `NotThere` for a picture that is not there or is none any more.
        """
        stored, data = read_picture(self._library, content_id)
        made = _shrink(data, size)
        if sha256(data).digest() != stored.digest:  # the file has changed since it was indexed
            return Thumbnail(made, None)
        self._keep(self._path(stored, size), made)
        return Thumbnail(made, _tag(stored, size))

    def _path(self, stored: StoredFile, size: Size) -> Path:
        return self._folder / stored.digest.hex()[:2] / f"{stored.digest.hex()}-{size:d}.webp"

    def _keep(self, path: Path, made: bytes) -> None:
        """Writes a thumbnail whole or not at all; without room for it, it is made again the next time."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as draft:
                try:
                    draft.write(made)
                    draft.close()
                    Path(draft.name).replace(path)
                except BaseException:
                    Path(draft.name).unlink(missing_ok=True)
                    raise
        self._made += 1
        if self._made % SWEEP_EVERY == 0:
            self.sweep()

    def sweep(self) -> None:
        """Removes the oldest thumbnails until all take at most nine tenths of the limit."""
        if not self._sweeping.acquire(blocking=False):
            return
        try:
            found = sorted(_sizes(self._folder))
            room = sum(size for _, size, _ in found)
            if room <= self._limit:
                return
            for _, size, path in found:
                if room <= self._limit * 0.9:
                    break
                with suppress(OSError):
                    path.unlink()
                    room -= size
        finally:
            self._sweeping.release()


def _tag(stored: StoredFile, size: Size) -> str:
    return f'"{stored.digest.hex()[:32]}-{size:d}"'


def _shrink(data: bytes, size: int) -> bytes:
    try:
        image = decode(data, DecodeSettings(), shortest_side=size).image
    except PictureError as exc:
        raise NotThere from exc
    image.thumbnail((size, size))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=2)
    return out.getvalue()


def _sizes(folder: Path) -> list[tuple[float, int, Path]]:
    """When each kept file was written, its bytes, and its path."""
    found = []
    for path in folder.glob("??/*"):
        with suppress(OSError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    return found
