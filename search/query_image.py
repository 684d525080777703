"""A picture that is a query: from a file the user names to pixels."""

from pathlib import Path

from PIL import Image

from core.errors import InvalidQuery, PictureError
from pictures.decode import decode
from search.crop import Crop

__all__ = ["open_picture"]

LARGEST = 1 << 30
"""Bytes of a file. `/dev/zero` never ends; a pipe may be a picture."""


def open_picture(path: Path, shortest_side: int, crop: Crop | None = None) -> Image.Image:
    """The picture at `path`, or a region of it, upright and in sRGB, about as large as `shortest_side` pixels need.

    Raises `InvalidQuery` when it cannot be read or decoded, or the region lies outside.
    """
    try:
        # A region is taken from the full picture: little may be left of it at reduced scale.
        decoded = decode(_read(path), shortest_side=None if crop else shortest_side)
    except OSError as exc:
        raise InvalidQuery(f"{path}: {exc.strerror or exc}") from exc
    except PictureError as exc:
        raise InvalidQuery(f"{path}: {exc.detail}") from exc
    return crop.of(decoded.image, (decoded.width, decoded.height)) if crop else decoded.image


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InvalidQuery(f"{path}: {LARGEST >> 30} GiB and more are no picture")
    return data
