"""Single words as queries: which words the captions of a photo say.

A caption is a sentence, and people search with single words. A photo is a positive example of a word in the measure in
which its captions say it. A word that no caption says may still fit the photo, so that targets are soft.

Two kinds of words are used: English nouns with their translations in WordNet, and the words of each language as its own
captions write them. Chinese captions have no spaces between words, so that Chinese only has the first kind.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.mini.tokenizer import Tokenizer, plain
from training.corpora import LANGUAGES
from training.names import Noun
from training.texts import Ids

__all__ = [
    "STOP_WORDS",
    "Texts",
    "Vocabulary",
    "Word",
    "WordSampler",
    "all_words",
    "caption_words",
    "noun_words",
    "said_by",
]

Texts = Sequence[Mapping[str, Sequence[str]]]
"""The captions of photos by language."""

_IRREGULAR = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "knives": "knife",
    "leaves": "leaf",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}
_PLURALS = (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""))
STOP_WORDS = frozenset(
    (  # noqa: SIM905, a list would take 85 lines
        "a along am an and another are around as at back be behind by can do down five for four from front get go has "
        "have he her him his i in into is it its many may near next no of off on one or other out over several she "
        "side some that the their them there they this three through to top two up us very while who will with"
    ).split()
)
"""English words that name nothing in a photo, though WordNet lists some of them as nouns."""
_ARABIC_ARTICLE = "ال"
_AGREED = 0.75
"""A photo counts for a word if the share of the captions that say it is at least this large."""
_LEAST = {"nouns": 8, "words": 12}
"""A word is used if this many photos count for it."""
_COMMON = 0.25
"""A word of captions that counts for more than this share of photos is not used."""
_NOUN_WEIGHT = 1.5
_FORMS = 4
_SEEN = 5
"""At most this many forms of an English word are used, each seen this often."""


class Vocabulary:
    """English nouns with their names in other languages."""

    def __init__(self, nouns: Sequence[Noun], senses: Mapping[str, Sequence[str]]) -> None:
        """Collect the nouns by name. `senses` has the synsets of a name, the most frequent one first."""
        found: dict[str, list[Noun]] = defaultdict(list)
        for noun in nouns:
            for name in noun.names["en"]:
                found[plain(name)].append(noun)
        self.nouns = {name: min(several, key=_rank(senses.get(name, ()))) for name, several in found.items()}
        """The most frequent sense of each name."""

    def lemma(self, word: str) -> str | None:
        """Return the singular of a plain English noun; None if it is not in the vocabulary."""
        word = _IRREGULAR.get(word, word)
        stems = [word.removesuffix(ending) + new for ending, new in _PLURALS if word.endswith(ending)]
        return next((each for each in (word, *stems) if each in self.nouns), None)

    def forms(self, lemma: str) -> list[str]:
        """Return names of a noun to draw from: the English one twice, and the first one in each other language."""
        names = self.nouns[lemma].names
        return [lemma, lemma, *(names[lang][0] for lang in LANGUAGES if lang != "en" and names.get(lang))]


@dataclass(frozen=True)
class Word:
    """A word with its forms, and the share of the captions that say it for each photo."""

    forms: list[str]
    shares: Mapping[int, float]
    """By row of the photo, from 0 to 1. Two of five captions, or the only one, give at least 0.75."""
    weight: float = 1.0

    @property
    def photos(self) -> int:
        """The number of photos that it counts for."""
        return sum(share >= _AGREED for share in self.shares.values())


def all_words(texts: Texts, vocabulary: Vocabulary) -> list[Word]:
    """Return the nouns and the words of all languages that the captions of photos say."""
    return noun_words(texts, vocabulary) + [word for lang in LANGUAGES for word in caption_words(texts, lang)]


def noun_words(texts: Texts, vocabulary: Vocabulary) -> list[Word]:
    """Return the nouns that the English captions of photos say."""

    def nouns(text: str) -> set[str]:
        return {noun for noun in map(vocabulary.lemma, plain(text).split()) if noun}

    found = (
        Word(vocabulary.forms(noun), shares, _NOUN_WEIGHT)
        for noun, shares in said_by(texts, "en", nouns).items()
        if len(noun) > 1 and noun not in STOP_WORDS
    )
    return [word for word in found if word.photos >= _LEAST["nouns"]]


def caption_words(texts: Texts, lang: str, least: int = _LEAST["words"], common: float = _COMMON) -> list[Word]:
    """Return the words that the captions of photos in one language say.

    A word is left out if it counts for fewer than `least` photos, or for more than the share `common` of them.
    """
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for word in (word for photo in texts for text in photo.get(lang, ()) for word in _written(text, lang)):
        forms[_stem(word, lang)][word] += 1
    captioned = sum(1 for photo in texts if photo.get(lang))
    columns = said_by(texts, lang, lambda text: {_stem(word, lang) for word in _written(text, lang)})
    found = (Word(_forms(stem, forms[stem], lang), shares) for stem, shares in columns.items())
    return [word for word in found if least <= word.photos <= common * captioned]


def said_by(texts: Texts, lang: str, words: Callable[[str], set[str]]) -> dict[str, dict[int, float]]:
    """Return the share of each photo's captions that say a word, by word and row; two of five are nearly full.

    `words` returns the words of a caption.
    """
    columns: dict[str, dict[int, float]] = defaultdict(dict)
    for row, photo in enumerate(texts):
        several = photo.get(lang, ())
        factor = 2 if len(several) > 1 else 1
        # Sorted, so that the order of words does not depend on the hashes of this process.
        counts = Counter(word for text in several for word in sorted(words(text)))
        for word, count in counts.items():
            columns[word][row] = min(1.0, factor * count / len(several))
    return columns


class WordSampler:
    """Draws words that the captions of at least one photo of a batch say, with targets for all of its photos."""

    def __init__(self, words: Sequence[Word], photos: int, tokenizer: Tokenizer) -> None:
        self._forms: list[list[Ids]] = [[tokenizer(form) for form in word.forms] for word in words]
        self.shares = np.zeros((photos, len(words)), np.float32)
        for column, word in enumerate(words):
            self.shares[list(word.shares), column] = list(word.shares.values())
        # The square root evens out frequent and rare words.
        self._weights = np.sqrt(self.shares.sum(0)) * [word.weight for word in words]

    def draw(
        self, rows: NDArray[np.int64], count: int, rng: np.random.Generator
    ) -> tuple[list[Ids], NDArray[np.float32]]:
        """Return one form of at most `count` words, and the shares (photos, words)."""
        shares = self.shares[rows]
        said = np.flatnonzero(shares.any(0))
        weights = self._weights[said]
        number = min(count, len(said))
        words = rng.choice(said, number, replace=False, p=weights / weights.sum()) if number else said[:0]
        return [self.form(word, rng) for word in words], shares[:, words]

    def form(self, word: int, rng: np.random.Generator) -> Ids:
        """Return a random form of a word."""
        return self._forms[word][int(rng.integers(len(self._forms[word])))]


def _rank(order: Sequence[str]) -> Callable[[Noun], int]:
    return lambda noun: order.index(noun.offset) if noun.offset in order else len(order)


def _written(text: str, lang: str) -> Iterator[str]:
    """Yield the words of a text, without function words in English; none in Chinese, which does not separate words."""
    if lang != "zh":
        words = (word for word in plain(text).split() if len(word) > 1 and word.isalpha())
        yield from (word for word in words if lang != "en" or word not in STOP_WORDS)


def _stem(word: str, lang: str) -> str:
    if lang == "ar":
        return word.removeprefix(_ARABIC_ARTICLE) if len(word) > 4 else word
    return _english_stem(word) if lang == "en" else word


def _english_stem(word: str) -> str:
    word = _IRREGULAR.get(word, word)
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
                word = word[:-1]  # running, run
            break
    return word[:-1] if len(word) > 3 and word[-1] in "ey" else word


def _forms(stem: str, seen: Counter[str], lang: str) -> list[str]:
    if lang == "en":
        return [word for word, count in seen.most_common(_FORMS) if count >= _SEEN] or [stem]
    return [stem, _ARABIC_ARTICLE + stem] if lang == "ar" else [stem]
