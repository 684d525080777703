"""Comparison of text that was read in pictures.

It ignores case, like names do (`store.catalog.collation`), and also what recognisers often get wrong or what a sign
writes in several ways: accents, the width of characters (NFKC), and blanks between characters of scripts that have none
between words.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from store.catalog.collation import fold, matches

__all__ = ["ExactLine", "TextPattern", "comparable", "contains_word", "is_without_spaces", "join_lines", "split_words"]

_UNSPACED = "\u2e80-\u2fdf\u3005-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Han characters and kana."""

# As text: compiling them takes 1 % of the processor time of a first search, which rarely needs them.
_UNSPACED_CHARACTER = f"[{_UNSPACED}]"
_BLANK_BETWEEN = f"(?<=[{_UNSPACED}])\\s+(?=[{_UNSPACED}])"
_WORD = rf"[{_UNSPACED}]+|[^\W{_UNSPACED}_]+"
_SEQUENCE = 3

_VOICE_MARKS = "\u3099\u309a"
"""Marks of kana that are no accents: が is another letter than か."""


def comparable(text: str) -> str:
    """Return the comparable form of a text: one text contains another if this is so for their comparable forms."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", fold(unicodedata.normalize("NFKC", text)))
        kept = (char for char in decomposed if char in _VOICE_MARKS or not unicodedata.combining(char))
        text = unicodedata.normalize("NFC", "".join(kept))
    return re.sub(_BLANK_BETWEEN, "", " ".join(text.lower().split()))


def is_without_spaces(text: str) -> bool:
    """Return whether `text` has a character of a script without spaces between words."""
    return re.search(_UNSPACED_CHARACTER, text) is not None


def split_words(text: str) -> list[str]:
    """Return the distinct comparable words of a text, in order.

    A run of characters of a script without spaces is split into all its sequences of three, as it contains the words.
    """
    words: dict[str, None] = {}
    for run in re.findall(_WORD, comparable(text)):
        if is_without_spaces(run) and len(run) > _SEQUENCE:
            words |= dict.fromkeys(run[at : at + _SEQUENCE] for at in range(len(run) - _SEQUENCE + 1))
        else:
            words[run] = None
    return list(words)


def contains_word(text: str, word: str) -> bool:
    """Return whether a comparable text contains a comparable word, not only as a part of another word."""
    if is_without_spaces(word):
        return word in text
    return re.search(rf"(?<![^\W{_UNSPACED}]){re.escape(word)}(?![^\W{_UNSPACED}])", text) is not None


def join_lines(lines: Sequence[str]) -> tuple[str, list[int]]:
    """Join comparable lines to one comparable text; return where each of them begins, too."""
    text, starts = "", list[int]()
    for line in lines:
        if text and line and not (is_without_spaces(text[-1]) and is_without_spaces(line[0])):
            text += " "
        starts.append(len(text))
        text += line
    return text, starts


@dataclass(frozen=True)
class TextPattern:
    """What text in a picture is compared with: a part of the text of a frame, or a pattern of a whole line.

    A part may go on from one line to the next. In a pattern, `*` is any text and `?` any character. Both texts are
    comparable.
    """

    part: str | None = None
    line: str = ""

    @classmethod
    def like(cls, pattern: str) -> "TextPattern":
        """Return the part for a pattern `*part*`, and the pattern of a line for any other."""
        pattern = comparable(pattern)
        inside = pattern.strip("*").strip()
        if pattern.startswith("*") and pattern.endswith("*") and not re.search(r"[*?]", inside):
            return cls(part=inside)
        return cls(line=pattern)

    @property
    def pieces(self) -> tuple[str, ...]:
        """Texts that every frame contains where something matches."""
        if self.part is not None:
            return (self.part,) if self.part else ()
        return tuple(piece for raw in re.split(r"[*?]", self.line) if (piece := raw.strip()))

    def find(self, lines: Sequence[str]) -> list[int]:
        """Return the numbers of the comparable lines of a frame that match, from 0."""
        if self.part is None:
            return [number for number, line in enumerate(lines) if matches(line, self.line)]
        return _lines_of_part(lines, self.part)


@dataclass(frozen=True)
class ExactLine(TextPattern):
    """A line that equals a text, in which `*` and `?` are not special."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """The line."""
        return (self.line,) if self.line else ()

    def find(self, lines: Sequence[str]) -> list[int]:
        """Return the numbers of the lines that are equal."""
        return [number for number, line in enumerate(lines) if line == self.line]


def _lines_of_part(lines: Sequence[str], part: str) -> list[int]:
    """Return the lines with a character of `part`, which stands in the joined lines at least once."""
    text, starts = join_lines(lines)
    if not part:
        return list(range(len(lines)))
    found: dict[int, None] = {}
    at = text.find(part)
    while at >= 0:
        first, last = bisect_right(starts, at) - 1, bisect_right(starts, at + len(part) - 1) - 1
        found.update(dict.fromkeys(range(first, last + 1)))
        at = text.find(part, at + 1)
    return sorted(found)
