"""Highlights of pictures of the library, with a cache of the last ones."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from PIL import Image

from core.errors import PictureError
from core.frames import FIRST_FRAME
from core.metadata import ImageInfo
from pictures.decode import INDEXED, decode
from search.highlight import Highlight, HighlightEngine, highlight, load_engine
from search.highlight.content_words import content_words
from search.highlight.contours import Polygon, contour_polygons
from search.highlight.highlight import DEFAULT_THRESHOLD
from store.library import Library
from store.spaces.registry import active_space
from web.errors import NotFound
from web.picture_files import frame_seconds, open_picture_source

__all__ = ["MAX_MAP_SIDE", "PictureHighlight", "PictureHighlighter", "PictureWords", "WordHighlight"]

MAX_MAP_SIDE = 1024
"""Longest side of a map in pixels: models use far fewer, and screens show few more."""

MAX_CACHED_HIGHLIGHTS = 16

MAX_WORD_MAP_SIDE = 512
"""The same for the maps of words; a prompt has several of them."""
MAX_CACHED_WORDS = 8
"""Prompts whose words are cached, as contours without maps."""


class PictureHighlight(NamedTuple):
    """A highlight, and the size in pixels of the full picture or frame."""

    highlight: Highlight
    width: int
    height: int


@dataclass(frozen=True)
class WordHighlight:
    """Where a picture shows one word of a prompt on its own."""

    text: str
    start: int
    """Position in the prompt."""
    score: float
    area: float
    contours: list[Polygon]
    peaks: list[tuple[float, float]]
    """As shares of the width and height."""


class PictureWords(NamedTuple):
    """The words of a prompt in a picture, and how they were found."""

    engine: str
    model: str
    threshold: float
    words: list[WordHighlight]


class PictureHighlighter:
    """Highlights pictures of one library, one at a time, since models and maps take memory. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._engine: tuple[str, HighlightEngine] | None = None
        """The fingerprint of the active space, and its engine. Versions of a model share its name."""
        self._highlights: OrderedDict[tuple[int, int, str, str], PictureHighlight] = OrderedDict()
        self._words: OrderedDict[tuple[int, int, str, str], PictureWords] = OrderedDict()
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

    def find_words(self, picture_id: int, prompt: str, frame: int = FIRST_FRAME) -> PictureWords:
        """Return where a frame of the picture shows each word of `prompt` that names something. Raises as `find`."""
        with self._lock:
            fingerprint, engine = self._current_engine()
            key = (picture_id, frame, prompt, fingerprint)
            if key not in self._words:
                words = content_words(prompt)
                image, _ = self._decode(picture_id, frame)
                image.thumbnail((MAX_WORD_MAP_SIDE, MAX_WORD_MAP_SIDE))
                found = highlight(image, [word for _, word in words], engine) if words else []
                self._words[key] = PictureWords(
                    engine.name,
                    engine.model,
                    DEFAULT_THRESHOLD,
                    [_in_shares(start, one) for (start, _), one in zip(words, found, strict=True)],
                )
                while len(self._words) > MAX_CACHED_WORDS:
                    self._words.popitem(last=False)
            return self._words[key]

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
        with open_picture_source(self._library, picture_id) as (_, source):
            seconds = frame_seconds(self._library, picture_id, frame)
            try:
                decoded = decode(source.data, INDEXED, shortest_side=MAX_MAP_SIDE, frame=frame, seconds=seconds)
            except PictureError as exc:
                raise NotFound from exc
        decoded.image.thumbnail((MAX_MAP_SIDE, MAX_MAP_SIDE))
        return decoded.image, decoded.info


def _in_shares(start: int, found: Highlight) -> WordHighlight:
    height, width = found.map.shape
    return WordHighlight(
        found.prompt.title,
        start,
        found.score,
        found.area,
        contour_polygons(found.map, found.threshold, found.mask),
        [((region.peak[0] + 0.5) / width, (region.peak[1] + 0.5) / height) for region in found.regions],
    )
