"""Highlights of pictures of the library, with a cache of the last ones."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from PIL import Image

from core.errors import PictureError
from core.frames import FIRST_FRAME
from core.metadata import ImageInfo
from pictures.decode import decode
from search.highlight import Highlight, HighlightEngine, highlight, load_engine
from store.library import Library
from store.spaces.registry import active_space
from web.errors import NotFound
from web.picture_files import check_frame, read_picture

__all__ = ["MAX_MAP_SIDE", "PictureHighlight", "PictureHighlighter"]

MAX_MAP_SIDE = 1024
"""Longest side of a map in pixels: models use far fewer, and screens show few more."""

MAX_CACHED_HIGHLIGHTS = 16


class PictureHighlight(NamedTuple):
    """A highlight, and the size in pixels of the full picture or frame."""

    highlight: Highlight
    width: int
    height: int


class PictureHighlighter:
    """Highlights pictures of one library, one at a time, since models and maps take memory. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._engine: tuple[str, HighlightEngine] | None = None
        """The fingerprint of the active space, and its engine. Versions of a model share its name."""
        self._highlights: OrderedDict[tuple[int, int, str, str], PictureHighlight] = OrderedDict()
        self._lock = Lock()

    def find(self, picture_id: int, prompt: str, frame: int = FIRST_FRAME) -> PictureHighlight:
        """Return where a frame of the picture shows what `prompt` describes.

        The map has the shape of the frame, its longest side at most `MAX_MAP_SIDE`. Raises `NotFound`,
        `FrameNotFound`, and what `highlight` raises.
        """
        with self._lock:
            fingerprint, engine = self._current_engine()
            key = (picture_id, frame, prompt, fingerprint)
            if key not in self._highlights:
                image, info = self._decode(picture_id, frame)
                (found,) = highlight(image, prompt, engine)
                self._highlights[key] = PictureHighlight(found, info.width, info.height)
                while len(self._highlights) > MAX_CACHED_HIGHLIGHTS:
                    self._highlights.popitem(last=False)
            return self._highlights[key]

    def _current_engine(self) -> tuple[str, HighlightEngine]:
        """Return a segmentation model if one is installed, else the active or the built-in model's patch features.

        The first value is the fingerprint of the active space.
        """
        active = active_space(self._library)
        fingerprint = "" if active is None else active.space.fingerprint
        if self._engine is None or self._engine[0] != fingerprint:
            self._engine = fingerprint, load_engine(space=None if active is None else active.space)
        return self._engine

    def _decode(self, picture_id: int, frame: int) -> tuple[Image.Image, ImageInfo]:
        """Return a small version of a frame, and a description of the full one."""
        _, data = read_picture(self._library, picture_id)
        check_frame(self._library, picture_id, frame)
        try:
            decoded = decode(data, shortest_side=MAX_MAP_SIDE, frame=frame)
        except PictureError as exc:
            raise NotFound from exc
        decoded.image.thumbnail((MAX_MAP_SIDE, MAX_MAP_SIDE))
        return decoded.image, decoded.info
