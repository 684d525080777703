"""Small pictures for the grid: WebP, upright, in sRGB, made once and kept.

They are kept by the SHA-256 of the file's bytes, so that one can never be out of date, and any number of libraries and
processes may share the folder. What was made last stays; beyond the limit the oldest go.
"""

import io
import os
import tempfile
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from threading import BoundedSemaphore, Lock

from pictures.decode import DecodeSettings, decode
from sightline.errors import PictureError
from store.library import Library
from web.files import open_picture_file, read_picture
from web.problems import NotThere

__all__ = ["Size", "Thumbnails"]


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
        self._decoding = BoundedSemaphore(max(2, os.cpu_count() or 1))
        self._made = 0
        self._sweeping = Lock()

    def get(self, content_id: int, size: Size) -> bytes:
        """A WebP picture of which the longest side is `size`, or that of the picture if it is smaller.

        Raises `NotThere` for a picture that is not there or is none any more.
        """
        stored, file = open_picture_file(self._library, content_id)
        file.close()
        kept = self._folder / stored.digest.hex()[:2] / f"{stored.digest.hex()}-{size:d}.webp"
        with suppress(OSError):
            return kept.read_bytes()
        with self._decoding:  # decoding takes memory: as many at a time as there are processors
            _, data = read_picture(self._library, content_id)
            made = _shrink(data, size)
        self._keep(kept, made)
        return made

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
                path.unlink(missing_ok=True)
                room -= size
        finally:
            self._sweeping.release()


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
