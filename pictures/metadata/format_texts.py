"""Read what formats keep outside of EXIF, XMP and IPTC: texts of PNG, comments of GIF and JPEG, and blocks of metadata
in places that the format does not define.

ImageMagick stores EXIF, XMP and IPTC in text chunks of a PNG, in hexadecimal: `Raw profile type exif`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import ImageFile

from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, DateSource, PhotoMetadata
from pictures.metadata.boilerplate import meaningful
from pictures.metadata.dates import parse_date, parse_mail_date
from pictures.metadata.iptc import IPTC_RESOURCE, photoshop_resources

__all__ = ["extended_xmp", "gif_xmp", "raw_profile", "raw_profiles", "read_format_texts"]

_PROFILE = "Raw profile type "
_PROFILE_HEAD = re.compile(r"\s*\S+\s+[0-9]+\s+")
_XMP_PREFIX, _EXIF_PREFIX = b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0"

_MAX_PROFILE = 64 * 1024 * 1024
"""Characters of a profile that are decoded."""

_GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
_GIF_TRAILER = b"\x01\xff\xfe\xfd"
"""The 258 bytes after the packet, by which readers that know no XMP skip it, begin so (XMP specification, part 3)."""

_MAX_GIF_BYTES = 256 * 1024 * 1024

_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_GUID_BYTES = 32


def read_format_texts(info: Mapping[Any, Any]) -> PhotoMetadata:
    """Return title, description and date of the texts in `info`, as Pillow names them: of a PNG, a GIF or a JPEG."""
    description = next(filter(None, (_text(info.get(key)) for key in ("Description", "Comment", "comment"))), None)
    title = _text(info.get("Title"))
    created = (_text(info.get("Creation Time")) or "")[:100]
    moment = parse_date(created) or parse_mail_date(created)
    return PhotoMetadata(
        taken_at=moment and moment.taken_at,
        utc_offset=moment and moment.utc_offset,
        date_source=DateSource.ORIGINAL if moment else None,
        title=title and title[:MAX_TITLE_LENGTH],
        description=description and description[:MAX_DESCRIPTION_LENGTH],
    )


def raw_profiles(info: Mapping[Any, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the blocks that ImageMagick stored in the texts of a PNG: `exif`, `xmp` or `iptc`, and the bytes."""
    for name in ("exif", "APP1", "app1", "xmp", "iptc", "8bim"):
        text = info.get(_PROFILE + name)
        data = raw_profile(text) if isinstance(text, str) else None
        if not data:
            continue
        if data.startswith(_XMP_PREFIX) or name == "xmp":
            yield "xmp", data.removeprefix(_XMP_PREFIX)
        elif name in ("iptc", "8bim"):
            resources = [content for resource, content in photoshop_resources(data) if resource == IPTC_RESOURCE]
            yield "iptc", resources[0] if resources else data
        elif name == "exif" or data.startswith(_EXIF_PREFIX):
            yield "exif", data


def raw_profile(text: str) -> bytes | None:
    """Return the bytes of a profile in the form of ImageMagick: its name, its length, and hexadecimal digits."""
    head = _PROFILE_HEAD.match(text[:200])
    if head is None or len(text) > _MAX_PROFILE:
        return None
    try:
        return bytes.fromhex(text[head.end() :])
    except ValueError:
        return None


def gif_xmp(image: ImageFile.ImageFile) -> bytes | None:
    """Return the XMP packet of a GIF, wherever it is in the file. Pillow reads only what precedes the first frame."""
    file = image.fp
    if file is None:
        return None
    place = file.tell()
    file.seek(0)
    data = file.read(_MAX_GIF_BYTES)
    file.seek(place)
    start = data.find(_GIF_XMP)
    end = data.find(_GIF_TRAILER, start)
    return data[start + len(_GIF_XMP) : end] if 0 <= start < end else None


def extended_xmp(image: ImageFile.ImageFile) -> bytes | None:
    """Return the part of a JPEG's XMP that did not fit into one segment (XMP specification, part 3, 1.1.3.1)."""
    parts: dict[int, bytes] = {}
    for name, segment in getattr(image, "applist", ()):
        if name == "APP1" and segment.startswith(_EXTENSION):
            start = len(_EXTENSION) + _GUID_BYTES
            parts[int.from_bytes(segment[start + 4 : start + 8])] = segment[start + 8 :]
    if not parts:
        return None
    whole = b"".join(parts[offset] for offset in sorted(parts))
    return whole if len(whole) == max(parts) + len(parts[max(parts)]) else None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
    elif isinstance(value, str):
        text = value
    else:
        return None
    return meaningful(text.replace("\0", " ").strip() or None)
