"""Where in a picture of the library something is. The engine does the work; this keeps what was just computed."""

from collections import OrderedDict
from threading import Lock

from PIL import Image

from core.errors import EncoderError, PictureError
from pictures.decode import decode
from search.highlight import Highlight, HighlightEngine, highlight, load_engine
from store.library import Library
from store.spaces.registry import active_space
from web.errors import NotThere
from web.files import read_picture

__all__ = ["LARGEST", "Highlighting"]

LARGEST = 1024
"""Longest side, in pixels, of the map: models see far less, and screens hardly more."""

KEPT = 16


class Highlighting:
    """Highlights of one library's pictures, one at a time: a model and a map take memory. Safe between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._engines: dict[str, HighlightEngine] = {}
        self._kept: OrderedDict[tuple[int, str, str], Highlight] = OrderedDict()
        self._lock = Lock()

    def find(self, picture_id: int, prompt: str) -> Highlight:
        """Where the picture shows what `prompt` asks for.

        The map has the picture's shape, its longest side at most `LARGEST`. Raises `NotThere`, and as `highlight` does.
        """
        with self._lock:
            engine = self._engine()
            key = (picture_id, prompt, engine.model)
            if key not in self._kept:
                (self._kept[key],) = highlight(self._shown(picture_id), prompt, engine)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key]

    def _engine(self) -> HighlightEngine:
        """A segmenter where one is installed, else the active model's cells, else those of the built-in model."""
        first = self._loaded("")
        active = active_space(self._library)
        if first.name == "segment" or active is None or active.space.is_imported:
            return first
        try:
            return self._loaded(active.space.model)
        except EncoderError:  # a model without cells, or one that is not here
            return first

    def _loaded(self, model: str) -> HighlightEngine:
        if model not in self._engines:
            self._engines[model] = load_engine("relevance", model=model) if model else load_engine()
        return self._engines[model]

    def _shown(self, picture_id: int) -> Image.Image:
        _, data = read_picture(self._library, picture_id)
        try:
            image = decode(data, shortest_side=LARGEST).image
        except PictureError as exc:
            raise NotThere from exc
        image.thumbnail((LARGEST, LARGEST))
        return image
