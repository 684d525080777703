"""What to read for each file of a run, and how to record the result. Reading itself is in `pictures.reading`."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.metadata import ImageInfo, merge_metadata
from pictures.metadata.file_name_dates import metadata_of_name
from pictures.perceptual_hash import HASH_VERSION
from pictures.reading import ReadFile, ReadRequest
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected
from store.near_duplicates.hashes import PerceptualHash

__all__ = ["FileReader", "Reader", "Reading", "outcome_of", "reading_of"]

Item = TypeVar("Item")
ReadItem = TypeVar("ReadItem", contravariant=True)


@dataclass(frozen=True)
class Reading:
    """The outcome of reading one file, and the pixels (S, S, 3) of each frame that has to be embedded."""

    outcome: FileOutcome
    pixels: tuple[NDArray[np.uint8], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    """Time by stage: `read`, `decode`, `preprocess` and `hash` (the perceptual hash)."""


class Reader(Protocol[ReadItem]):
    """How items of a run, such as files or contents, are read. Its methods are called from several threads at once."""

    def request(self, item: ReadItem) -> ReadRequest:
        """Return which files to read for an item."""

    def is_embedded(self, digest: bytes, /) -> bool:
        """Return whether bytes with this SHA-256 digest have a vector already."""

    def reading(self, item: ReadItem, file: ReadFile | None) -> Reading | None:
        """Return the reading of an item, given the file that was read, if there was one. None leaves the item out."""


@dataclass(frozen=True)
class FileReader:
    """Reads the files of one root. `is_embedded` returns whether bytes with this SHA-256 digest have a vector already.

    Files that have vanished since the scan are left out.
    """

    root: Path
    is_embedded: Callable[[bytes], bool]

    def request(self, item: PendingFile) -> ReadRequest:
        """Return the file; its digest is worth looking up if the catalogue has a content of its size."""
        return ReadRequest((os.path.join(os.fsencode(self.root), item.relpath),), is_new=not item.size_is_known)  # noqa: PTH118 (bytes)

    def reading(self, item: PendingFile, file: ReadFile | None) -> Reading | None:
        """Return the outcome for the catalogue, or None if the file has vanished."""
        return None if file is None else reading_of(item, file)


def reading_of(pending: PendingFile, file: ReadFile) -> Reading:
    """Return the outcome of a file that was read, with its pixels."""
    pixels = () if file.pixels is None else (file.pixels, *file.further_pixels)
    return Reading(outcome_of(pending, file), pixels, file.seconds)


def outcome_of(pending: PendingFile, file: ReadFile) -> FileOutcome:
    """Return what the catalogue stores of a file that was read."""
    failure = file.failure
    if failure is not None:
        return Rejected(pending, file.size, file.mtime_ns, failure.reason, failure.detail, failure.transient)
    if file.info is None:  # the catalogue has everything already
        return Accepted(pending, file.size, file.mtime_ns, file.digest)
    hashed = PerceptualHash(HASH_VERSION, file.perceptual_hash)
    info = _with_date_of_name(file.info, pending.relpath)
    return Accepted(
        pending,
        file.size,
        file.mtime_ns,
        file.digest,
        info=info,
        frames=file.frames,
        perceptual_hash=hashed,
        color=file.color,
    )


def _with_date_of_name(info: ImageInfo, relpath: bytes) -> ImageInfo:
    """Add the date in the name of a file to its metadata, unless that has a date."""
    if info.metadata.taken_at is not None:
        return info
    named = metadata_of_name(PurePath(os.fsdecode(relpath)).name)
    return info if named.taken_at is None else replace(info, metadata=merge_metadata(info.metadata, named))
