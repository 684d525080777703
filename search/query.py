"""Queries: weighted texts and pictures. `search.query_embedding` turns a query into one vector."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors import EmptyQuery, InvalidQuery
from core.frames import FIRST_FRAME
from search.query_image import Crop
from search.query_kind import text_kind
from search.relevance import Kind
from store.catalog.frame_ids import MAX_FRAMES

__all__ = [
    "NEGATIVE_SHARE",
    "ImageInput",
    "Part",
    "Query",
    "QueryInput",
    "StoredInput",
    "TextInput",
    "VectorInput",
    "negative_parts",
]

NEGATIVE_SHARE = 0.5
"""The weight of all negative parts together, relative to the positive ones. With 1, a negative part that is similar to
the query would cancel the query out."""

MAX_TEXT_LENGTH = 100_000
"""Characters. A longer text is a mistake, such as the content of a file in place of its name."""
MAX_PARTS = 1_000
MIN_WEIGHT, MAX_WEIGHT = 1e-6, 1e6

_BARE = re.compile(r"[^\W\d_][\w' ,.!?’،。，？！]*", re.UNICODE)
"""Text that the query language reads as plain text without quotation marks."""


@dataclass(frozen=True)
class TextInput:
    """A text, in any language that the model supports."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidQuery("The text is empty.")
        if len(self.text) > MAX_TEXT_LENGTH:
            raise InvalidQuery(f"The text has {len(self.text):,} characters. The maximum is {MAX_TEXT_LENGTH:,}.")
        if "\0" in self.text or any("\ud800" <= char <= "\udfff" for char in self.text):
            raise InvalidQuery("The text contains bytes that are not valid text.")

    def __str__(self) -> str:
        if _BARE.fullmatch(self.text) and self.text == " ".join(self.text.split()):
            return self.text
        return _quoted(self.text, escape_path=True)

    @property
    def title(self) -> str:
        """A short name for display."""
        return self.text


@dataclass(frozen=True)
class ImageInput:
    """A picture file, or the region `crop` of it. Of a file with several frames, it is the one with number `frame`."""

    path: Path
    crop: Crop | None = None
    frame: int = FIRST_FRAME

    def __post_init__(self) -> None:
        if "\0" in str(self.path):
            raise InvalidQuery("The name of the picture contains a NUL byte.")
        _check_frame(self.frame)

    def __str__(self) -> str:
        path = str(self.path)
        path = path if path.startswith(("/", "./", "../")) else f"./{path}"
        return _quoted(path) + _frame_suffix(self.frame) + (f"[{self.crop}]" if self.crop else "")

    @property
    def title(self) -> str:
        """The file name."""
        return self.path.name


@dataclass(frozen=True)
class StoredInput:
    """A picture of the library, by its content ID. The stored vector of its frame `frame` is used."""

    id: int
    frame: int = FIRST_FRAME

    def __post_init__(self) -> None:
        _check_frame(self.frame)

    def __str__(self) -> str:
        return f"like:{self.id}{_frame_suffix(self.frame)}"

    title = property(__str__)


