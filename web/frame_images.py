"""Single frames of picture files at their full size, as PNG."""

import io
from hashlib import sha256
from typing import NamedTuple

from core.errors import PictureError
from pictures.decode import decode
from store.library import Library
from web.errors import NotFound
from web.picture_files import check_frame, open_picture_file, read_picture

__all__ = ["FrameImage", "frame_etag", "render_frame"]

PNG_LEVEL = 1
"""Compression: a page is rarely sent twice, and higher levels take seconds for large ones."""


class FrameImage(NamedTuple):
    """The bytes of an image."""

    data: bytes
    etag: str | None
    """Its permanent entity tag; None when the file has changed since it was indexed."""


def frame_etag(library: Library, content_id: int, frame: int) -> str:
    """Return the entity tag of a frame. Raises `NotFound` and `FrameNotFound`."""
    stored, file = open_picture_file(library, content_id)
    file.close()
    check_frame(library, content_id, frame)
    return _etag(stored.digest, frame)


def render_frame(library: Library, content_id: int, frame: int) -> FrameImage:
    """Decode a frame, and encode it as PNG, upright and in sRGB.

    Raises `FrameNotFound`, and `NotFound` if the picture has no readable file or if it is no longer a picture.
    """
    stored, data = read_picture(library, content_id)
    check_frame(library, content_id, frame)
    try:
        image = decode(data, frame=frame).image
    except PictureError as exc:
        raise NotFound from exc
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=PNG_LEVEL)
    is_unchanged = sha256(data).digest() == stored.digest
    return FrameImage(out.getvalue(), _etag(stored.digest, frame) if is_unchanged else None)


def _etag(digest: bytes, frame: int) -> str:
    return f'"{digest.hex()[:32]}-frame-{frame}"'
