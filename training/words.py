"""Single words as queries: which everyday nouns the English captions of a photo mention.

A caption is a sentence, and people search with single words. A photo is a positive example of a noun in the measure in
which its captions mention it; a noun that no caption mentions may still be in the photo, so that targets are soft.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from encoders.mini.tokenizer import plain
from training.names import Noun

__all__ = ["Vocabulary", "mentions"]

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
_MIN_PHOTOS = 12
"""A noun is used if the captions of this many photos agree on it."""


class Vocabulary:
    """English nouns with their names in other languages."""

    def __init__(self, nouns: Sequence[Noun]) -> None:
        self.nouns: dict[str, Noun] = {}
        for noun in nouns:
            for name in noun.names["en"]:
                self.nouns.setdefault(plain(name), noun)  # the first is the most frequent sense

    def lemma(self, word: str) -> str | None:
        """Return the singular of a plain English noun; None if it is not in the vocabulary."""
        word = _IRREGULAR.get(word, word)
        stems = [word.removesuffix(ending) + new for ending, new in _PLURALS if word.endswith(ending)]
        return next((each for each in (word, *stems) if each in self.nouns), None)


def mentions(captions: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> tuple[list[str], NDArray[np.float32]]:
    """Return W nouns, and how many of the English captions of each of N pictures mention them: (N, W) from 0 to 1."""
    counts = [
        Counter(word for text in texts for word in {vocabulary.lemma(each) for each in plain(text).split()} if word)
        for texts in captions.values()
    ]
    photos = Counter(word for count in counts for word, number in count.items() if number >= 2)
    words = [word for word, number in photos.most_common() if number >= _MIN_PHOTOS]
    shares = [
        [count[word] / max(len(texts), 1) for word in words]
        for count, texts in zip(counts, captions.values(), strict=True)
    ]
    return words, np.array(shares, np.float32)
