"""The interface of every text recogniser (OCR): a picture in, lines of text out.

A subclass implements one pass over a picture. The base class guarantees that lines have text, confidences within 0..1
and corners within the picture.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from PIL import Image

from core.errors import ExtraMissing, ModelUnavailable, UnknownModel
from core.plugins import PluginTable
from core.text_lines import Corners, TextLine

__all__ = ["DEFAULT_RECOGNIZER", "RECOGNIZERS", "TextRecognizer", "load_recognizer", "recognizer_is_installed"]

DEFAULT_RECOGNIZER = "rapidocr"

MAX_LINES = 5_000
"""Lines kept of one picture: a page of a newspaper has about a thousand."""

MAX_TILE_ASPECT = 2.0
"""Pictures up to this ratio of their sides are read as a whole, others in tiles of this ratio."""

TILE_OVERLAP = 0.2
"""Share of a tile that the next one has too, so that few lines are cut."""


class TextRecognizer(ABC):
    """Reads the text in pictures.

    Creating one is cheap, and it can be pickled until it is used first: weights are loaded for the first picture.
    """

    runs_native_code = True
    """Whether it may crash the process that it runs in. It then gets one of its own."""

    def __init__(self, *, name: str, version: str, max_side: int) -> None:
        self.name = name
        self.version = version
        """Changes with everything that can change what is read; pictures are then read again."""
        self.max_side = max_side
        """Pictures are reduced to this longest side, in pixels, before they are read."""

    @abstractmethod
    def find_lines(self, image: Image.Image) -> Sequence[TextLine]:
        """Return the lines of text in `image` (RGB, upright), in reading order. It may raise anything."""

    def read(self, image: Image.Image) -> tuple[TextLine, ...]:
        """Return the lines of text in `image` (upright, sRGB) of any size, in reading order.

        A picture that is much longer than wide, such as a panorama or a screenshot of a whole page, is read in parts.
        """
        lines: list[TextLine] = []
        for tile in _tiles(image.size, max(round(MAX_TILE_ASPECT * min(image.size)), self.max_side)):
            part = image.crop(tile.box)
            part.thumbnail((self.max_side, self.max_side), Image.Resampling.LANCZOS)
            found = (_placed(line, tile.box, image.size) for line in _checked(self.find_lines(part)))
            lines += [line for line in found if tile.owns(line, image.size)]
        return tuple(lines[:MAX_LINES])


@dataclass(frozen=True)
class _Tile:
    """A part of a picture. `box` overlaps with its neighbours; a line belongs to the tile that owns its middle."""

    box: tuple[int, int, int, int]
    owned: tuple[float, float]
    """From and to, along the longer side, in pixels."""

    def owns(self, line: TextLine, size: tuple[int, int]) -> bool:
        first = 0 if size[0] >= size[1] else 1
        middle = sum(line.corners[first::2]) / 4 * max(size)
        return self.owned[0] <= middle < self.owned[1]


def _tiles(size: tuple[int, int], length: int) -> Iterator[_Tile]:
    """Cut a picture along its longer side into tiles of at most `length`, if it is longer than that."""
    (width, height), whole = size, max(size)
    count = max(1, math.ceil((whole - TILE_OVERLAP * length) / ((1 - TILE_OVERLAP) * length)))
    step = (whole - length) / max(count - 1, 1)
    starts = [round(number * step) for number in range(count)] if count > 1 else [0]
    edges = [-math.inf, *((start + length + following) / 2 for start, following in pairwise(starts)), math.inf]
    for start, owned in zip(starts, pairwise(edges), strict=True):
        end = min(start + length, whole)
        yield _Tile((start, 0, end, height) if width >= height else (0, start, width, end), owned)


def _placed(line: TextLine, box: tuple[int, int, int, int], size: tuple[int, int]) -> TextLine:
    """Return a line of a part with corners in the whole picture."""
    left, top, right, bottom = box
    corners = [
        (left + share * (right - left)) / size[0] if axis == 0 else (top + share * (bottom - top)) / size[1]
        for axis, share in zip((0, 1) * 4, line.corners, strict=True)
    ]
    return TextLine(line.text, line.confidence, cast("Corners", tuple(corners)))


def _checked(lines: Sequence[TextLine]) -> Iterator[TextLine]:
    """Yield the lines with text and finite numbers, which are limited to 0..1."""
    for line in lines:
        numbers = (line.confidence, *line.corners)
        if line.text.strip() and len(line.corners) == 8 and all(map(math.isfinite, numbers)):
            confidence, *corners = (min(max(number, 0.0), 1.0) for number in numbers)
            yield TextLine(line.text, confidence, cast("Corners", tuple(corners)))


RECOGNIZERS: PluginTable[type[TextRecognizer]] = PluginTable(
    "sightline.text_recognizers",
    {DEFAULT_RECOGNIZER: "encoders.rapidocr_recognizer:RapidOCRRecognizer"},
    lambda loaded: isinstance(loaded, type) and issubclass(loaded, TextRecognizer),
)
"""Classes of recognisers by name; each is called without arguments."""


def load_recognizer(name: str = DEFAULT_RECOGNIZER) -> TextRecognizer:
    """Return the recogniser called `name`.

    Raises `UnknownModel`, `PluginError`, `ExtraMissing` if its packages are not installed, and `ModelUnavailable` if
    files of its models are missing.
    """
    recognizer = RECOGNIZERS.get(name)
    if recognizer is None:
        raise UnknownModel(name, RECOGNIZERS.names())
    return recognizer()  # type: ignore[call-arg]  # subclasses set the arguments


def recognizer_is_installed() -> bool:
    """Return whether the default recogniser can be loaded."""
    try:
        load_recognizer()
    except (ExtraMissing, ModelUnavailable):
        return False
    return True
