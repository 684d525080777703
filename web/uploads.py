"""Pictures that were sent as a question: kept for an hour under a name that nobody can guess, never in the library."""

import io
import secrets
import tempfile
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import NamedTuple

from core.errors import InvalidQuery
from pictures.decode import DecodeSettings, decode
from web.errors import NoRoom, NotThere

__all__ = ["Upload", "Uploads"]

KEPT = 3600.0
"""Seconds."""
MOST = 64
MOST_BYTES = 300_000_000
"""So many pictures, and so much of them, are kept at a time; the oldest go."""


class Upload(NamedTuple):
    """A picture that was sent."""

    id: str
    width: int
    height: int


class _Kept(NamedTuple):
    since: float
    size: int
    path: Path


class Uploads:
    """What was sent, in a folder of its own that goes with the server. Safe between threads."""

    def __init__(self, most_pixels: int) -> None:
        self._settings = DecodeSettings(max_pixels=most_pixels)
        self._folder = tempfile.TemporaryDirectory(prefix="sightline-")
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def keep(self, data: bytes) -> Upload:
        """Takes in a picture.

        Raises `PictureError` for bytes that are none, or of too many pixels, and `NoRoom` when the disk is full.
        """
        if not data:
            raise InvalidQuery("no picture was sent")
        decoded = decode(io.BytesIO(data), self._settings, shortest_side=64)
        name = secrets.token_urlsafe(16)
        path = Path(self._folder.name) / name
        try:
            path.write_bytes(data)
        except OSError as exc:
            path.unlink(missing_ok=True)
            raise NoRoom from exc
        with self._lock:
            self._kept[name] = _Kept(monotonic(), len(data), path)
            self._forget_old()
        return Upload(name, decoded.width, decoded.height)

    def path(self, name: str) -> Path:
        """Where a picture that was sent lies. Raises `NotThere` once it is forgotten."""
        with self._lock:
            self._forget_old()
            if name not in self._kept:
                raise NotThere
            return self._kept[name].path

    def close(self) -> None:
        """Forgets everything."""
        self._folder.cleanup()

    def _forget_old(self) -> None:
        while self._kept:
            name, kept = next(iter(self._kept.items()))
            size = sum(each.size for each in self._kept.values())
            if len(self._kept) <= MOST and size <= MOST_BYTES and monotonic() - kept.since < KEPT:
                return
            del self._kept[name]
            kept.path.unlink(missing_ok=True)
