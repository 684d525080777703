"""Text in pictures: which lines a search found, and the share of a query's words that stand in a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from core.text_lines import TextLine
from search.filters import Condition
from search.query import Query, TextInput
from search.results import FoundText, Hit, ListedImage
from store.catalog.text_comparison import TextPattern, comparable, contains_word, split_words
from store.filters.conditions import And, FieldTest, Or
from store.filters.text_in_pictures import text_patterns
from store.library import Library
from store.texts import FrameTexts, load_shares, load_texts

__all__ = ["TextSearch", "find_lines", "with_texts", "word_shares"]

MAX_WORDS = 100
"""Words of a query that are looked up in pictures; those after them are not."""

Listed = TypeVar("Listed", bound=ListedImage)


@dataclass(frozen=True)
class TextSearch:
    """What a search looks for in the text of pictures: `text:` filters, and words of the query."""

    patterns: tuple[TextPattern, ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, condition: Condition | None, query: Query | None = None) -> "TextSearch":
        """Return what the filters look for, and the words of the texts of `query`."""
        patterns = () if condition is None else tuple(_patterns(condition))
        return cls(patterns, () if query is None else tuple(_words(query)))

    def __bool__(self) -> bool:
        return bool(self.patterns or self.words)


def word_shares(library: Library, query: Query) -> Mapping[int, float]:
    """Return, by frame ID, the share of the characters of the query's words that belong to words in that frame.

    Only texts with a positive weight count. Frames without any of the words are left out.
    """
    return load_shares(library, _words(query))


def with_texts(library: Library, pictures: Sequence[Listed], search: TextSearch) -> list[Listed]:
    """Return the pictures with the lines that the search finds in them.

    Words of the query are marked in hits for which they count: common ones such as `a` are in many pictures.
    """
    if not search:
        return list(pictures)
    texts, filters = load_texts(library, [picture.id for picture in pictures]), replace(search, words=())
    return [
        replace(picture, texts=find_lines(texts.get(picture.id, ()), search if _has_words(picture) else filters))
        for picture in pictures
    ]


def find_lines(frames: Sequence[FrameTexts], search: TextSearch) -> tuple[FoundText, ...]:
    """Return the lines that the search finds in the frames of one content, in reading order."""
    return tuple(FoundText(frame.number, line) for frame in frames for line in _lines(frame.lines, search))


def _lines(lines: Sequence[TextLine], search: TextSearch) -> list[TextLine]:
    texts = [comparable(line.text) for line in lines]
    found = {number for pattern in search.patterns for number in pattern.find(texts)}
    found |= {number for number, text in enumerate(texts) if any(contains_word(text, word) for word in search.words)}
    return [lines[number] for number in sorted(found)]


def _has_words(picture: ListedImage) -> bool:
    return isinstance(picture, Hit) and bool(picture.text_match)


def _words(query: Query) -> list[str]:
    texts = [part.source.text for part in query.positive_parts if isinstance(part.source, TextInput)]
    return split_words(" ".join(texts))[:MAX_WORDS]


def _patterns(condition: Condition) -> list[TextPattern]:
    """Return the tests of text that a picture can pass because of lines in it; negated ones have none."""
    if isinstance(condition, FieldTest):
        return text_patterns(condition)
    if isinstance(condition, (And, Or)):
        return [pattern for inner in condition.conditions for pattern in _patterns(inner)]
    return []
