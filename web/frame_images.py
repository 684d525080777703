"""Single frames of picture files at their full size."""

import io
from enum import StrEnum
from typing import NamedTuple

from core.errors import PictureError
from core.pixels_version import PIXELS_VERSION
from pictures.decode import INDEXED, decode
from store.library import Library
from web.errors import NotFound
from web.picture_files import frame_seconds, is_unchanged, open_picture_file, open_picture_source

__all__ = ["FrameEncoding", "FrameImage", "frame_etag", "render_frame"]

PNG_LEVEL = 1
"""Compression: a page is rarely sent twice, and higher levels take seconds for large ones."""

JPEG_QUALITY = 92
MAX_JPEG_SIDE = 65_500
"""Pixels; libjpeg refuses more."""


class FrameEncoding(StrEnum):
    """The formats of frames."""

    PNG = "png"
    JPEG = "jpeg"


class FrameImage(NamedTuple):
    """The bytes of an image."""

    data: bytes
    etag: str | None
    """Its permanent entity tag; None when the file has changed since it was indexed."""


def frame_etag(library: Library, content_id: int, frame: int, encoding: FrameEncoding) -> str:
    """Return the entity tag of a frame. Raises `NotFound` and `FrameNotFound`."""
    stored, file = open_picture_file(library, content_id)
    file.close()
    frame_seconds(library, content_id, frame)  # raises `FrameNotFound`
    return _etag(stored.digest, frame, encoding)


def render_frame(library: Library, content_id: int, frame: int, encoding: FrameEncoding) -> FrameImage:
    """Decode a frame, and encode it, upright and in sRGB.

    Raises `FrameNotFound`, and `NotFound` if the picture has no readable file or if it is no longer a picture, or if it
    is too large for the format.
    """
    with open_picture_source(library, content_id) as (stored, source):
        seconds = frame_seconds(library, content_id, frame)
        try:
            image = decode(source.data, INDEXED, frame=frame, seconds=seconds).image
        except PictureError as exc:
            raise NotFound from exc
        if encoding is FrameEncoding.JPEG and max(image.size) > MAX_JPEG_SIDE:
            raise NotFound
        out = io.BytesIO()
        if encoding is FrameEncoding.JPEG:
            image.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        else:
            image.save(out, "PNG", compress_level=PNG_LEVEL)
        etag = _etag(stored.digest, frame, encoding) if is_unchanged(stored, source) else None
        return FrameImage(out.getvalue(), etag)


def _etag(digest: bytes, frame: int, encoding: FrameEncoding) -> str:
    name = f"{digest.hex()[:32]}-frame-{frame}-v{PIXELS_VERSION}"
    return f'"{name}"' if encoding is FrameEncoding.PNG else f'"{name}-{encoding}"'
