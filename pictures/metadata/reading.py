"""Read a file's metadata from all the places that formats keep it in: XMP, IPTC, EXIF and texts of the format.

Each has a module of its own. This one finds their blocks in a file, including those that a PNG stores after its pixels,
and merges them, the most trusted first.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

from core.errors import PictureUndecodable
from core.metadata import PhotoMetadata, merge_metadata
from pictures.metadata.exif import read_exif
from pictures.metadata.face_regions import Orientation
from pictures.metadata.format_texts import extended_xmp, gif_xmp, raw_profiles, read_format_texts
from pictures.metadata.iptc import IPTC_RESOURCE, parse_iptc, photoshop_resources
from pictures.metadata.xmp import MAX_XMP_BYTES, read_xmp
from pictures.moments import MomentsFile
from pictures.raw import RawImageFile

__all__ = ["add_late_chunks", "read_iptc", "read_metadata", "stored_orientation"]

_MAX_CHUNK_BYTES = MAX_XMP_BYTES
"""Limit on a PNG chunk that is read, and on what its compressed text may expand to."""

_MAX_TEXT_BYTES = 1 << 20
"""Limit on a text chunk that is not XMP."""

_XMP_KEYWORD = b"XML:com.adobe.xmp"
_PHOTOSHOP_TAG = 34377


def read_metadata(image: ImageFile.ImageFile) -> PhotoMetadata:
    """Return the metadata of the opened file `image`. Never raises: damaged metadata must not lose the picture.

    For a PNG, only chunks that are in `image.info` already are read. Chunks after the pixels appear there when the
    image is loaded, or with `add_late_chunks`.
    """
    exif = _exif(image)
    orientation = stored_orientation(image)
    profiles = list(raw_profiles(image.info))
    packets = [*_packets(image), *(data for kind, data in profiles if kind == "xmp")]
    records = [data for kind, data in profiles if kind == "iptc"]
    return merge_metadata(
        *(_xmp(packet, orientation) for packet in packets),
        read_iptc(image),
        *map(parse_iptc, records),
        read_exif(exif),
        read_exif(image.preview_exif) if isinstance(image, RawImageFile) else PhotoMetadata(),
        *(read_exif(_loaded_exif(data)) for kind, data in profiles if kind == "exif"),
        read_format_texts(image.info),
        image.facts if isinstance(image, MomentsFile) else PhotoMetadata(),
    )


def read_iptc(image: ImageFile.ImageFile) -> PhotoMetadata:
    """Return the metadata in the IPTC block of a JPEG or TIFF. Never raises: damaged entries are skipped."""
    try:
        data = _iptc_block(image)
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        data = None
    return parse_iptc(data) if isinstance(data, bytes) else PhotoMetadata()


def stored_orientation(image: ImageFile.ImageFile) -> Orientation:
    """Return how the pixels of `image`, which has not been loaded, are stored."""
    # HEIF pictures are turned upright by their decoder, which keeps the value for others.
    value = image.info.get("original_orientation") or _exif(image).get(ExifTags.Base.Orientation)
    return Orientation(value if isinstance(value, int) else 1, image.size)


def add_late_chunks(file: BinaryIO, info: dict[Any, Any]) -> None:
    """Add a PNG's EXIF, XMP and texts to `info`, under Pillow's names, unless present. No pixels are decoded.

    See Portable Network Graphics, third edition, chunks eXIf, tEXt, zTXt and iTXt.
    """
    file.seek(8)  # the signature
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        relevant = kind in (b"eXIf", b"iTXt", b"tEXt", b"zTXt") and length <= _MAX_CHUNK_BYTES
        data = file.read(length) if relevant else b""
        file.seek(length - len(data) + 4, 1)  # the part that was not read, and the checksum
        if kind == b"eXIf" and data:
            info.setdefault("exif", b"Exif\0\0" + data)
        elif relevant and (found := _text_chunk(kind, data)) is not None:
            info.setdefault(*found)


def _exif(image: Image.Image) -> Image.Exif:
    try:
        # For a PNG, Pillow would decode the pixels to look for chunks after them.
        return Image.Image.getexif(image) if image.format == "PNG" else image.getexif()
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        return Image.Exif()


def _loaded_exif(data: bytes) -> Image.Exif:
    exif = Image.Exif()
    try:
        exif.load(data)
    except Exception:  # Pillow raises errors of nearly any type on broken bytes
        return Image.Exif()
    return exif


def _packets(image: ImageFile.ImageFile) -> Iterator[bytes]:
    """Yield the XMP packets of a file."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if packet is None and image.format == "GIF":
        packet = gif_xmp(image)
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if isinstance(data, bytes):
        yield data
    if (extension := extended_xmp(image)) is not None:
        yield extension


def _xmp(packet: bytes, orientation: Orientation) -> PhotoMetadata:
    try:
        return read_xmp(packet, orientation)
    except PictureUndecodable:
        return PhotoMetadata()


def _iptc_block(image: ImageFile.ImageFile) -> object:
    if isinstance(records := image.info.get("iptc"), bytes):
        return records
    resources = image.info.get("photoshop")
    if isinstance(resources, dict):
        return resources.get(IPTC_RESOURCE)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2._tagdata  # the bytes: Photoshop writes them as 4-byte integers
        if (records := tags.get(TiffImagePlugin.IPTC_NAA_CHUNK)) is not None:
            return records
        return dict(photoshop_resources(tags.get(_PHOTOSHOP_TAG, b""))).get(IPTC_RESOURCE)
    return None


def _text_chunk(kind: bytes, data: bytes) -> tuple[str, str | bytes] | None:
    """Return the keyword and the text of a chunk, as Pillow names them, or None if it cannot be read."""
    keyword, _, rest = data.partition(b"\0")
    compressed = kind == b"zTXt"
    if kind == b"iTXt":
        if len(rest) < 2:
            return None
        compressed, rest = bool(rest[0]), rest[2:].split(b"\0", 2)[-1]
    elif compressed:
        rest = rest[1:]  # the method
    if compressed:
        try:
            rest = zlib.decompressobj().decompress(rest, _MAX_CHUNK_BYTES)
        except zlib.error:
            return None
    if keyword == _XMP_KEYWORD:
        return "xmp", rest
    name = keyword.decode("latin-1")
    if len(rest) > _MAX_TEXT_BYTES and not name.startswith("Raw profile"):
        return None
    return name, rest.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")
