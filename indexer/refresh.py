"""Update pictures that are in the library already, without embedding them again: metadata of sidecars that changed,
metadata of headers that an older version read, and perceptual hashes and average colours that an older version did not
compute.

Each page of files is one transaction, so that the run after an interrupted one continues where that stopped. Files are
read while no lock but that of the root is held.
"""

import os
from functools import partial
from pathlib import Path, PurePath

from core.errors import PictureError
from core.metadata import PhotoMetadata
from core.root_files import open_file, status_of
from indexer.page_readers import page_readers
from indexer.summary import Progress
from pictures.average_color import average_color
from pictures.decode import DecodeSettings, decode_frames, read_header
from pictures.metadata.file_name_dates import metadata_of_name
from pictures.metadata.sidecar_files import MAX_SIDECAR_BYTES, picture_orientation, read_sidecars
from pictures.perceptual_hash import HASH_INPUT_SIDE, HASH_VERSION
from pictures.reading import hash_first_frame
from pictures.sources import open_source
from store.colors import record_colors
from store.ingest.metadata import MetadataRefresh, OutdatedContent, ParsedSidecars, PendingSidecars
from store.ingest.scanned_files import SidecarFile
from store.ingest.sidecar_facts import merge_facts
from store.library import Library
from store.near_duplicates.hashes import PerceptualHash, UnhashedContent, record_hashes, unhashed_contents
from store.roots import RootLocation

__all__ = ["backfill_hashes", "refresh_metadata"]

GREY = 0x808080
"""The colour of a picture that cannot be decoded any more, so that later runs do not try again."""


def refresh_metadata(
    library: Library, refresh: MetadataRefresh, root: Path, workers: int, progress: Progress | None = None
) -> int:
    """Read outdated headers and changed sidecars beneath `root`; return the number of pictures with new metadata.

    Files that cannot be read now are left for the next run, and their pictures keep their metadata.
    """
    progress = progress or Progress()
    lock = partial(library.exclusive, progress.waiting, progress.check)
    with lock():
        refresh.remove_vanished_sidecars()
        refresh.forget_other_contents()
    updated, counted = 0, set[int]()
    with page_readers(workers, "sightline-headers") as readers:
        for pending in refresh.changed_sidecars():
            progress.check()
            parsed = readers.read(partial(_read_sidecars, root), pending)
            sidecars = {sidecar.picture_id: content for sidecar, content in parsed if content is not None}
            with lock():
                counted |= refresh.update_sidecars(sidecars)
            updated += len(sidecars)
        for contents in refresh.outdated_contents():
            progress.check()
            read = readers.read(partial(_read_outdated, root), contents)
            headers = {content.content_id: header for content, header in read if header is not None}
            with lock():
                # Other runs may have changed the sidecars of copies since the page was read.
                current = [each for each in refresh.still_outdated(contents) if each.content_id in headers]
                metadata = {each.content_id: _merged(headers[each.content_id], each) for each in current}
                refresh.update_contents(metadata)
            updated += len(metadata.keys() - counted)
    return updated


def backfill_hashes(
    library: Library, location: RootLocation, settings: DecodeSettings, workers: int, progress: Progress | None = None
) -> int:
    """Compute the hash and the average colour of every content at `location` that lacks one; return their number.

    Files whose bytes have changed since they were indexed are left for the next run.
    """
    computed, progress = 0, progress or Progress()
    with page_readers(workers, "sightline-hashes") as readers:
        for contents in unhashed_contents(library, location, HASH_VERSION):
            results = readers.read(partial(_hash, location.root, settings), contents)
            found = {content.content_id: result for content, result in results if result is not None}
            progress.check()
            with library.exclusive(progress.waiting, progress.check) as writer:
                record_hashes(writer, {id_: hashed for id_, (hashed, _) in found.items() if hashed is not None})
                record_colors(writer, {content_id: color for content_id, (_, color) in found.items()})
            computed += len(found)
    return computed


def _read_outdated(root: Path, content: OutdatedContent) -> PhotoMetadata | None:
    """Return the metadata of the file; None if it cannot be read or is no longer that in the catalogue."""
    try:
        with open_file(root / os.fsdecode(content.relpath)) as file:
            status = status_of(file)
            if (status.size, status.mtime_ns) != (content.size, content.mtime_ns):
                return None
            return read_header(file)
    except (OSError, PictureError):
        return None


def _merged(header: PhotoMetadata, content: OutdatedContent) -> PhotoMetadata:
    """Return the metadata of a file, the sidecars of its copies, and the name of the first one."""
    return merge_facts(header, content.sidecars, metadata_of_name(PurePath(os.fsdecode(content.first_relpath)).name))


def _read_sidecars(root: Path, pending: PendingSidecars) -> ParsedSidecars | None:
    """Return the metadata in the sidecars of a picture, or None if one of them cannot be read now."""
    files, contents = list[SidecarFile](), list[tuple[bytes, bytes]]()
    for sidecar in pending.files:
        try:
            with open_file(root / os.fsdecode(sidecar.relpath)) as file:
                status = status_of(file)
                data = file.read(MAX_SIDECAR_BYTES + 1)
        except OSError:
            return None
        files.append(SidecarFile.of(sidecar.relpath, status))
        contents.append((sidecar.relpath, data))
    path = root / os.fsdecode(pending.relpath)
    metadata = read_sidecars(contents, lambda: picture_orientation(path), path.name)
    return ParsedSidecars(tuple(files), metadata.xmp, metadata.takeout)


def _hash(root: Path, settings: DecodeSettings, content: UnhashedContent) -> tuple[PerceptualHash | None, int] | None:
    """Return hash and average colour of a content, or None if its file is gone, cannot be read now, or has changed.

    The hash is None if the known one stays.
    """
    try:
        with open_source(root / os.fsdecode(content.relpath)) as source:
            if source.digest() != content.digest:
                return None
            frame, decoded = next(decode_frames(source.data, settings, shortest_side=HASH_INPUT_SIDE))
            hashed = PerceptualHash(HASH_VERSION, hash_first_frame(decoded.image, frame))
            return hashed, average_color(decoded.image)
    except OSError:
        return None
    except PictureError as exc:
        # It may be readable with other settings, such as a higher limit of pixels: a hash that is known stays.
        if source.failure is not None:
            return None
        return None if exc.transient else (None if content.has_hash else PerceptualHash(HASH_VERSION, None), GREY)
