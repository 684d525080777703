"""Pictures uploaded to search with: kept for an hour under an unguessable name, never in the library.

Everything that is known about an upload is its file. Servers that share a folder therefore know the uploads of each
other, and a client may send its next request to any of them.
"""

import io
import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from time import time_ns
from typing import NamedTuple

from core.errors import InvalidQuery
from core.files import atomic_writer, remove_abandoned_drafts
from pictures.decode import DecodeSettings, decode
from web.errors import NotFound, StorageFull

__all__ = ["Upload", "Uploads"]

UPLOAD_LIFETIME_NS = 3_600_000_000_000
MAX_UPLOADS = 64
MAX_UPLOAD_STORE_BYTES = 300_000_000
"""How many uploads, and how many bytes of them, are kept in a folder; the oldest are deleted first."""

NAME = re.compile(r"[A-Za-z0-9_-]{22}")
"""The names that `secrets.token_urlsafe` makes of 16 bytes; they cannot lead out of the folder."""


class Upload(NamedTuple):
    """An uploaded picture."""

    id: str
    width: int
    height: int


class _StoredUpload(NamedTuple):
    added_ns: int
    path: Path
    size: int


class Uploads:
    """Uploaded pictures, in `shared`, or in a temporary folder that is deleted with the server. Thread-safe.

    A shared folder is created when it is first needed. Several servers may use it at the same time.
    """

    def __init__(self, max_pixels: int, max_uploads: int = MAX_UPLOADS, shared: Path | None = None) -> None:
        self._max_uploads = max_uploads
        self._settings = DecodeSettings(max_pixels=max_pixels)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if shared is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="sightline-")
            shared = Path(self._temporary.name)
        self._folder = shared

    def add(self, data: bytes) -> Upload:
        """Store a picture.

        Raises `PictureError` if it cannot be decoded or has too many pixels, and `StorageFull` when the disk is full.
        """
        if not data:
            raise InvalidQuery("The upload is empty.")
        decoded = decode(io.BytesIO(data), self._settings, shortest_side=64)
        name = secrets.token_urlsafe(16)
        path = self._folder / name
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_writer(path, durable=False, mode=0o600) as file:
                file.write(data)
            now = time_ns()
            os.utime(path, ns=(now, now))
        except OSError as exc:
            raise StorageFull from exc
        self._delete_old()
        return Upload(name, decoded.info.width, decoded.info.height)

    def path(self, name: str) -> Path:
        """Return the path of an upload. Raises `NotFound` if it is unknown or has been deleted."""
        self._delete_old()
        path = self._folder / name
        if not NAME.fullmatch(name) or not path.is_file():
            raise NotFound
        return path

    def close(self) -> None:
        """Delete all uploads, unless other servers share them."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def _delete_old(self) -> None:
        stored = sorted(self._stored())
        size, kept = sum(upload.size for upload in stored), len(stored)
        oldest_ns = time_ns() - UPLOAD_LIFETIME_NS
        for upload in stored:
            if kept <= self._max_uploads and size <= MAX_UPLOAD_STORE_BYTES and upload.added_ns > oldest_ns:
                return
            with suppress(OSError):  # another server has deleted it
                upload.path.unlink()
            size, kept = size - upload.size, kept - 1
        remove_abandoned_drafts(self._folder, "")

    def _stored(self) -> list[_StoredUpload]:
        found = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if NAME.fullmatch(entry.name):
                    with suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        found.append(_StoredUpload(status.st_mtime_ns, Path(entry.path), status.st_size))
        return found
