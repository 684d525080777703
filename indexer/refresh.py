"""Update pictures that are in the library already, without embedding them again: metadata of sidecars that changed,
metadata of headers that an older version read, and perceptual hashes that an older version did not compute.

Each page of files is one transaction, so that the run after an interrupted one continues where that stopped.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from core.errors import PictureError
from core.files import modified_ns
from core.metadata import PhotoMetadata
from pictures.decode import DecodeSettings, decode_frames, read_header
from pictures.perceptual_hash import HASH_INPUT_SIDE, HASH_VERSION
from pictures.reading import hash_first_frame
from pictures.xmp import MAX_XMP_BYTES, read_xmp
from store.ingest.metadata import MetadataRefresh, OutdatedContent, ParsedSidecar, PendingSidecar
from store.library import Writer
from store.near_duplicates.hashes import PerceptualHash, UnhashedContent, record_hashes, unhashed_contents
from store.roots import RootLocation

__all__ = ["backfill_hashes", "refresh_metadata"]


def refresh_metadata(refresh: MetadataRefresh, root: Path, workers: int) -> int:
    """Read outdated headers and changed sidecars beneath `root`; return the number of files that were read.

    Files that cannot be read now are left for the next run.
    """
    refresh.remove_vanished_sidecars()
    updated = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="sightline-headers") as pool:
        for contents in refresh.outdated_contents():
            headers = zip(contents, pool.map(partial(_read_outdated, root), contents), strict=True)
            metadata = {content.content_id: header for content, header in headers if header is not None}
            refresh.update_contents(metadata)
            updated += len(metadata)
        for pending in refresh.changed_sidecars():
            parsed = zip(pending, pool.map(partial(_read_sidecar, root), pending), strict=True)
            sidecars = {sidecar.picture_id: content for sidecar, content in parsed if content is not None}
            refresh.update_sidecars(sidecars)
            updated += len(sidecars)
    return updated


def backfill_hashes(writer: Writer, location: RootLocation, settings: DecodeSettings, workers: int) -> int:
    """Compute the hash of every content at `location` that has none of this version; return how many were computed.

    Files whose bytes have changed since they were indexed are left for the next run.
    """
    computed = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="sightline-hashes") as pool:
        for contents in unhashed_contents(writer.library, location, HASH_VERSION):
            results = zip(contents, pool.map(partial(_hash, location.root, settings), contents), strict=True)
            hashes = {content.content_id: result for content, result in results if result is not None}
            record_hashes(writer, hashes)
            computed += len(hashes)
    return computed


def _read_outdated(root: Path, content: OutdatedContent) -> PhotoMetadata | None:
    """Return the metadata of the file, or None if it cannot be read or is no longer the file in the catalogue."""
    try:
        with (root / os.fsdecode(content.relpath)).open("rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_size, modified_ns(status)) != (content.size, content.mtime_ns):
                return None
            return read_header(file)
    except (OSError, PictureError):
        return None


def _read_sidecar(root: Path, sidecar: PendingSidecar) -> ParsedSidecar | None:
    """Return the sidecar's metadata, which is empty if it is not valid XMP, or None if it cannot be read now."""
    try:
        with (root / os.fsdecode(sidecar.relpath)).open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(MAX_XMP_BYTES + 1)
    except OSError:
        return None
    try:
        metadata = read_xmp(data)
    except PictureError:
        metadata = PhotoMetadata()
    return ParsedSidecar(sidecar.relpath, status.st_size, modified_ns(status), metadata)


def _hash(root: Path, settings: DecodeSettings, content: UnhashedContent) -> PerceptualHash | None:
    """Return the hash of a content, or None if its file is gone, cannot be read now, or has other bytes."""
    try:
        data = (root / os.fsdecode(content.relpath)).read_bytes()
        if hashlib.sha256(data).digest() != content.digest:
            return None
        frame, decoded = next(decode_frames(data, settings, shortest_side=HASH_INPUT_SIDE))
        return PerceptualHash(HASH_VERSION, hash_first_frame(decoded.image, frame))
    except OSError:
        return None
    except PictureError as exc:
        return None if exc.transient else PerceptualHash(HASH_VERSION, None)
