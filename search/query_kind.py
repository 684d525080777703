"""The kind of a query by its length: a word, a phrase or a sentence. Each kind has its own scale of relevance.

The scores of short and long texts differ: a word fits many pictures a little, a sentence fits few pictures well.
"""

import re
import unicodedata

from search.relevance import Kind

__all__ = ["count_words", "text_kind", "without_articles"]

LONGEST_PHRASE = 3
"""Words. A text with more is a sentence."""

_ARTICLES = frozenset(
    [
        "a",
        "an",
        "the",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "des",
        "ein",
        "eine",
        "einen",
        "einem",
        "einer",
        "eines",
        "le",
        "la",
        "les",
        "un",
        "une",
        "des",
        "du",
        "el",
        "los",
        "las",
        "una",
        "unos",
        "unas",
        "il",
        "lo",
        "gli",
        "uno",
        "um",
        "uma",
        "os",
        "as",
        "het",
        "een",
    ]
)
_CLASSIFIER = re.compile("^[一两][个個只隻条條位名匹头頭辆輛张張座棵朵]")
"""A Chinese numeral and classifier at the start, as in 一只狗, which means "a dog".

Without a numeral, such a character is part of a word: 头发 is hair.
"""
_UNSPACED = r"\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters of Chinese, and of Japanese apart from katakana, which are written without spaces between words."""
_RUN = re.compile(f"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])\\w)+(?:[-'’](?![{_UNSPACED}])\\w+)*")
_CHARACTERS_A_WORD = 2
_ALPHABETS = frozenset(("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "FULLWIDTH"))
"""Scripts whose letters are not words, by the first word of the letters' names in Unicode."""
_ADDRESS = re.compile(
    r"\w+://\S+|www\.\S+|[^\s@]+@[^\s@]+\.\w+|\S+\.(?:jpe?g|png|gif|webp|heic|heif|avif|tiff?|bmp|dng|raw|mp4|mov)",
    re.IGNORECASE,
)
"""A URL, an e-mail address, or the name of a picture file."""


def text_kind(text: str) -> Kind | None:
    """Return the kind of a text: 1 word, 2 or 3 words (a phrase), or more (a sentence).

    None for a text that names nothing, whose hits cannot be judged: only signs, numbers, articles or single letters, an
    address, or the name of a file.
    """
    if _ADDRESS.fullmatch(text.strip()) or not any(map(_is_meaningful, _runs(text))):
        return None
    words = count_words(text)
    return "word" if words <= 1 else "phrase" if words <= LONGEST_PHRASE else "sentence"


def without_articles(text: str) -> str:
    """Return the words of a text without articles, and without a Chinese numeral and classifier at their start."""
    return " ".join(_CLASSIFIER.sub("", run) or run for run in _runs(text) if run not in _ARTICLES)


def count_words(text: str) -> int:
    """Return the number of words in a text, without articles.

    Chinese has no spaces: two of its characters count as a word, rounded down, and one to three as a single word.
    """
    words = 0
    for run in _runs(text):
        if re.match(f"[{_UNSPACED}]", run):
            words += max(1, len(_CLASSIFIER.sub("", run) or run) // _CHARACTERS_A_WORD)
        else:
            words += run not in _ARTICLES
    return words


def _runs(text: str) -> list[str]:
    return _RUN.findall(_without_marks(text.casefold()))


def _is_meaningful(run: str) -> bool:
    """Return whether a run of characters can name something: a single letter of an alphabet does not."""
    if len(run) == 1:
        script = unicodedata.name(run, "").partition(" ")[0]
        return run.isalpha() and script not in _ALPHABETS
    return run not in _ARTICLES and any(char.isalpha() for char in run)


def _without_marks(text: str) -> str:
    """Remove combining marks, vowel signs and joiners, which are parts of words but not letters."""
    return "".join(char for char in text if unicodedata.category(char)[0] != "M" and char not in "\u200c\u200d")
