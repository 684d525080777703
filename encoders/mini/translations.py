"""English names of words in other languages, which help the text tower to place them.

The tower read most English words in captions, but many words of other languages only as names. A word with a
translation gets the mean of its own vector and that of its English names (`training/translations.py`).
"""

import gzip
import re
import zlib
from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from core.errors import ModelUnavailable
from encoders.mini.tokenizer import plain

__all__ = ["Translations", "write_translations"]

_ARTICLE = re.compile(
    "(?:der|die|das|den|dem|ein|eine|einen|einem|einer|les?|la|l|une?|"
    "[一两] [只隻個个條条位名匹头頭辆輛张張座棵朵]) (?=.)"
)
"""An article, or a Chinese numeral with a classifier, at the start of a text in its plain form."""
_ARABIC_ARTICLE = "ال"
_SHORTEST = 5
"""Letters of a shortest Arabic word that may begin with the article."""


class Translations:
    """The translations in a file that `write_translations` wrote, which is read when a text is first looked up.

    Raises `ModelUnavailable` then if the file is damaged.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def find(self, text: str) -> dict[str, float]:
        """Return the English names of a word or name, with or without an article, and their weights, which sum to one.

        Empty for any other text.
        """
        word = plain(text)
        bare = _ARTICLE.sub("", word, count=1)
        if len(bare) >= _SHORTEST:
            bare = bare.removeprefix(_ARABIC_ARTICLE)
        return self._names(word) or self._names(bare)

    def _names(self, word: str) -> dict[str, float]:
        if not word:
            return {}
        # By bisection: a search from the start takes several times as long as the vector of an English word.
        key = f"{word}\t".encode()
        place = bisect_left(range(len(self._lines)), key, key=self._line)
        line = self._line(place)
        if not line.startswith(key):
            return {}
        _, *fields = line.decode().split("\t")
        weights = {name: int(weight) for weight, name in (field.split(" ", 1) for field in fields)}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def _line(self, place: int) -> bytes:
        """Return the line with the byte at `place`, or the empty one after the last line."""
        start = self._lines.rfind(b"\n", 0, place) + 1
        return self._lines[start : self._lines.find(b"\n", start)]

    @cached_property
    def _lines(self) -> bytes:
        try:
            with gzip.open(self._file) as opened:
                lines = opened.read()
            if not lines:
                raise EOFError  # an empty file is read without an error
            return lines
        except (OSError, EOFError, zlib.error) as exc:
            remedy = "Install Sightline again: this one is damaged."
            raise ModelUnavailable("mini", f"the file {self._file}", remedy) from exc


def write_translations(file: Path, names: Mapping[str, Mapping[str, int]]) -> None:
    """Write English names with their weights, which are whole numbers, for each word in its plain form.

    Lines are sorted by their bytes, as `Translations` needs them. Equal arguments give equal bytes.
    """
    lines = ["\t".join([word, *(f"{weight} {name}" for name, weight in names[word].items())]) for word in sorted(names)]
    file.write_bytes(gzip.compress(("\n" + "\n".join(lines) + "\n").encode(), mtime=0))