@dataclass(frozen=True)
class VectorInput:
    """A vector of D numbers, from the model of the library's vectors. The query language cannot express it."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.values)) or not any(self.values):
            raise InvalidQuery("A query vector must contain finite numbers that are not all zero.")

    def __str__(self) -> str:
        return f"(a vector of {len(self.values)} numbers)"

    title = property(__str__)


QueryInput: TypeAlias = TextInput | ImageInput | StoredInput | VectorInput


@dataclass(frozen=True)
class Part:
    """One input of a query and its weight. A negative weight moves the query away from the input."""

    source: QueryInput
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or not MIN_WEIGHT <= abs(self.weight) <= MAX_WEIGHT:
            raise InvalidQuery(
                f"The weight {self.weight:g} is out of range. Use a weight between 0.000001 and 1,000,000."
            )


@dataclass(frozen=True)
class Query:
    """A query of one or more parts. Its vector is the weighted sum of the parts' unit vectors, at unit length.

    Embedding models do not understand negation, so negative parts are subtracted. `str` writes a query in the query
    language (`search.query_language`). Raises `EmptyQuery` without a positive part.
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not any(part.weight > 0 for part in self.parts):
            raise EmptyQuery(has_negative_parts=bool(self.parts))
        if len(self.parts) > MAX_PARTS:
            raise InvalidQuery(f"The query has {len(self.parts):,} parts. The maximum is {MAX_PARTS:,}.")

    @classmethod
    def of(
        cls,
        texts: str | Iterable[str] = (),
        images: Path | str | Iterable[Path | str] = (),
        without: str | Iterable[str] = (),
    ) -> "Query":
        """Build a query from equally weighted texts and images, minus the texts `without`.

        The texts `without` together weigh half as much as the others. A single item needs no list. Texts are plain:
        they contain no operators and no filters.
        """
        texts = [texts] if isinstance(texts, str) else texts
        images = [images] if isinstance(images, (Path, str)) else images
        without = [without] if isinstance(without, str) else without
        positive = [Part(TextInput(text)) for text in texts] + [Part(ImageInput(Path(image))) for image in images]
        return cls((*positive, *negative_parts(positive, [TextInput(text) for text in without])))

    @property
    def positive_parts(self) -> tuple[Part, ...]:
        """The parts with a positive weight."""
        return tuple(part for part in self.parts if part.weight > 0)

    @property
    def kind(self) -> Kind | None:
        """The kind by which its hits are judged; None if they are not.

        Only queries of a single text or a single whole picture are judged: with several texts or texts to avoid,
        verdicts are too often wrong (docs/relevance.md).
        """
        if len(self.parts) > 1:
            return None
        source = self.parts[0].source
        if isinstance(source, TextInput):
            return text_kind(source.text)
        return "picture" if _is_whole_picture(source) else None

    @property
    def title(self) -> str:
        """A short name for display, with file names and without weights."""
        names = [f"{'+' if part.weight > 0 else '-'} {part.source.title}" for part in self.parts]
        return " ".join(names).removeprefix("+ ")

    def __str__(self) -> str:
        is_even = _is_even(self.parts)
        terms = [_term(part, weighs=part.weight < 0 and not is_even) for part in self.parts]
        return " ".join(terms).removeprefix("+ ")


def negative_parts(positive: Sequence[Part], sources: Sequence[QueryInput]) -> list[Part]:
    """Return `sources` as negative parts, which together weigh `NEGATIVE_SHARE` of the `positive` parts."""
    if not sources:
        return []
    share = _share(positive, len(sources))
    if not share:
        raise EmptyQuery(has_negative_parts=True)
    return [Part(source, -share) for source in sources]


def _share(parts: Sequence[Part], number: int) -> float:
    """Return the default weight of each of `number` negative parts."""
    return NEGATIVE_SHARE * math.fsum(part.weight for part in parts if part.weight > 0) / number


def _is_even(parts: Sequence[Part]) -> bool:
    """Whether all negative parts have the default weight."""
    negative = [part.weight for part in parts if part.weight < 0]
    return not negative or set(negative) == {-_share(parts, len(negative))}


def _is_whole_picture(source: QueryInput) -> bool:
    return isinstance(source, StoredInput) or (isinstance(source, ImageInput) and source.crop is None)


def _term(part: Part, *, weighs: bool) -> str:
    """Write a part in the query language. A negative part is written with its weight only if `weighs` is set."""
    shown = abs(part.weight)
    weight = f"{shown!r}:".replace(".0:", ":") if weighs or (part.weight > 0 and shown != 1) else ""
    source = str(part.source)
    # A dash is an operator only next to a marked part, such as a quoted text; between bare words, it is text.
    if isinstance(part.source, TextInput) and (weight or part.weight < 0) and not source.startswith('"'):
        source = _quoted(part.source.text, escape_path=True)
    return f"{'+' if part.weight > 0 else '-'} {weight}{source}"


def _check_frame(frame: int) -> None:
    """Raise `InvalidQuery` for a number that no frame has. Numbers are from 0; people count from 1."""
    if not 0 <= frame < MAX_FRAMES:
        raise InvalidQuery(f"There is no frame {frame + 1}. Frames are counted from 1.")


def _frame_suffix(frame: int) -> str:
    """Write a frame after the first in the query language, which counts from 1."""
    return "" if frame == FIRST_FRAME else f"#{frame + 1}"


def _quoted(text: str, *, escape_path: bool = False) -> str:
    """Put `text` in quotation marks, with a backslash before a text that looks like a path."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"\\{inside}"' if escape_path and inside.startswith((".", "/", "~")) else f'"{inside}"'
