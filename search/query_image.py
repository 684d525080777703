"""Pictures as queries: a region of a picture, its pixels, or its vector if the library already contains it."""

import hashlib
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.errors import InvalidQuery, PictureError
from core.files import absolute
from core.frames import FIRST_FRAME
from core.object_paths import object_path
from core.root_files import open_file
from store.catalog.frame_ids import frame_id
from store.library import Library
from store.spaces.embeddings import StoredVector, find_document_vector, find_file_vector, load_vector
from store.spaces.registry import StoredSpace

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Crop", "find_stored_vector", "open_query_image"]

MAX_FILE_BYTES = 1 << 30
"""A limit, because a named pipe is allowed and `/dev/zero` never ends."""

_LENGTH = r"\s*(\d+(?:\.\d+)?(?:e[-+]?\d+)?)(%?)\s*"
_BOX = re.compile(",".join([_LENGTH] * 4))


@dataclass(frozen=True)
class Crop:
    """A region of a picture: a box of `width` by `height` whose upper left corner is (`x`, `y`).

    All four are pixels of the upright picture, or all are a `percent` of its width and height. The part of a box that
    reaches over the right or lower edge is ignored. Raises `InvalidQuery` for a box without area or a negative corner.
    """

    x: float
    y: float
    width: float
    height: float
    percent: bool = False

    def __post_init__(self) -> None:
        sides = (self.x, self.y, self.width, self.height)
        if not all(math.isfinite(side) and side >= 0 for side in sides) or not (self.width and self.height):
            raise InvalidQuery(f"The region {self} has no area. x and y must be 0 or more, width and height above 0.")

    @classmethod
    def parse(cls, text: str) -> "Crop":
        """Parse `x,y,width,height` in pixels, or each with a percent sign. Raises `InvalidQuery`."""
        match = _BOX.fullmatch(text)
        signs = set(match.groups()[1::2]) if match else set()
        if match is None or len(signs) != 1:
            raise InvalidQuery(
                f"Invalid region {text!r}. Use x,y,width,height in pixels, or in percent as 25%,0%,50%,100%."
            )
        x, y, width, height = map(float, match.groups()[::2])
        return cls(x, y, width, height, percent=signs == {"%"})

    def apply(self, image: "Image.Image", full_size: tuple[int, int]) -> "Image.Image":
        """Return the region of `image`, which may be a smaller version of a picture of `full_size` (width, height).

        Raises `InvalidQuery` if the region lies outside the picture.
        """
        width, height = (100, 100) if self.percent else full_size
        scale_x, scale_y = image.width / width, image.height / height
        if self.x >= width or self.y >= height:
            raise InvalidQuery(f"The region {self} lies outside the picture of {full_size[0]}x{full_size[1]} pixels.")
        left, top = int(self.x * scale_x), int(self.y * scale_y)
        right = min(round((self.x + self.width) * scale_x), image.width)
        bottom = min(round((self.y + self.height) * scale_y), image.height)
        return image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))

    def __str__(self) -> str:
        sides = (self.x, self.y, self.width, self.height)
        return ",".join(f"{repr(side).removesuffix('.0')}{'%' if self.percent else ''}" for side in sides)


def open_query_image(
    path: Path, shortest_side: int, crop: Crop | None = None, frame: int = FIRST_FRAME
) -> "Image.Image":
    """Open a frame of the picture at `path`, or a region of it, upright and in sRGB, at about `shortest_side` pixels.

    Raises `InvalidQuery` if it cannot be read or decoded, or if there is no such frame or region.
    """
    from pictures.decode import decode  # text queries start without the code that decodes pictures

    try:
        with _open(path) as data:
            # A region is cut from the full picture: at reduced scale, few pixels of it may be left.
            decoded = decode(data, shortest_side=None if crop else shortest_side, frame=frame)
    except IsADirectoryError as exc:
        raise InvalidQuery(f"{path} is a folder, not a picture. Name one of its pictures.") from exc
    except OSError as exc:
        raise InvalidQuery(f"{path}: {exc.strerror or exc}") from exc
    except PictureError as exc:
        raise InvalidQuery(f"{path}: {exc.detail}") from exc
    return crop.apply(decoded.image, (decoded.info.width, decoded.info.height)) if crop else decoded.image


def find_stored_vector(
    library: Library, space: StoredSpace, image: Path | str, frame: int = FIRST_FRAME
) -> StoredVector | None:
    """Find `image` in the library: as the ID of a document, as a file with the same bytes, or as a document whose ID is
    the absolute path of the file, which is what an import makes of paths outside of the library.

    Returns None if the library has no vector of its frame `frame`. Raises `InvalidQuery` if it is neither a document
    nor readable.
    """
    found = (
        find_document_vector(library, space, os.fsencode(image))
        or _find_file(library, space, object_path(image) or Path(image))
        or find_document_vector(library, space, os.fsencode(absolute(image)))
    )
    if found is None or frame == FIRST_FRAME:
        return found
    vector = load_vector(library, space, frame_id(found.content_id, frame))
    return None if vector is None else StoredVector(found.content_id, vector)


def _find_file(library: Library, space: StoredSpace, image: Path) -> StoredVector | None:
    try:
        if image.exists() and not image.is_file():  # a pipe can be read only once: leave it to the decoder
            return None
        with open_file(image) as file:
            hashed = hashlib.sha256()
            while block := file.read(1 << 20):
                hashed.update(block)
    except (OSError, ValueError) as exc:  # ValueError: a NUL byte in the name
        no_document = ", and there is no document with this ID" if space.space.is_imported else ""
        raise InvalidQuery(f"{image}: {getattr(exc, 'strerror', None) or exc}{no_document}") from exc
    return find_file_vector(library, space, hashed.digest())


@contextmanager
def _open(path: Path) -> Iterator[bytes | BinaryIO]:
    """Open a video, or read a picture, which may come from a pipe."""
    with open_file(path) as file:
        from pictures.sources import open_source

        if not file.seekable():
            data, size = file.read(MAX_FILE_BYTES + 1), 0
        else:
            with open_source(file) as source:
                if not isinstance(source.data, bytes):
                    yield source.data
                    return
                data, size = source.data, source.size
        if max(size, len(data)) > MAX_FILE_BYTES:
            raise InvalidQuery(f"{path}: The file is larger than {MAX_FILE_BYTES >> 30} GiB.")
        yield data
