"""Pictures uploaded to search with: kept for an hour under an unguessable name, never in the library."""

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
from web.errors import NotFound, StorageFull

__all__ = ["Upload", "Uploads"]

UPLOAD_LIFETIME_SECONDS = 3600.0
MAX_UPLOADS = 64
MAX_UPLOAD_STORE_BYTES = 300_000_000
"""How many uploads, and how many bytes of them, are kept; the oldest are deleted first."""


class Upload(NamedTuple):
    """An uploaded picture."""

    id: str
    width: int
    height: int


class _StoredUpload(NamedTuple):
    added_at: float
    size: int
    path: Path


class Uploads:
    """Uploaded pictures, in a temporary folder that is deleted with the server. Thread-safe."""

    def __init__(self, max_pixels: int, max_uploads: int = MAX_UPLOADS) -> None:
        self._max_uploads = max_uploads
        self._settings = DecodeSettings(max_pixels=max_pixels)
        self._folder = tempfile.TemporaryDirectory(prefix="sightline-")
        self._uploads: OrderedDict[str, _StoredUpload] = OrderedDict()
        self._lock = Lock()

    def add(self, data: bytes) -> Upload:
        """Store a picture.

        Raises `PictureError` if it cannot be decoded or has too many pixels, and `StorageFull` when the disk is full.
        """
        if not data:
            raise InvalidQuery("The upload is empty.")
        decoded = decode(io.BytesIO(data), self._settings, shortest_side=64)
        name = secrets.token_urlsafe(16)
        path = Path(self._folder.name) / name
        try:
            path.write_bytes(data)
        except OSError as exc:
            path.unlink(missing_ok=True)
            raise StorageFull from exc
        with self._lock:
            self._uploads[name] = _StoredUpload(monotonic(), len(data), path)
            self._delete_old()
        return Upload(name, decoded.info.width, decoded.info.height)

    def path(self, name: str) -> Path:
        """Return the path of an upload. Raises `NotFound` if it is unknown or has been deleted."""
        with self._lock:
            self._delete_old()
            if name not in self._uploads:
                raise NotFound
            return self._uploads[name].path

    def close(self) -> None:
        """Delete all uploads."""
        self._folder.cleanup()

    def _delete_old(self) -> None:
        while self._uploads:
            name, oldest = next(iter(self._uploads.items()))
            size = sum(stored.size for stored in self._uploads.values())
            is_alive = monotonic() - oldest.added_at < UPLOAD_LIFETIME_SECONDS
            if len(self._uploads) <= self._max_uploads and size <= MAX_UPLOAD_STORE_BYTES and is_alive:
                return
            del self._uploads[name]
            oldest.path.unlink(missing_ok=True)
