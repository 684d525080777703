"""Which words of a prompt matched where: by leaving each one out.

A word's part in a find is how much lower the map is without it (erasure: Li, Monroe and Jurafsky, "Understanding
neural networks through representation erasure", 2016; occlusion: Zeiler and Fergus, "Visualizing and understanding
convolutional networks", ECCV 2014). Nothing is assumed of the model, so that both engines are asked in the same way.
What a word adds only together with another one shows at both of them, and parts need not add up to anything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.prompts import TextPrompt
from search.highlight.engine import HighlightEngine

__all__ = ["Word", "split_words", "word_parts"]

SIDE = 512
"""Longer side, in pixels, of the picture that words are left out for: there are as many maps as words."""

_WORDS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+(?:['’-]\w+)*"
)
"""Each Chinese character or kana for itself; elsewhere letters and digits in a row, with what is hyphenated to them."""


@dataclass(frozen=True, eq=False)
class Word:
    """One word of a prompt and its part in what was found."""

    text: str
    start: int
    """Where in the prompt it begins, in characters."""
    weight: float
    """How much the map's highest point falls without it, -1 to 1; below zero, the word was in the way."""
    change: NDArray[np.float32]
    """(h, w), the map with all words less the map without this one: where the word matters. A reduced picture."""


def split_words(text: str) -> list[tuple[int, str]]:
    """The words of a text, each with where it begins."""
    return [(match.start(), match.group()) for match in _WORDS.finditer(text)]


def word_parts(engine: HighlightEngine, image: Image.Image, prompt: TextPrompt) -> Sequence[Word]:
    """The words of `prompt` in their order; empty for a prompt of one word, of which there is nothing to leave out."""
    words = split_words(prompt.text)
    if len(words) < 2:
        return ()
    small = image.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    without = [TextPrompt(prompt.text[:start] + prompt.text[start + len(word) :]) for start, word in words]
    full, *rest = engine.maps(small, [prompt, *without])  # (h, w) each
    peak = np.unravel_index(int(full.argmax()), full.shape)
    changes = [full - other for other in rest]
    return [
        Word(word, start, float(change[peak]), change)
        for (start, word), change in zip(words, changes, strict=True)
    ]  # fmt: skip
