"""Read one file in a worker thread: its bytes, digest, pixels, metadata and perceptual hash."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from core.errors import FileTooLarge, PictureError, PictureUnreadable
from encoders.preprocess import Preprocess
from indexer.scan import modified_ns
from pictures.decode import DecodeSettings, decode
from pictures.perceptual_hash import HASH_INPUT_SIDE, HASH_VERSION, perceptual_hash
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected
from store.near_duplicates.hashes import PerceptualHash

__all__ = ["MAX_FILE_BYTES", "Reader", "Reading"]

MAX_FILE_BYTES = 1 << 30
"""Size of the largest file that is read; 200 million pixels of 16 bits, uncompressed, take slightly more."""


@dataclass(frozen=True)
class Reading:
    """The outcome of reading one file, and its pixels (S, S, 3) if it has to be embedded."""

    outcome: FileOutcome
    pixels: NDArray[np.uint8] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Time by stage: `read`, `decode`, `preprocess` and `hash` (the perceptual hash)."""


@dataclass(frozen=True)
class Reader:
    """Reads the files of one root. `is_embedded` returns whether bytes with this SHA-256 digest have a vector already.

    Safe to call from several threads at once; Pillow and hashlib release the interpreter lock while they work.
    """

    root: Path
    preprocess: Preprocess
    settings: DecodeSettings
    is_embedded: Callable[[bytes], bool]

    def __call__(self, pending: PendingFile) -> Reading | None:
        """Read a file. Return None if it has vanished since the scan."""
        started = perf_counter()
        try:
            data, size, mtime_ns = _read(self.root / os.fsdecode(pending.relpath))
        except FileNotFoundError:
            return None
        except OSError as exc:
            error = PictureUnreadable(exc.strerror or str(exc))
            return Reading(_rejected(pending, 0, 0, error))
        if data is None:
            return Reading(_rejected(pending, size, mtime_ns, FileTooLarge(size, MAX_FILE_BYTES)))
        digest = hashlib.sha256(data).digest()
        seconds = {"read": perf_counter() - started}
        if pending.size_is_known and self.is_embedded(digest):
            return Reading(Accepted(pending, size, mtime_ns, digest), seconds=seconds)
        try:
            return self._decode(data, Accepted(pending, size, mtime_ns, digest), seconds)
        except PictureError as exc:
            return Reading(_rejected(pending, size, mtime_ns, exc), seconds=seconds)

    def _decode(self, data: bytes, accepted: Accepted, seconds: dict[str, float]) -> Reading:
        started = perf_counter()
        decoded = decode(data, self.settings, shortest_side=max(self.preprocess.size, HASH_INPUT_SIDE))
        seconds["decode"] = perf_counter() - started
        started = perf_counter()
        pixels = self.preprocess.pixels(decoded.image)  # (S, S, 3)
        seconds["preprocess"] = perf_counter() - started
        started = perf_counter()
        hashed = PerceptualHash(HASH_VERSION, perceptual_hash(decoded.image))
        seconds["hash"] = perf_counter() - started
        outcome = replace(accepted, info=decoded.info, perceptual_hash=hashed)
        return Reading(outcome, pixels, seconds)


def _read(path: Path) -> tuple[bytes | None, int, int]:
    """Return the bytes of a file, or None if there are too many, with the size and modification time of these bytes."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        data = None if status.st_size > MAX_FILE_BYTES else file.read(MAX_FILE_BYTES)  # it may be growing
        return data, status.st_size, modified_ns(status)


def _rejected(pending: PendingFile, size: int, mtime_ns: int, error: PictureError) -> Rejected:
    return Rejected(pending, size, mtime_ns, reason=error.reason, detail=error.detail, transient=error.transient)
