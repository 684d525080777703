"""What a person asks: words and pictures, each with a weight. `search.query_embedding` turns it into one vector."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors import InvalidQuery
from search.calibration import Kind
from search.crop import Crop

__all__ = ["AWAY", "Part", "Picture", "Query", "Source", "Stored", "Text", "Vector", "away"]

AWAY = 0.5
"""What a query wants to stay away from weighs half of what it wants. At 1, a query that shares much with what it turns
away from would turn away from itself."""

LONGEST_TEXT = 100_000
"""Characters of one text; a longer one is a mistake, such as a file in place of its name."""
MOST_PARTS = 1_000

_BARE = re.compile(r"[^\W\d_][\w' ,.!?’،。，？！]*", re.UNICODE)
"""Words that mean themselves in the query language, without quotes."""


@dataclass(frozen=True)
class Text:
    """Words, in any language the model speaks."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidQuery("an empty text matches nothing: give some words")
        if len(self.text) > LONGEST_TEXT:
            raise InvalidQuery(f"a text of {len(self.text):,} characters is no question; {LONGEST_TEXT:,} are the most")
        if "\0" in self.text or any("\ud800" <= char <= "\udfff" for char in self.text):
            raise InvalidQuery("the words hold bytes that are no text")

    def __str__(self) -> str:
        if _BARE.fullmatch(self.text) and self.text == " ".join(self.text.split()):
            return self.text
        return _quoted(self.text, escape_path=True)

    @property
    def title(self) -> str:
        """As people know it."""
        return self.text


@dataclass(frozen=True)
class Picture:
    """A file, or the region `crop` of it."""

    path: Path
    crop: Crop | None = None

    def __post_init__(self) -> None:
        if "\0" in str(self.path):
            raise InvalidQuery("the name of a picture holds a NUL byte")

    def __str__(self) -> str:
        path = str(self.path)
        path = path if path.startswith(("/", "./", "../")) else f"./{path}"
        return _quoted(path) + (f"[{self.crop}]" if self.crop else "")

    @property
    def title(self) -> str:
        """The name of the file."""
        return self.path.name


@dataclass(frozen=True)
class Stored:
    """A picture of the library by its id, which every hit has; its stored vector is used."""

    id: int

    def __str__(self) -> str:
        return f"like:{self.id}"

    title = property(__str__)


@dataclass(frozen=True)
class Vector:
    """D numbers that whatever made the vectors of the library made too. The query language has no words for it."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, self.values)) or not any(self.values):
            raise InvalidQuery(f"a query vector is of {len(self.values)} finite numbers that are not all zero")

    def __str__(self) -> str:
        return f"(a vector of {len(self.values)} numbers)"

    title = property(__str__)


Source: TypeAlias = Text | Picture | Stored | Vector


@dataclass(frozen=True)
class Part:
    """One thing that a query is made of, and how much it counts; below zero the query turns away from it."""

    source: Source
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or not 1e-6 <= abs(self.weight) <= 1e6:
            raise InvalidQuery(f"a part cannot weigh {self.weight:g}: weights are between 0.000001 and 1,000,000")


@dataclass(frozen=True)
class Query:
    """Parts, whose weighted unit vectors are added up; the sum, at unit length, is the query's vector.

    A model that compares by cosine does not understand "no": what a query wants to stay away from is subtracted. Raises
    `InvalidQuery` when there is nothing to look for. `str` writes a query in the query language (`search/grammar`).
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not any(part.weight > 0 for part in self.parts):
            what = "only what to stay away from" if self.parts else "nothing to search for"
            raise InvalidQuery(f"{what}: give some words, or a picture with --image")
        if len(self.parts) > MOST_PARTS:
            raise InvalidQuery(f"a query of {len(self.parts):,} parts; {MOST_PARTS:,} are the most")

    @classmethod
    def of(
        cls,
        texts: str | Iterable[str] = (),
        images: Path | str | Iterable[Path | str] = (),
        without: str | Iterable[str] = (),
    ) -> "Query":
        """Texts and pictures that count alike, and texts to stay away from, which together weigh half of them.

        A single one needs no list. Words mean themselves: nothing in them is taken for an operator or a filter.
        """
        texts = [texts] if isinstance(texts, str) else texts
        images = [images] if isinstance(images, (Path, str)) else images
        without = [without] if isinstance(without, str) else without
        wanted = [Part(Text(text)) for text in texts] + [Part(Picture(Path(image))) for image in images]
        return cls((*wanted, *away(wanted, [Text(text) for text in without])))

    @property
    def wanted(self) -> tuple[Part, ...]:
        """The parts above zero."""
        return tuple(part for part in self.parts if part.weight > 0)

    @property
    def kind(self) -> Kind | None:
        """Which scale its scores lie on: that of words, or that of pictures; None where nobody has measured it.

        Words and pictures in one query lie somewhere between, and regions, vectors and weights of one's own anywhere.
        """
        kinds = {_kind(part.source) for part in self.parts}
        plain = len({part.weight for part in self.wanted}) == 1 and _is_even(self.parts)
        return kinds.pop() if len(kinds) == 1 and plain else None

    @property
    def title(self) -> str:
        """A short name for people: pictures by the names of their files, no weights."""
        named = [f"{'+' if part.weight > 0 else '-'} {part.source.title}" for part in self.parts]
        return " ".join(named).removeprefix("+ ")

    def __str__(self) -> str:
        said = self.parts if _is_even(self.parts) else None
        terms = [_term(part, weighs=part.weight < 0 and said is None) for part in self.parts]
        # A lone text that is written bare could be a dash and words: in quotes a dash beside it is an operator.
        return " ".join(terms).removeprefix("+ ")


def away(wanted: Sequence[Part], sources: Sequence[Source]) -> list[Part]:
    """`sources` as parts to stay away from, which together weigh `AWAY` of all that is `wanted`."""
    if not sources:
        return []
    share = _share(wanted, len(sources))
    if not share:
        raise InvalidQuery("only what to stay away from: give some words, or a picture with --image")
    return [Part(source, -share) for source in sources]


def _share(parts: Sequence[Part], number: int) -> float:
    """What each of `number` parts to stay away from weighs when nobody says a weight."""
    return AWAY * math.fsum(part.weight for part in parts if part.weight > 0) / number


def _is_even(parts: Sequence[Part]) -> bool:
    """Whether what `parts` stay away from weighs what it does when nobody says a weight."""
    turned = [part.weight for part in parts if part.weight < 0]
    return not turned or set(turned) == {-_share(parts, len(turned))}


def _kind(source: Source) -> Kind | None:
    if isinstance(source, Text):
        return "text"
    whole = isinstance(source, Stored) or (isinstance(source, Picture) and source.crop is None)
    return "picture" if whole else None


def _term(part: Part, *, weighs: bool) -> str:
    """A part in the query language; one to stay away from has its weight written only if it `weighs` unusually."""
    shown = abs(part.weight)
    weight = f"{shown!r}:".replace(".0:", ":") if weighs or (part.weight > 0 and shown != 1) else ""
    source = str(part.source)
    # Next to a quotation mark a dash is an operator; between bare words it would be a dash.
    if isinstance(part.source, Text) and (weight or part.weight < 0) and not source.startswith('"'):
        source = _quoted(part.source.text, escape_path=True)
    return f"{'+' if part.weight > 0 else '-'} {weight}{source}"


def _quoted(text: str, *, escape_path: bool = False) -> str:
    """`text` in quotation marks; a backslash keeps words that look like a path from being one."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"\\{inside}"' if escape_path and inside.startswith((".", "/", "~")) else f'"{inside}"'
