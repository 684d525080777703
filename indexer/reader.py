"""One file on its way in, as a worker sees it: bytes, digest, pixels. Knows nothing of batches or transactions."""

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
from pictures.perceptual_hash import HASH_VERSION, SIDE, perceptual_hash
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected
from store.near_duplicates.hashes import PerceptualHash

__all__ = ["LARGEST_FILE", "Reader", "Reading"]

LARGEST_FILE = 1 << 30
"""Bytes of the largest file that is read; 200 million pixels of 16 bits, uncompressed, are a little more."""


@dataclass(frozen=True)
class Reading:
    """What came of one file: an outcome, and the pixels (S, S, 3) if its vector is still to be computed."""

    outcome: FileOutcome
    pixels: NDArray[np.uint8] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent reading, decoding, preprocessing and hashing what it looks like."""


@dataclass(frozen=True)
class Reader:
    """Reads the files of one root. `known` says whether some bytes, by their SHA-256, have a vector already.

    Safe to call from several threads at once; Pillow and hashlib let go of the interpreter while they work.
    """

    root: Path
    preprocess: Preprocess
    settings: DecodeSettings
    known: Callable[[bytes], bool]

    def __call__(self, work: PendingFile) -> Reading | None:
        """Reads the file of `work`; None when it has vanished since the scan."""
        started = perf_counter()
        try:
            data, size, mtime_ns = _read(self.root / os.fsdecode(work.relpath))
        except FileNotFoundError:
            return None
        except OSError as exc:
            error = PictureUnreadable(exc.strerror or str(exc))
            return Reading(_refused(work, 0, 0, error))
        if data is None:
            return Reading(_refused(work, size, mtime_ns, FileTooLarge(size, LARGEST_FILE)))
        digest = hashlib.sha256(data).digest()
        seconds = {"read": perf_counter() - started}
        if work.size_is_known and self.known(digest):
            return Reading(Accepted(work, size, mtime_ns, digest), seconds=seconds)
        try:
            return self._decode(data, Accepted(work, size, mtime_ns, digest), seconds)
        except PictureError as exc:
            return Reading(_refused(work, size, mtime_ns, exc), seconds=seconds)

    def _decode(self, data: bytes, taken: Accepted, seconds: dict[str, float]) -> Reading:
        started = perf_counter()
        decoded = decode(data, self.settings, shortest_side=max(self.preprocess.size, SIDE))
        seconds["decode"] = perf_counter() - started
        started = perf_counter()
        pixels = self.preprocess.pixels(decoded.image)  # (S, S, 3)
        seconds["preprocess"] = perf_counter() - started
        started = perf_counter()
        hashed = PerceptualHash(HASH_VERSION, perceptual_hash(decoded.image))
        seconds["hash"] = perf_counter() - started
        outcome = replace(taken, info=decoded.info, perceptual_hash=hashed)
        return Reading(outcome, pixels, seconds)


def _read(path: Path) -> tuple[bytes | None, int, int]:
    """The bytes of a file with the size and time of exactly these bytes; None where they are too many."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        data = None if status.st_size > LARGEST_FILE else file.read(LARGEST_FILE)  # it may grow meanwhile
        return data, status.st_size, modified_ns(status)


def _refused(work: PendingFile, size: int, mtime_ns: int, error: PictureError) -> Rejected:
    return Rejected(work, size, mtime_ns, reason=error.reason, detail=error.detail, transient=error.transient)
