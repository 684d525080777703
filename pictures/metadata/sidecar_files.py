"""Read the files beside a picture that contain its metadata: XMP sidecars, and the JSON of Google Takeout."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from core.errors import PictureError
from core.metadata import PhotoMetadata, merge_metadata
from core.root_files import open_file
from pictures.metadata.face_regions import Orientation
from pictures.metadata.reading import stored_orientation
from pictures.metadata.takeout import MAX_TAKEOUT_BYTES, read_takeout
from pictures.metadata.xmp import MAX_XMP_BYTES, read_xmp
from pictures.opening import open_picture

__all__ = ["MAX_SIDECAR_BYTES", "SidecarMetadata", "picture_orientation", "read_sidecars"]

CUT_UNITS = 46
"""UTF-16 code units after which Google cuts the names of JSON files."""

MAX_SIDECAR_BYTES = max(MAX_XMP_BYTES, MAX_TAKEOUT_BYTES)
"""Limit on a sidecar file."""


@dataclass(frozen=True)
class SidecarMetadata:
    """What the sidecar files of a picture contain."""

    xmp: PhotoMetadata
    """It outranks what is in the picture."""
    takeout: PhotoMetadata
    """It fills in what the picture lacks."""


def read_sidecars(
    files: Iterable[tuple[bytes, bytes]], orientation: Callable[[], Orientation], picture: str = ""
) -> SidecarMetadata:
    """Return the metadata in sidecar files, given as path and bytes. Damaged files, and others, have none.

    `picture` is the name of the picture: JSON files whose own names are cut can belong to another one. `orientation` is
    called if areas of faces must be turned upright as the picture is.
    """
    packets, records = [], []
    for name, data in files:
        if name.lower().endswith(b".json"):
            stem = PurePath(os.fsdecode(name)).stem
            records.append(_takeout(data, picture if picture and _units(stem) >= CUT_UNITS else None))
        else:
            packets.append(_xmp(data, orientation))
    return SidecarMetadata(merge_metadata(*packets), merge_metadata(*records))


def picture_orientation(path: Path) -> Orientation:
    """Return how the pixels of a picture file are stored; the usual way if it cannot be read."""
    try:
        with open_file(path) as file:
            return stored_orientation(open_picture(file))
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        return Orientation()


def _xmp(data: bytes, orientation: Callable[[], Orientation]) -> PhotoMetadata:
    try:
        metadata = read_xmp(data)
        if any(person.area is not None for person in metadata.people):
            return read_xmp(data, orientation())
    except PictureError:
        return PhotoMetadata()
    return metadata


def _takeout(data: bytes, picture: str | None) -> PhotoMetadata:
    try:
        return read_takeout(data, picture)
    except PictureError:
        return PhotoMetadata()


def _units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)
