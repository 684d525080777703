"""A picture that is a query: from a file the user names to pixels."""

from pathlib import Path

from PIL import Image

from pictures.decode import decode
from sightline.errors import InvalidQuery, PictureError

__all__ = ["open_picture"]


def open_picture(path: Path, shortest_side: int) -> Image.Image:
    """The picture at `path`, upright and in sRGB, at least about as large as a model of `shortest_side` pixels needs.

    Raises `InvalidQuery` when it cannot be read or decoded.
    """
    try:
        return decode(path.read_bytes(), shortest_side=shortest_side).image
    except OSError as exc:
        raise InvalidQuery(f"{path}: {exc.strerror or exc}") from exc
    except PictureError as exc:
        raise InvalidQuery(f"{path}: {exc.detail}") from exc
