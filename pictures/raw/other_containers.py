"""RAW files that are no TIFF files: RAF of Fujifilm, and CR3 of Canon.

Sources: the tables of tags of ExifTool; https://github.com/lclevy/canon_cr3 for the boxes of CR3.
"""

import io
import struct
from typing import BinaryIO

from pictures.boxes import MediaBox, boxes_in, find_box, top_level_boxes
from pictures.raw.contents import JpegPlace, RawContents, exif_of
from pictures.raw.directories import Directory, byte_order, read_directory
from pictures.raw.sections import read_at

__all__ = ["read_cr3", "read_raf"]

MAX_BOX_BYTES = 16 << 20
MAX_TRACKS = 16
MAX_RAF_ENTRIES = 256

_RAF_FULL_SIZE, _RAF_CROPPED_SIZE = 0x100, 0x111
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_WIDTH, _HEIGHT = 256, 257


def read_raf(file: BinaryIO) -> RawContents | None:
    """Return the parts of a RAF file. Its metadata is that of its JPEG."""
    numbers = read_at(file, 84, 24)
    if len(numbers) < 24:
        return None
    jpeg, jpeg_bytes, directory, directory_bytes, sensor, sensor_bytes = struct.unpack(">6I", numbers)
    contents = RawContents("RAF", jpegs=[JpegPlace(jpeg, jpeg + jpeg_bytes)], sensor_end=sensor + sensor_bytes)
    sizes = _raf_sizes(read_at(file, directory, min(directory_bytes, 1 << 16)))
    contents.height, contents.width = sizes.get(_RAF_CROPPED_SIZE) or sizes.get(_RAF_FULL_SIZE) or (0, 0)
    return contents


def _raf_sizes(data: bytes) -> dict[int, tuple[int, int]]:
    """Return the height and width in each entry of a directory that has two numbers."""
    sizes: dict[int, tuple[int, int]] = {}
    if len(data) < 4:
        return sizes
    (count,) = struct.unpack_from(">I", data)
    place = 4
    for _ in range(min(count, MAX_RAF_ENTRIES)):
        if place + 8 > len(data):
            break
        tag, size, first, second = struct.unpack_from(">4H", data, place)
        if size == 4:
            sizes[tag] = first, second
        place += 4 + size
    return sizes


def read_cr3(file: BinaryIO) -> RawContents | None:
    """Return the parts of a CR3 file."""
    contents = RawContents("CR3")
    for box in top_level_boxes(file):
        contents.sensor_end = max(contents.sensor_end, box.end)
        if box.kind == b"moov":
            _read_movie(contents, read_at(file, box.body, min(box.end - box.body, MAX_BOX_BYTES)))
        elif box.kind == b"uuid":
            _read_extension(contents, file, box)
    return contents


def _read_extension(contents: RawContents, file: BinaryIO, box: MediaBox) -> None:
    """Read a top-level box of the type `uuid`: XMP, or the preview of 1620 x 1080 pixels."""
    kind = read_at(file, box.body, 16)
    if kind == _XMP:
        contents.xmp = read_at(file, box.body + 16, min(box.end - box.body - 16, 1 << 20)).rstrip(b"\0 \r\n")
    elif kind == _PREVIEW:
        head = read_at(file, box.body + 24, 24)  # eight bytes, then the box PRVW: its head, then 16 bytes
        if head[4:8] == b"PRVW":
            start = box.body + 24 + 24
            contents.jpegs.append(JpegPlace(start, start + int.from_bytes(head[20:24])))


def _read_movie(contents: RawContents, movie: bytes) -> None:
    """Read the metadata, and the places of the pictures of all tracks. Some are JPEGs."""
    directories: dict[bytes, Directory] = {}
    for box in boxes_in(movie, 0, len(movie)):
        if box.kind == b"uuid" and movie[box.body : box.body + 16] == _CANON:
            for block in boxes_in(movie, box.body + 16, box.end):
                if block.kind in (b"CMT1", b"CMT2", b"CMT4"):
                    directory = _first_directory(movie[block.body : block.end])
                    directories |= {block.kind: directory} if directory is not None else {}
        elif box.kind == b"trak" and len(contents.jpegs) < MAX_TRACKS:
            contents.jpegs += _track_samples(movie, box)
    main = directories.get(b"CMT1")
    if main is not None:
        contents.exif = exif_of(main, directories.get(b"CMT2"), directories.get(b"CMT4"))
        contents.width, contents.height = main.number(_WIDTH), main.number(_HEIGHT)


def _first_directory(data: bytes) -> Directory | None:
    order = byte_order(data)
    return read_directory(io.BytesIO(data), order, int.from_bytes(data[4:8], "big" if order == ">" else "little"))


def _track_samples(movie: bytes, track: MediaBox) -> list[JpegPlace]:
    """Return where the only sample of a track is, whether or not it is a JPEG."""
    table: MediaBox | None = track
    for kind in (b"mdia", b"minf", b"stbl"):
        table = table and find_box(movie, kind, table.body, table.end)
    sizes = table and find_box(movie, b"stsz", table.body, table.end)
    places = table and find_box(movie, b"co64", table.body, table.end)
    if sizes is None or places is None or places.end - places.body < 16 or sizes.end - sizes.body < 12:
        return []
    size = int.from_bytes(movie[sizes.body + 4 : sizes.body + 8])
    if not size:  # not the same for all samples: it is in the table
        size = int.from_bytes(movie[sizes.body + 12 : sizes.body + 16])
    start = int.from_bytes(movie[places.body + 8 : places.body + 16])
    return [JpegPlace(start, start + size)]
