"""English names of words in other languages, which help the text tower to place them.

The tower read most English words in captions, but many words of other languages only as names. A word with a
translation gets the mean of its own vector and that of its English names (`training/translations.py`).
"""

import gzip
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

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
    """The translations in a file that `write_translations` wrote, which is read when a text is first looked up."""

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
        start = self._lines.find(f"\n{word}\t".encode()) if word else -1
        if start < 0:
            return {}
        line = self._lines[start + 1 : self._lines.index(b"\n", start + 1)].decode()
        _, *fields = line.split("\t")
        weights = {name: int(weight) for weight, name in (field.split(" ", 1) for field in fields)}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    @cached_property
    def _lines(self) -> bytes:
        return gzip.decompress(self._file.read_bytes())


def write_translations(file: Path, names: Mapping[str, Mapping[str, int]]) -> None:
    """Write English names with their weights, which are whole numbers, for each word in its plain form.

    Equal arguments give equal bytes.
    """
    lines = ["\t".join([word, *(f"{weight} {name}" for name, weight in names[word].items())]) for word in sorted(names)]
    file.write_bytes(gzip.compress(("\n" + "\n".join(lines) + "\n").encode(), mtime=0))
